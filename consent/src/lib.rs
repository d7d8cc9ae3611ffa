#![doc = include_str!("../README.md")]

mod date;
mod decide;
mod lifecycle;
pub mod ontology;
mod policy;
mod purpose;
mod sentence;
mod study;
mod vocabulary;

pub use date::{Date, DateError, Timestamp};
pub use decide::{Decision, Outcome, Reason, decide};
pub use lifecycle::{ConsentState, ImpossibleMove, Move, advance};
pub use policy::{Modifier, Policy, PolicyError};
pub use purpose::{EthicsApproval, Organisation, OrganisationKind, Purpose};
pub use sentence::{Message, rules};
pub use study::{DataOffer, StudyId, StudyIdError, StudyRequest};
pub use vocabulary::{DataKind, Permission, Topic};
