//! From an invitation to an enrolment credential.

use crate::clock::now;
use crate::connect::discover_after;
use crate::event::{Connection, Event};
use crate::issuance;
use crate::profile::Profile;
use crate::remote::Remote;
use bridge::{Code, Failure, InvitationPreview};
use consent::Timestamp;
use identity::{Credential, Did, SigningKey, openid, present, verify_enrolment};
use serde::Deserialize;
use serde_json::json;
use url::Url;

/// The scheme of invitation links.
pub const SCHEME: &str = "consent-wallet";
/// The longest text that is read as an invitation, in bytes.
const MAX_TEXT: usize = 4_096;
/// How long the answer to a challenge is valid, in seconds.
const ANSWER_AGE: i64 = 600;

/// What an invitation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The biobank's address, if the text has it.
    pub address: Option<String>,
    /// The biobank's DID, if the text has it.
    pub biobank: Option<Did>,
    /// The key by which the biobank spoke when it was written, if the text has it.
    pub speaker: Option<Did>,
    /// The eight characters.
    pub code: String,
}

/// An invitation whose biobank answered.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The biobank.
    pub connection: Connection,
    /// How it invites.
    pub way: Way,
}

/// How a biobank invites.
#[derive(Debug, Clone)]
pub enum Way {
    /// By its own protocol.
    Code {
        /// The eight characters.
        code: String,
        /// Until when they can be used.
        expires: Timestamp,
    },
    /// By OpenID4VCI 1.0.
    Openid {
        /// What it offers.
        offer: Box<openid::Offer>,
        /// What the person typed, where the offer asks for it.
        pin: Option<String>,
    },
}

impl Offer {
    /// The offer with what a person typed. Invitations of the biobank's own protocol ask for nothing.
    #[must_use]
    pub fn typed(mut self, typed: Option<String>) -> Self {
        if let Way::Openid { pin, .. } = &mut self.way {
            *pin = typed;
        }
        self
    }
}

#[derive(Deserialize)]
struct Challenge {
    did: Did,
    challenge: String,
    expires: Timestamp,
}

#[derive(Deserialize)]
struct Enrolled {
    credential: Credential,
}

/// The link that carries an invitation.
pub fn invitation_link(connection: &Connection, code: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("at", &connection.address).append_pair("by", connection.biobank.as_str());
    // Who comes for the first time knows nothing but this: a key that was replaced must not do.
    if let Some(speaker) = &connection.speaker {
        query.append_pair("now", speaker.as_str());
    }
    let query = query.append_pair("code", code).finish();
    format!("{SCHEME}://join?{query}")
}

/// Finds an invitation in what a person pasted: a link, a text around a link, or the code alone.
pub fn parse(text: &str) -> Result<Invitation, Failure> {
    let unreadable = || Failure::new(Code::InvitationUnreadable);
    if text.len() > MAX_TEXT {
        return Err(unreadable());
    }
    let start = format!("{SCHEME}://join?");
    if let Some(link) = text.split_whitespace().find(|word| word.starts_with(&start)) {
        let link = Url::parse(link).map_err(|_| unreadable())?;
        let value = |name: &str| link.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let did = |name: &str| value(name).map(|did| did.parse()).transpose().map_err(|_| unreadable());
        let (biobank, speaker) = (did("by")?, did("now")?);
        return Ok(Invitation { address: value("at"), biobank, speaker, code: value("code").ok_or_else(unreadable)? });
    }
    let code: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let fits = code.len() == 8 && code.chars().all(|c| c.is_ascii_alphanumeric());
    if fits { Ok(Invitation { address: None, biobank: None, speaker: None, code }) } else { Err(unreadable()) }
}

/// Reads an invitation and asks the biobank who it is.
pub async fn read_invitation(text: &str, address: Option<&str>) -> Result<Offer, Failure> {
    if let Some(link) = issuance::link_in(text) {
        return issuance::read(link).await;
    }
    let invitation = parse(text)?;
    let address = invitation.address.as_deref().or(address).ok_or(Code::InvitationUnreadable)?;
    let remote = Remote::new(address)?;
    let connection = discover_after(&remote, invitation.biobank.as_ref(), invitation.speaker.as_ref()).await?;
    let challenge = challenge(&remote, &connection, &invitation.code).await?;
    Ok(Offer { connection, way: Way::Code { code: invitation.code, expires: challenge.expires } })
}

