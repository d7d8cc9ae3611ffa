//! The biobank's desk: invitations and donors.

use crate::enrol::invitation_link;
use crate::event::Event;
use crate::profile::Profile;
use bridge::{Code, DonorRow, Donors, Failure, InvitationView, QrView};
use consent::Timestamp;
use qrcode::{Color, QrCode};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use std::fmt::Write;

#[derive(Deserialize)]
struct DonorList {
    donors: Vec<DonorRow>,
}

#[derive(Deserialize)]
struct Invited {
    donor: String,
    code: String,
    expires: Timestamp,
}

/// The donors and invitations, as the biobank has them now.
pub async fn donors(profile: &Profile) -> Result<Donors, Failure> {
    let connection = profile.connection()?;
    let key = profile.biobank_key(&connection);
    let list: DonorList = profile.remote()?.ask(&key, Method::GET, "/v1/donors", None).await?;
    Ok(Donors { biobank: connection.name, rows: list.donors })
}

/// Makes a one-time invitation.
pub async fn invite(profile: &Profile) -> Result<InvitationView, Failure> {
    let connection = profile.connection()?;
    let key = profile.biobank_key(&connection);
    let invited: Invited = profile.remote()?.ask(&key, Method::POST, "/v1/invitations", Some(&json!({}))).await?;
    profile.record(Event::Invited { donor: invited.donor.clone() })?;
    let link = invitation_link(&connection, &invited.code);
    Ok(InvitationView {
        donor: invited.donor,
        qr: picture(&link)?,
        link,
        code: invited.code,
        address: connection.address,
        expires: invited.expires,
    })
}

/// A QR code as one SVG path: a run of dark modules is a rectangle one unit high.
fn picture(text: &str) -> Result<QrView, Failure> {
    let code = QrCode::new(text).map_err(|_| Code::Internal)?;
    let size = code.width();
    let colors = code.to_colors();
    let mut path = String::new();
    for (y, row) in colors.chunks(size).enumerate() {
        let mut x = 0;
        while x < size {
            let run = row[x..].iter().take_while(|color| **color == Color::Dark).count();
            if run > 0 {
                // Writing to a string can not fail.
                let _ = write!(path, "M{x} {y}h{run}v1h-{run}z");
            }
            x += run.max(1);
        }
    }
    Ok(QrView { size: u32::try_from(size).unwrap_or(u32::MAX), path })
}
