//! Parts that more than one role uses.

mod activity;
mod button;
mod chip;
mod connect;
mod field;
mod frame;
mod icon;
mod page;
mod problem;
mod record;

pub use activity::ActivityPage;
pub use activity::row as activity_row;
pub use button::{Button, Kind};
pub use chip::{Chip, Tone};
pub use connect::Connect;
pub use field::{Field, copy_field, value_of};
pub use frame::{Frame, Place};
pub use icon::{Icon, Shape};
pub use page::{Empty, Loading, Title, loaded, loaded_part};
pub use problem::Problem;
pub use record::Evidence;
