#![doc = include_str!("../README.md")]

mod checkpoint;
#[cfg(feature = "client")]
pub mod client;
mod cosignature;
mod entry;
pub mod event;
mod evidence;
mod hash;
mod merkle;
mod mirror;
mod note;
mod policy;
mod prove;
mod receipt;
mod record;
mod rules;
mod snapshot;
mod state;
mod subtree;
mod succession;
mod tile;
pub mod uses;
mod witness;

pub use checkpoint::{Checkpoint, CheckpointError, LogKey, SignedCheckpoint};
pub use cosignature::{Algorithm, CosignedCheckpoint, Cosigner, CosignerKey};
pub use entry::{
    Act, CHANGE_TYPE, ConsentEntry, ConsentEvent, Entry, EntryError, Event, GRANT_TYPE, Given, MAX_ENTRY, RESUME_TYPE,
    SUSPEND_TYPE, WITHDRAW_TYPE, commit_notice, commit_subject,
};
pub use evidence::{Evidence, EvidenceError, MAX_EVIDENCE_BYTES, Verdict};
pub use hash::{EntryHash, Hash, HashError, leaf_hash, node_hash};
pub use merkle::{Frontier, ProofError, verify_consistency, verify_inclusion};
pub use mirror::{
    AddEntries, BadUpload, ENTRIES_CONTENT_TYPE, EntryPackage, INFO_CONTENT_TYPE, MAX_PACKAGES, MAX_UPLOAD_BYTES,
    Mirror, MirrorAnswer, MirrorInfo, MirrorReply, Mirrored, PackageRange, Target, UploadReader, package_ranges,
};
pub use note::{MAX_NOTE_BYTES, MAX_SIGNATURES, NoteError, NoteKey, NoteSignature, SignedNote, VerifierKey};
pub use policy::{
    CLOCK_TOLERANCE, MAX_POLICY_BYTES, MAX_POLICY_ITEMS, Pending, PolicyError, PolicyTextError, Quorum, Standing,
    TrustPolicy, TrustedLog, TrustedWitness, Vote,
};
pub use prove::{
    ProveError, consistency_proof, consistency_tiles, inclusion_proof, inclusion_tiles, root_from_tiles,
    roots_from_tiles,
};
pub use receipt::{Included, MAX_RECEIPT_BYTES, Receipt, ReceiptError};
pub use record::{
    AccessRecord, AnchorRecord, AuthorityRecord, GrantRecord, InstitutionWord, Key, MemberRecord, PolicyRecord, Record,
    RequestRecord, SampleRecord, SnapshotRecord, StudyRecord, SubjectState, keys_of,
};
pub use rules::{Applied, Effect, MAX_GRANT_SECONDS, Records, Rejected, apply};
pub use snapshot::{
    MAX_SNAPSHOT, MIN_SNAPSHOT, Presence, ProvenLeaf, Pseudonym, PseudonymKey, PseudonymProof, SetProof, SnapshotError,
    SnapshotSet, padded_size,
};
pub use state::{Batch, State, empty_state_hash, next_state_hash};
pub use subtree::{subtree_proof, subtree_tiles, verify_subtree};
pub use succession::{KeyChange, Keys, Next, Succession, follow};
pub use tile::{
    BundleId, MAX_BUNDLE_BYTES, MAX_ENTRY_BYTES, MAX_TILE_BYTES, TILE_WIDTH, TileEdge, TileError, TileId,
    append_to_bundle, tile_bytes,
};
pub use witness::{
    AddCheckpoint, Answer, Fork, LINES_CONTENT_TYPE, MAX_ADD_CHECKPOINT_BYTES, MAX_PROOF_LINES, Refusal,
    SIZE_CONTENT_TYPE, Update, Witness, Witnessed, origin_hash,
};
