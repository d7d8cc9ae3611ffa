//! The mailbox: sealed letters that the biobank carries and can not read.

use super::{Desk, DeskError, PAGE, SUBJECTS, Step, each_row, write};
use crate::code;
use crate::tables::Table;
use consent::Timestamp;
use identity::Did;
use serde::{Deserialize, Serialize};

/// `<receiver>\n<time>\n<id>` -> `Letter`.
pub(crate) const MAILBOX: Table = Table("mailbox");
/// How long a letter waits, in seconds.
pub(crate) const MAILBOX_AGE: i64 = 30 * 86_400;
/// How many letters of one sender wait for one receiver at most: nobody fills a mailbox for the others.
const LETTERS_A_SENDER: usize = 16;
/// How many bytes of letters are handed out at once; the rest comes when those are taken.
const LETTERS_AT_ONCE: usize = 2 << 20;

/// A sealed message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Letter {
    /// Its id.
    pub id: String,
    /// The sealed bytes (base64).
    pub sealed: String,
    /// Who left it.
    pub from: Did,
    /// When it came.
    pub at: Timestamp,
}

impl Desk {
    /// Leaves a letter. Letters that waited too long make room.
    pub fn post(&self, from: &Did, to: &Did, sealed: String, now: Timestamp) -> Result<Step<String>, DeskError> {
        let letter = Letter { id: code::make_nonce()?, sealed, from: from.clone(), at: now };
        let key = format!("{to}\n{}\n{}", letter.at, letter.id);
        self.change(|rows| {
            let (mut of_sender, mut too_old) = (0, Vec::new());
            each_row(
                &of_receiver(to),
                |span| rows.range(MAILBOX, span, PAGE),
                |waiting, bytes| {
                    let before: Letter = serde_json::from_slice(&bytes)?;
                    if before.at.plus_seconds(MAILBOX_AGE) <= now {
                        too_old.push(waiting);
                    } else if waiting != key {
                        of_sender += usize::from(before.from == letter.from);
                    }
                    Ok(true)
                },
            )?;
            for waiting in too_old {
                rows.remove(MAILBOX, &waiting)?;
            }
            if of_sender >= LETTERS_A_SENDER {
                return Ok(Step::Full);
            }
            write(rows, MAILBOX, &key, &letter)?;
            Ok(Step::Done(letter.id.clone()))
        })
    }

    /// The letters for a receiver, oldest first.
    pub fn letters(&self, to: &Did) -> Result<Vec<Letter>, DeskError> {
        let (mut letters, mut size) = (Vec::new(), 0);
        each_row(
            &of_receiver(to),
            |span| self.tables.range(MAILBOX, span, PAGE),
            |_, bytes| {
                size += bytes.len();
                let fits = size <= LETTERS_AT_ONCE;
                if fits {
                    letters.push(serde_json::from_slice(&bytes)?);
                }
                Ok(fits)
            },
        )?;
        Ok(letters)
    }

    /// Whether letters wait for this DID, or for a study key of this donor.
    pub fn has_letters(&self, did: &Did) -> Result<bool, DeskError> {
        let mut receivers = vec![did.to_string()];
        each_row(
            &of_receiver(did),
            |span| self.tables.range(SUBJECTS, span, PAGE),
            |_, key| {
                receivers.extend(String::from_utf8(key));
                Ok(true)
            },
        )?;
        for receiver in receivers {
            let (from, to) = (format!("{receiver}\n"), format!("{receiver}\u{b}"));
            if !self.tables.range(MAILBOX, (&from, Some(&to)), 1)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes a letter out of the receiver's mailbox.
    pub fn take(&self, to: &Did, id: &str) -> Result<(), DeskError> {
        self.change(|rows| {
            let mut taken = Vec::new();
            each_row(
                &of_receiver(to),
                |span| rows.range(MAILBOX, span, PAGE),
                |key, _| {
                    if key.rsplit('\n').next() == Some(id) {
                        taken.push(key);
                    }
                    Ok(true)
                },
            )?;
            for key in taken {
                rows.remove(MAILBOX, &key)?;
            }
            Ok(())
        })
    }
}

/// The keys of one receiver's letters: a DID never holds a line break, and `\u{b}` follows it.
fn of_receiver(to: &Did) -> (String, Option<String>) {
    (format!("{to}\n"), Some(format!("{to}\u{b}")))
}
