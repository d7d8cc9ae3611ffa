//! From bytes of unknown form to a hierarchy.

use super::{Ontology, OntologyError};
use flate2::read::MultiGzDecoder;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::Read;

/// Of unpacked text. The largest public disease hierarchy with all its definitions stays below.
const MOST_BYTES: usize = 64_000_000;

pub(super) fn read(bytes: &[u8]) -> Result<Ontology, OntologyError> {
    let unpacked;
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        unpacked = unpack(bytes)?;
        &unpacked
    } else {
        bytes
    };
    if bytes.len() > MOST_BYTES {
        return Err(OntologyError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| OntologyError::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // An OBO file begins with its header, or with a comment or a stanza where it has none; a table with its columns.
    if text.lines().next().is_some_and(|line| line.contains('\t')) {
        Ontology::from_tsv(text)
    } else if text.lines().any(|line| line.trim_end() == "[Term]") {
        Ontology::from_obo(text)
    } else {
        Err(OntologyError::UnknownForm)
    }
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, OntologyError> {
    let mut text = Vec::new();
    // One more than allowed, so that the caller sees that there is too much.
    let mut reader = MultiGzDecoder::new(bytes).take(MOST_BYTES as u64 + 1);
    reader.read_to_end(&mut text).map_err(|_| OntologyError::Unpack)?;
    Ok(text)
}

/// The version of a file that does not name one.
pub(super) fn checksum(text: &str) -> String {
    let mut crc = flate2::Crc::new();
    crc.update(text.as_bytes());
    format!("crc32-{:08x}", crc.sum())
}

/// The prefix of the ontology itself among those of the imports: the most frequent one, the first of equals.
pub(super) fn own_prefix<'a>(ids: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut counts: HashMap<&str, (usize, Reverse<usize>)> = HashMap::new();
    for (place, id) in ids.enumerate() {
        if let Some((prefix, _)) = id.split_once(':') {
            counts.entry(prefix).or_insert((0, Reverse(place))).0 += 1;
        }
    }
    counts.into_iter().max_by_key(|(_, rank)| *rank).map(|(prefix, _)| prefix)
}
