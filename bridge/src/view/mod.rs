//! What the screens show, one file a role.

mod participant;
mod researcher;
mod session;
mod staff;

pub use participant::*;
pub use researcher::*;
pub use session::*;
pub use staff::*;
