#![doc = include_str!("../README.md")]
// A broken property is told by a panic: that is how a fuzzer sees it.
#![allow(clippy::unwrap_used, clippy::panic)]

mod dids;
mod entries;
mod notes;
mod openid;
mod requests;
mod selective;
mod tiles;
mod tokens;
mod witnesses;

pub use dids::{did, trusted};
pub use entries::{entry, kinds, rules};
pub use notes::{checkpoint, note, policy, receipt};
pub use openid::{credential_offer, dcql, request_object};
pub use requests::request;
pub use selective::{proof_value, proof_values};
pub use tiles::{entry_bundle, proof, tile_path};
pub use tokens::{sd_jwt, signer, status, token};
pub use witnesses::{leaf, mirror, root, witness};

use identity::SigningKey;
use ledger::NoteKey;

/// The origin of the log in all inputs that are signed here.
pub const ORIGIN: &str = "biobank.example/log";

/// A key from 32 equal bytes, as in `ledger/FORMAT.md`.
pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

/// The key of the log, as in `ledger/FORMAT.md`.
pub fn log_key() -> NoteKey {
    NoteKey::new(ORIGIN, key(5)).unwrap()
}

/// Cuts a number off the front of an input; zero where nothing is left.
pub(crate) fn number(data: &mut &[u8]) -> u64 {
    let (head, rest) = data.split_at(data.len().min(8));
    *data = rest;
    head.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Cuts one byte off the front of an input; zero where nothing is left.
pub(crate) fn byte(data: &mut &[u8]) -> u8 {
    let (head, rest) = data.split_at(data.len().min(1));
    *data = rest;
    head.first().copied().unwrap_or_default()
}

/// A checkpoint of the tree of [`leaf`]s that the log signed.
pub fn signed(size: u64) -> String {
    witnesses::note(size, root(size))
}
