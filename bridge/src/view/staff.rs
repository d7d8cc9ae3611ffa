//! What staff see.

use crate::view::QrView;
use consent::Timestamp;
use serde::{Deserialize, Serialize};

/// The donors and invitations of a biobank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Donors {
    /// The biobank's name.
    pub biobank: String,
    /// One row an invitation, latest first.
    pub rows: Vec<DonorRow>,
}

/// A donor, by pseudonym.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DonorRow {
    /// The number under which the desk knows the donor.
    pub donor: String,
    /// Sent, accepted or expired.
    pub state: InvitationState,
    /// When the invitation was made.
    pub invited: Timestamp,
    /// Until when it can be used.
    pub expires: Timestamp,
    /// When the donor joined.
    pub joined: Option<Timestamp>,
    /// Consents in force.
    pub live: u32,
    /// Consents taken back.
    pub withdrawn: u32,
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InvitationState {
    /// Out, not used.
    Sent,
    /// Used.
    Accepted,
    /// Too old.
    Expired,
}

/// A one-time invitation. The code is shown once and kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvitationView {
    /// The donor's number.
    pub donor: String,
    /// The link.
    pub link: String,
    /// The link as a picture.
    pub qr: QrView,
    /// Eight characters, as `ABCD-EFGH`.
    pub code: String,
    /// The biobank's address, to be typed with the code.
    pub address: String,
    /// Until when.
    pub expires: Timestamp,
}
