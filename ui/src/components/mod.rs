//! Parts that more than one role uses.

mod activity;
mod alarm;
mod answer;
mod button;
mod chip;
mod connect;
mod date;
mod field;
mod frame;
mod icon;
mod page;
mod problem;
mod record;
mod search;
mod search_disease;

pub use activity::ActivityPage;
pub use activity::row as activity_row;
pub use alarm::Alarm;
pub use answer::AnswerField;
pub use button::{Button, Kind};
pub use chip::{Chip, Tone};
pub use connect::Connect;
pub use date::{DateField, Entered};
pub use field::{Field, copy_field, value_of};
pub use frame::{Frame, Place};
pub use icon::{Icon, Shape};
pub use page::{Empty, Loading, Title, loaded, loaded_part};
pub use problem::Problem;
pub use record::Evidence;
pub use search::{Chosen, Item, SearchField};
pub use search_disease::DiseaseSearch;
