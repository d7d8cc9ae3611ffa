#![doc = include_str!("../README.md")]

mod access;
mod biobank;
mod caller;
mod capability;
mod clock;
mod code;
mod demo;
mod desk;
mod door;
pub mod federation;
mod founding;
mod guard;
mod limits;
pub mod log;
mod metrics;
mod postgres;
mod problem;
mod routes;
mod serve;
mod snapshot;
mod stream;
mod sweep;
mod tables;
mod tls;
mod webhook;

pub use biobank::{Institution, StartError};
pub use capability::{CAPABILITY_HEADER, CAPABILITY_TYPE, Capability};
pub use desk::{Account, AccountRole, DeskPlace, move_desk};
pub use door::Connections;
pub use limits::{Allowance, Allowances, Rate, Rates};
pub use postgres::{AddressError, Database, DatabaseAddress, DatabaseError, StoreAddress};
pub use problem::Problem;
pub use routes::{Accepts, ROUTES, Route, Who};
pub use serve::{Network, Options, Running, Times, start};
pub use tls::TlsFiles;
