//! MONDO, as it lies in the program. `scripts/mondo` writes the table; `data/README.md` describes its form.

use super::Ontology;
use super::draft::Draft;
use super::key::Key;
use brotli_decompressor::Decompressor;
use std::io::Read;

pub(super) const PREFIX: &str = "MONDO";
pub(super) const VERSION: &str = "2026-05-05";
static TABLE: &[u8] = include_bytes!("../../data/mondo.br");
/// What either half unpacks to at most; it is 2.5 MB now.
const MOST_BYTES: u64 = 16_000_000;

/// The embedded ontology, or nothing if the table is damaged.
pub(super) fn embedded() -> Option<Ontology> {
    decode(TABLE)?.assemble().ok()
}

fn decode(table: &[u8]) -> Option<Draft> {
    let mut rest = table;
    let length = u32::from_le_bytes(*rest.split_off(..4)?.first_chunk()?) as usize;
    let numbers = unpack(rest.split_off(..length)?)?;
    let names = String::from_utf8(unpack(rest)?).ok()?;

    let mut rest = numbers.strip_prefix(format!("{PREFIX}\t{VERSION}\n").as_bytes())?;
    let mut count = || Some(u32::from_le_bytes(*rest.split_off(..4)?.first_chunk()?) as usize);
    let (live, further, dead) = (count()?, count()?, count()?);
    let steps_up = rest.split_off(..live)?;
    let how_many = rest.split_off(..live)?;
    let mut further = rest.split_off(..further.checked_mul(2)?)?.as_chunks::<2>().0.iter();
    let ids = sums(rest.split_off(..live.checked_mul(3)?)?);
    let dead_ids = sums(rest.split_off(..dead.checked_mul(3)?)?);
    let heirs = columns::<2>(rest);

    let mut draft = Draft::new(PREFIX, VERSION);
    let mut lines = names.split('\n');
    // The way from a root down to the last term: the terms are the walk through a tree.
    let mut way: Vec<u32> = Vec::new();
    for (place, ((up, more), id)) in steps_up.iter().zip(how_many).zip(ids).enumerate() {
        draft.add(0, key(id)?, lines.next()?.split('\t')).ok()?;
        way.truncate(way.len().checked_sub(usize::from(*up))?);
        let others = further.by_ref().take(usize::from(*more)).map(|pair| u32::from(u16::from_le_bytes(*pair)));
        draft.terms.last_mut()?.parents = way.last().copied().into_iter().chain(others).collect();
        way.push(place as u32);
    }
    for (id, heir) in dead_ids.zip(heirs) {
        draft.deprecated.push((key(id)?, heir.checked_sub(1)));
    }
    let complete = draft.terms.len() == live && draft.deprecated.len() == dead && lines.next().is_none();
    complete.then_some(draft)
}

fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    Decompressor::new(bytes, 1 << 16).take(MOST_BYTES).read_to_end(&mut plain).ok()?;
    Some(plain)
}

/// MONDO's ids have seven digits.
fn key(id: u32) -> Option<Key> {
    Key::new(&format!("{id:07}"))
}

/// Little-endian numbers of `N` bytes that are stored as all first bytes, then all second bytes, and so on.
fn columns<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let count = bytes.len() / N;
    (0..count)
        .map(move |at| (0..N).rev().fold(0, |sum, k| sum << 8 | bytes.get(k * count + at).map_or(0, |b| u32::from(*b))))
}

/// Numbers of which only the differences are stored, the sign in the lowest bit.
fn sums(bytes: &[u8]) -> impl Iterator<Item = u32> {
    columns::<3>(bytes).scan(0_u32, |last, step| {
        let half = step >> 1;
        *last = if step & 1 == 0 { last.wrapping_add(half) } else { last.wrapping_sub(half + 1) };
        Some(*last)
    })
}

#[cfg(test)]
mod tests {
    use super::{TABLE, decode};

    #[test]
    fn table_is_small_and_complete() {
        assert!(TABLE.len() < 500_000, "{} bytes", TABLE.len());
        assert_eq!(decode(TABLE).expect("it decodes").terms.len(), 27_990);
    }

    #[test]
    fn damage_gives_nothing_or_another_table_but_never_a_panic() {
        for length in [0, 3, 4, 5, 100, 80_000, TABLE.len() - 1] {
            assert!(decode(&TABLE[..length]).is_none(), "cut to {length}");
        }
        for at in (0..TABLE.len()).step_by(TABLE.len() / 40) {
            let mut table = TABLE.to_vec();
            table[at] ^= 0x10;
            if let Some(draft) = decode(&table) {
                let _ = draft.assemble();
            }
        }
    }
}
