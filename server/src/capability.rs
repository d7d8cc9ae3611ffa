//! Capabilities: what somebody with an account hands on to a key that has none, for a while.
//!
//! The biobank signs it, it names the holder's DID, and it counts only beside a request that this DID signed: whoever
//! finds one can do nothing with it. It opens what its maker may do at that moment, so it ends with their account.

use crate::Problem;
use consent::Timestamp;
use identity::{Did, SigningKey, sign_jws, to_canonical, verify_jws};
use serde::{Deserialize, Serialize};

/// The `typ` of a capability.
pub const CAPABILITY_TYPE: &str = "capability.v1+jws";
/// The header that carries one.
pub const CAPABILITY_HEADER: &str = "consent-capability";
/// How long one counts at most, in seconds.
pub const MAX_CAPABILITY_AGE: i64 = 86_400;
/// How many actions one names at most.
pub const MAX_ACTIONS: usize = 16;
/// The longest path that one names.
const MAX_PREFIX: usize = 512;

/// What a capability says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// Whose rights it hands on.
    pub by: Did,
    /// The only key that can use it.
    pub holder: Did,
    /// What it opens, by the names of the policies.
    pub actions: Vec<String>,
    /// Below which path.
    pub resource: String,
    /// From when on.
    pub issued: Timestamp,
    /// Until when.
    pub expires: Timestamp,
}

impl Capability {
    /// Whether it is one that this service would sign.
    pub fn is_sound(&self) -> bool {
        let age_fits = self.issued < self.expires && self.expires <= self.issued.plus_seconds(MAX_CAPABILITY_AGE);
        let path_fits = self.resource.starts_with('/') && self.resource.len() <= MAX_PREFIX;
        age_fits && path_fits && (1..=MAX_ACTIONS).contains(&self.actions.len())
    }

    /// Signs it.
    pub fn sign(&self, key: &SigningKey) -> Result<String, Problem> {
        Ok(sign_jws(key, CAPABILITY_TYPE, &to_canonical(self).map_err(Problem::internal)?))
    }

    /// Reads one that this biobank signed for this caller, and that counts now.
    pub fn read(compact: &str, biobank: &Did, caller: &Did, now: Timestamp) -> Result<Self, Problem> {
        let refused = Problem::bad_capability;
        let signed = verify_jws(compact).map_err(|_| refused())?;
        if signed.typ != CAPABILITY_TYPE || signed.signer != *biobank {
            return Err(refused());
        }
        let capability: Self = serde_json::from_slice(&signed.payload).map_err(|_| refused())?;
        let counts = capability.is_sound() && capability.issued <= now && now < capability.expires;
        if counts && capability.holder == *caller { Ok(capability) } else { Err(refused()) }
    }

    /// Whether it opens this action at this path. A prefix ends where a segment ends.
    pub fn opens(&self, action: &str, path: &str) -> bool {
        let below = path.strip_prefix(self.resource.as_str());
        let whole = |rest: &str| rest.is_empty() || rest.starts_with('/') || self.resource.ends_with('/');
        self.actions.iter().any(|named| named == action) && below.is_some_and(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capability(holder: &SigningKey) -> Capability {
        let issued = Timestamp::from_unix(1_780_000_000);
        Capability {
            by: SigningKey::from_seed([3; 32]).did(),
            holder: holder.did(),
            actions: vec!["listDonors".to_owned()],
            resource: "/v1/donors".to_owned(),
            issued,
            expires: issued.plus_seconds(3_600),
        }
    }

    #[test]
    fn it_counts_for_its_holder_in_its_time_and_under_the_biobanks_name() {
        let [biobank, holder, other] = [1, 2, 4].map(|seed| SigningKey::from_seed([seed; 32]));
        let said = capability(&holder);
        let read = |text: &str, caller: &SigningKey, at| Capability::read(text, &biobank.did(), &caller.did(), at);
        let signed = said.sign(&biobank).unwrap();
        assert_eq!(read(&signed, &holder, said.issued).unwrap(), said);
        assert!(read(&signed, &other, said.issued).is_err(), "not for another key");
        assert!(read(&signed, &holder, said.expires).is_err(), "not when it is over");
        assert!(read(&signed, &holder, said.issued.plus_seconds(-1)).is_err(), "not before");
        assert!(read(&said.sign(&holder).unwrap(), &holder, said.issued).is_err(), "nobody makes their own");
        let other_kind = sign_jws(&biobank, "account.v1+jws", &to_canonical(&said).unwrap());
        assert!(read(&other_kind, &holder, said.issued).is_err(), "another message is none");
        let long = Capability { expires: said.issued.plus_seconds(MAX_CAPABILITY_AGE + 1), ..said.clone() };
        assert!(read(&long.sign(&biobank).unwrap(), &holder, said.issued).is_err(), "not for more than a day");
        for at in 0..signed.len() {
            let mut bent = signed.clone().into_bytes();
            bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
            assert!(read(&String::from_utf8(bent).unwrap(), &holder, said.issued).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_prefix_ends_where_a_segment_ends() {
        let holder = SigningKey::from_seed([2; 32]);
        let study = Capability { resource: "/v1/studies/heart".to_owned(), ..capability(&holder) };
        for (path, opened) in [
            ("/v1/studies/heart", true),
            ("/v1/studies/heart/participants", true),
            ("/v1/studies/heart-rhythm/participants", false),
            ("/v1/studies", false),
            ("/v1/studies/%68eart", false),
        ] {
            assert_eq!(study.opens("listDonors", path), opened, "{path}");
        }
        assert!(!study.opens("invite", "/v1/studies/heart"), "only what it names");
        let all = Capability { resource: "/".to_owned(), ..study };
        assert!(all.opens("listDonors", "/v1/donors"));
    }
}
