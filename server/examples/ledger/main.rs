//! The measurements of `scripts/bench ledger` that need the library itself: a log grown to ten million entries, what it
//! costs to open one, decisions without HTTP, and PostgreSQL alone with the same rows.
//!
//!     ledger grow DIR UPTO        grows DIR/log, a line of CSV at each power of ten
//!     ledger open DIR             opens it once: milliseconds, and the memory that it took
//!     ledger desk DIR N           gives the first N subjects a study key and a policy at the desk
//!     ledger decide DIR N ASKED   decides about so many of them: log, desk and rules, no HTTP and no signature
//!     ledger postgres URL N C     inserts N of the same entries over C connections, one a transaction, then batched
//!
//! DIR is a folder that `biobankd --demo` has made, and that no service runs over.
#![allow(clippy::print_stdout, reason = "a measurement speaks by printing")]

mod grow;
mod people;
mod postgres;

use std::error::Error;
use std::path::Path;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["grow", dir, upto] => grow::grow(Path::new(dir), upto.parse()?).await,
        ["open", dir] => grow::open_once(Path::new(dir)),
        ["desk", dir, count] => people::fill_desk(Path::new(dir), count.parse()?),
        ["decide", dir, count, asked] => people::decide_all(Path::new(dir), count.parse()?, asked.parse()?),
        ["postgres", url, count, connections] => postgres::insert(url, count.parse()?, connections.parse()?).await,
        _ => Err("see the first lines of server/examples/ledger/main.rs".into()),
    }
}
