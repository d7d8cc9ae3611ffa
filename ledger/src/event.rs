//! What institutions and keys say to a log: everything beside the donors' own acts. One structure a kind; its members
//! are those of the payload, in canonical JSON.

mod access;
mod consents;
mod label;
mod people;
mod proof;
mod samples;
mod studies;

pub use access::{AccessDecision, AccessGrant, AccessRequest, AccessUse};
pub use consents::{Asking, Cause, Ending, KeyRebinding, KeyRotation};
pub use label::Label;
pub use people::{InstitutionKey, LogKeyChange, MemberChange, Role};
pub use proof::{approve_rebinding, prove_institution_key, prove_study_key};
pub use samples::{SampleEvent, SampleStep};
pub use studies::{Anchor, PolicyVersion, Snapshot, StudyVersion};

use crate::entry::{EntryError, MAX_ENTRY};
use consent::Timestamp;
use identity::parse_strict;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// One row a kind that an institution or a key says: variant, structure, `typ`.
macro_rules! institution_events {
    ($($(#[$doc:meta])* $variant:ident($content:ident) = $typ:literal;)*) => {
        /// What an entry says that is no act of a donor.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum InstitutionEvent { $($(#[$doc])* $variant($content),)* }

        impl InstitutionEvent {
            /// The `typ` of each kind, in the order of this type.
            pub const TYPES: &'static [&'static str] = &[$($typ,)*];

            /// The `typ` header of this kind.
            pub fn typ(&self) -> &'static str {
                match self { $(Self::$variant(_) => $typ,)* }
            }

            /// When it was said.
            pub fn time(&self) -> Timestamp {
                match self { $(Self::$variant(content) => content.time,)* }
            }

            /// The canonical JSON (RFC 8785).
            pub fn payload(&self) -> Vec<u8> {
                match self { $(Self::$variant(content) => canonical(content),)* }
            }

            /// Reads the payload of a `typ`, and takes only the one spelling that `payload` writes. The signatures inside
            /// are still to be checked.
            pub(crate) fn parse(typ: &str, payload: &[u8]) -> Result<Self, EntryError> {
                match typ {
                    $($typ => Ok(Self::$variant(read(payload)?)),)*
                    _ => Err(EntryError::Kind),
                }
            }
        }
    };
}

institution_events! {
    /// Somebody joins or leaves.
    Member(MemberChange) = "member.v1+jws";
    /// The institution's new key.
    InstitutionKey(InstitutionKey) = "institution-key.v1+jws";
    /// The log's new key.
    LogKey(LogKeyChange) = "log-key-change.v1+jws";
    /// A study's version.
    Study(StudyVersion) = "study.v1+jws";
    /// A policy's version.
    Policy(PolicyVersion) = "policy.v1+jws";
    /// The end of a consent that the donor did not choose.
    Ending(Ending) = "consent-end.v1+jws";
    /// The institution asks again.
    Asking(Asking) = "consent-ask.v1+jws";
    /// A donor's new key, said with the old one.
    KeyRotation(KeyRotation) = "key-rotate.v1+jws";
    /// A donor's new key, said by two members of staff.
    KeyRebinding(KeyRebinding) = "key-rebind.v1+jws";
    /// A researcher asks.
    AccessRequest(AccessRequest) = "access-request.v1+jws";
    /// A committee answers.
    AccessDecision(AccessDecision) = "access-decision.v1+jws";
    /// The institution lets somebody use data.
    AccessGrant(AccessGrant) = "access-grant.v1+jws";
    /// Data were used.
    AccessUse(AccessUse) = "access-use.v1+jws";
    /// The life of a sample.
    Sample(SampleEvent) = "sample.v1+jws";
    /// A set of live pseudonyms.
    Snapshot(Snapshot) = "snapshot.v1+jws";
    /// A checkpoint is kept elsewhere.
    Anchor(Anchor) = "anchor.v1+jws";
}

fn canonical(content: &impl Serialize) -> Vec<u8> {
    // Texts, codes and whole numbers always have a canonical form; numbers that not every reader understands alike are
    // refused when it is read.
    identity::to_canonical(content).unwrap_or_default()
}

fn read<T: DeserializeOwned + Serialize>(payload: &[u8]) -> Result<T, EntryError> {
    // The strict reader keeps out numbers above 2^53 and members that are named twice.
    let members = parse_strict(payload, MAX_ENTRY, 1).map_err(|_| EntryError::Content)?;
    let content: T = serde_json::from_value(members).map_err(|_| EntryError::Content)?;
    if canonical(&content) == payload { Ok(content) } else { Err(EntryError::Content) }
}