/// How an offer is shown.
pub fn preview(offer: &Offer) -> InvitationPreview {
    let (expires, pin) = match &offer.way {
        Way::Code { expires, .. } => (Some(*expires), false),
        Way::Openid { offer, .. } => (None, offer.pin.is_some()),
    };
    InvitationPreview {
        biobank: offer.connection.name.clone(),
        address: offer.connection.address.clone(),
        did: offer.connection.biobank.to_string(),
        expires,
        pin,
    }
}

/// Joins with the key that is for this biobank alone, and checks what comes back.
pub async fn accept(profile: &Profile, offer: &Offer) -> Result<(), Failure> {
    let joined = try_accept(profile, offer).await;
    match joined {
        Ok(event) => profile.record(event),
        Err(failure) => {
            profile.record(Event::JoinFailed { failure: failure.clone() })?;
            Err(failure)
        }
    }
}

async fn try_accept(profile: &Profile, offer: &Offer) -> Result<Event, Failure> {
    if profile.read(|story| story.connection.is_some())? {
        return Err(Code::NotPossible.into());
    }
    let connection = &offer.connection;
    let key = profile.secret().derive_biobank_key(&connection.biobank);
    let credential = match &offer.way {
        Way::Code { code, .. } => answered(connection, &key, code).await?,
        Way::Openid { offer, pin } => issuance::fetch(offer, &key, pin.as_deref()).await?,
    };
    let bytes = serde_json::to_vec(&credential).map_err(|_| Code::Internal)?;
    let verification = verify_enrolment(&bytes, &connection.biobank, connection.speaker(), &key.did(), now()).await;
    match verification.verified {
        Some(_) => Ok(Event::Joined { connection: connection.clone(), credential }),
        None => Err(crate::check::first_failed(&verification.checks)),
    }
}

/// Answers the biobank's challenge.
async fn answered(connection: &Connection, key: &SigningKey, code: &str) -> Result<Credential, Failure> {
    let remote = Remote::new(&connection.address)?;
    let challenge = challenge(&remote, connection, code).await?;
    let now = now();
    let answer =
        present(key, &[], Some(&challenge.challenge), connection.biobank.as_str(), now, now.plus_seconds(ANSWER_AGE))
            .await
            .map_err(|_| Code::Internal)?;
    let body = json!({ "code": code, "presentation": answer });
    let enrolled: Enrolled = remote.post("/v1/enrolment", &body).await?;
    Ok(enrolled.credential)
}

async fn challenge(remote: &Remote, connection: &Connection, code: &str) -> Result<Challenge, Failure> {
    let challenge: Challenge = remote.post("/v1/enrolment/challenge", &json!({ "code": code })).await?;
    if challenge.did != connection.biobank {
        return Err(Failure::new(Code::NotValid).with("check", "signer-is-issuer"));
    }
    Ok(challenge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::SigningKey;

    #[test]
    fn invitations_are_found_in_what_people_paste() {
        let biobank = SigningKey::from_seed([1; 32]).did();
        let connection = Connection {
            address: "http://127.0.0.1:8480".into(),
            biobank: biobank.clone(),
            speaker: None,
            name: "B".into(),
            vkey: String::new(),
            former: Vec::new(),
            policy: None,
        };
        let link = invitation_link(&connection, "ABCD-EFGH");
        let (address, code) = (Some(connection.address), "ABCD-EFGH".into());
        let whole = Invitation { address, biobank: Some(biobank), speaker: None, code };
        assert_eq!(parse(&link), Ok(whole.clone()));
        assert_eq!(parse(&format!("Dear donor,\n please open {link} today.\n")), Ok(whole));
        let code = |text: &str| parse(text).map(|invitation| invitation.code);
        assert_eq!(code(" abcd-efgh \n"), Ok("abcdefgh".into()));
        let long = "A".repeat(5_000);
        for text in [
            "",
            "hello",
            "ABCD",
            "https://biobank.example/",
            "consent-wallet://join?by=did:key:zz&code=A",
            long.as_str(),
        ] {
            assert_eq!(
                parse(text).map_err(|f| f.code),
                Err(Code::InvitationUnreadable),
                "{}",
                &text[..text.len().min(40)]
            );
        }
    }
}
