#![doc = include_str!("../README.md")]

mod checkpoint;
#[cfg(feature = "client")]
pub mod client;
mod entry;
pub mod event;
mod hash;
mod merkle;
mod note;
mod prove;
mod receipt;
mod record;
mod rules;
mod state;
mod tile;

pub use checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
pub use entry::{
    Act, CHANGE_TYPE, ConsentEntry, ConsentEvent, Entry, EntryError, Event, GRANT_TYPE, Given, MAX_ENTRY, RESUME_TYPE,
    SUSPEND_TYPE, WITHDRAW_TYPE, commit_notice, commit_subject,
};
pub use hash::{EntryHash, Hash, HashError, leaf_hash, node_hash};
pub use merkle::{Frontier, ProofError, verify_consistency, verify_inclusion};
pub use note::{MAX_NOTE_BYTES, NoteError, NoteKey, SignedNote, VerifierKey};
pub use prove::{
    ProveError, consistency_proof, consistency_tiles, inclusion_proof, inclusion_tiles, root_from_tiles,
    roots_from_tiles,
};
pub use receipt::{Included, MAX_RECEIPT_BYTES, Receipt, ReceiptError};
pub use record::{
    AccessRecord, AnchorRecord, AuthorityRecord, GrantRecord, Key, MemberRecord, PolicyRecord, Record, RequestRecord,
    SampleRecord, SnapshotRecord, StudyRecord, SubjectState, keys_of,
};
pub use rules::{Applied, Effect, MAX_GRANT_SECONDS, Records, Rejected, apply};
pub use state::{Batch, State, empty_state_hash, next_state_hash};
pub use tile::{
    BundleId, MAX_BUNDLE_BYTES, MAX_ENTRY_BYTES, MAX_TILE_BYTES, TILE_WIDTH, TileEdge, TileError, TileId,
    append_to_bundle, tile_bytes,
};
