#![doc = include_str!("../README.md")]

pub mod alarm;
pub mod answer;
mod app;
pub mod asks;
pub mod check;
pub mod choices;
mod clock;
pub mod connect;
pub mod enrol;
mod event;
pub mod exchange;
mod handover;
mod journal;
mod profile;
pub mod proof;
pub mod quorum;
pub mod receipt;
mod remote;
pub mod research;
pub mod staff;
pub mod statement;
mod stop;
mod story;
pub mod stream;
mod studies;
mod succession;
pub mod sync;
pub mod views;

pub use app::{App, Places};
pub use clock::now;
pub use event::{Ask, Connection, Event};
pub use journal::{Journal, JournalError};
pub use profile::Profile;
pub use remote::Remote;
pub use story::Story;
