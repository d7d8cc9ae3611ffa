//! What went wrong, as a code that a screen can act on.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// One row a code: variant, and the name that travels and keys the Fluent pair `err-…`, `rec-…`.
macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal,)*) => {
        /// Why a command failed. A code exists only where the screen behaves or speaks differently.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* #[serde(rename = $name)] $code,)* }

        impl Code {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$code,)*];

            /// The name that travels: `offline` for `err-offline`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }
        }
    };
}

codes! {
    /// The server did not answer.
    Offline = "offline",
    /// The server answered with something that this version does not understand, or refused without a reason.
    ServerRefused = "server-refused",
    /// Too many tries in a short time.
    TooManyTries = "too-many-tries",
    /// The keychain service is not running.
    KeychainAbsent = "keychain-absent",
    /// The keychain is locked, or the unlock question was dismissed.
    KeychainLocked = "keychain-locked",
    /// The marker says that a wallet exists, but the keychain holds no key for it.
    KeyMissing = "key-missing",
    /// The keychain holds a key that belongs to another wallet.
    KeyForeign = "key-foreign",
    /// The text is not an invitation.
    InvitationUnreadable = "invitation-unreadable",
    /// The text holds no link that the wallet knows.
    LinkUnreadable = "link-unreadable",
    /// No such invitation at this biobank.
    InvitationUnknown = "invitation-unknown",
    /// The invitation was used before.
    InvitationUsed = "invitation-used",
    /// The invitation is too old.
    InvitationExpired = "invitation-expired",
    /// The address is not one that the wallet may talk to (https, or this machine).
    AddressNotAllowed = "address-not-allowed",
    /// The credential, request or answer did not pass the checks; `check` names the first that failed.
    NotValid = "not-valid",
    /// The record went back or tells two stories; `size` and `seen` tell the sizes.
    LogForked = "log-forked",
    /// Nothing was chosen.
    NothingChosen = "nothing-chosen",
    /// Nothing in the wallet fits what is asked for.
    NothingFits = "nothing-fits",
    /// The step is not possible in the present state.
    NotPossible = "not-possible",
    /// The study changed its request while the person was answering.
    RequestChanged = "request-changed",
    /// The study is not known here.
    StudyUnknown = "study-unknown",
    /// The file is not a proof of consent.
    ProofUnreadable = "proof-unreadable",
    /// The file holds no answers that can be read.
    ImportUnreadable = "import-unreadable",
    /// The file is larger than allowed.
    TooLarge = "too-large",
    /// The profile is not connected to a biobank.
    NotConnected = "not-connected",
    /// The one-time code of staff or researchers is wrong or used.
    CodeWrong = "code-wrong",
    /// Reading or writing the wallet's own files failed.
    Storage = "storage",
    /// The wallet holds entries of a version that this program can not read.
    WalletTooOld = "wallet-too-old",
    /// The wallet is open in another window.
    AlreadyOpen = "already-open",
    /// Something that should not happen.
    Internal = "internal",
}

/// What a screen gets instead of its view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure.
    pub code: Code,
    /// Gaps in its sentences.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
}

impl Failure {
    /// A failure without gaps.
    pub fn new(code: Code) -> Self {
        Self { code, args: BTreeMap::new() }
    }

    /// Fills one gap.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.args.insert(name.to_owned(), value.into());
        self
    }
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name())?;
        self.args.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

impl std::error::Error for Failure {}
