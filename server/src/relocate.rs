//! `biobankd migrate`: a log and its desk go to another store, and the old log is closed for good.

use crate::operate::{Failure, make_private, read_key, say};
use crate::places::{desk_of, open_store};
use clap::Args;
use server::{DeskMove, DeskPlace, log};
use std::io::{self, Write as _};
use std::path::PathBuf;

/// How to move.
#[derive(Args)]
pub struct Migrate {
    /// Folder of the biobank, for its key.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where the log is: `embedded:DIR` (the folder `log` below that of a biobank) or postgres://USER@HOST/DATABASE.
    #[arg(long, value_name = "STORE")]
    from: String,
    /// Where it goes.
    #[arg(long, value_name = "STORE")]
    to: String,
}

/// Does it. The old log is closed last, so that whatever fails before leaves everything as it was.
pub fn migrate(arguments: &Migrate) -> Result<(), Failure> {
    let key = read_key(&arguments.data)?;
    // The desks first: a log alone serves nobody.
    let (desk, place) = (desk_of(&arguments.from)?, desk_of(&arguments.to)?);
    if let DeskPlace::File(path) = &place
        && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
    {
        make_private(folder)?;
    }
    let desks = DeskMove::open(&desk, &place)?;
    let (from, to) = (open_store(&arguments.from, &key)?, open_store(&arguments.to, &key)?);
    let mut tenth = 0;
    let tip = log::migrate(from.as_ref(), to.as_ref(), &key, |done, size| {
        let now = done * 10 / size.max(1);
        if now > tenth {
            tenth = now;
            let _ = writeln!(io::stderr(), "{done} of {size}");
        }
    })?;
    let rows = desks.copy()?;
    from.retire()?;
    say(format_args!("{} entries, root {}, state {}\n", tip.turn.size, tip.checkpoint.root, tip.state))?;
    say(format_args!("{rows} rows of the desk\n"))?;
    say("the old log opens no more; the old desk is as it was, and holds personal data: delete it when all is well\n")
}
