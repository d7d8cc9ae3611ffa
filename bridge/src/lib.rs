#![doc = include_str!("../README.md")]

mod command;
mod failure;
mod view;

pub use command::*;
pub use failure::{Code, Failure};
pub use view::*;
