#![doc = include_str!("../README.md")]

mod choices;
mod date;
mod decide;
mod explain;
mod lifecycle;
mod modifier;
pub mod ontology;
mod place;
mod policy;
mod preferences;
mod purpose;
mod reading;
mod sentence;
mod study;
mod terms;
mod validate;
mod vocabulary;
pub mod words;

pub use choices::Choices;
pub use date::{Date, DateError, Timestamp};
#[cfg(feature = "mondo")]
pub use decide::decide;
pub use decide::{Decision, Duty, Matcher, Outcome, Reason, ReasonCode};
pub use explain::{Difference, Direction, Effect, Simulated, Use, explain, simulate, widens};
pub use lifecycle::{
    ConsentState, ImpossibleMove, Life, Move, Passed, PassedOver, Standing, Step, Version, Withdrawal, advance, fold,
};
pub use modifier::{Focus, Modifier};
pub use place::Place;
pub use policy::{Policy, TermSystem};
pub use preferences::Preferences;
pub use purpose::{EthicsApproval, Organisation, Purpose};
pub use sentence::{Message, answers, disease_name, rules};
pub use study::{Choice, DataOffer, StudyId, StudyIdError, StudyRequest};
pub use terms::{ActingFor, Asset, Comprehension, Notice, Terms, WithdrawalTerms};
pub use validate::PolicyError;
pub use vocabulary::{
    Answer, Answers, ContactKind, DataKind, Flag, OWN, OrganisationKind, Permission, Question, ResultKind, Topic,
    Vocabulary,
};
