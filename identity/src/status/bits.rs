//! The bits of a status list, and their packed form.

use super::StatusError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::bufread::{GzDecoder, ZlibDecoder};
use flate2::write::GzEncoder;
use std::io::{BufRead, Read, Write};

/// The fewest entries of a list: one among fewer says too much about whom it is (Bitstring Status List, section 6.1).
pub const MIN_ENTRIES: usize = 131_072;
/// The longest list that is unpacked, in bytes.
pub const MAX_UNPACKED: usize = 8 << 20;
/// The most bits of an entry.
pub(super) const MAX_SIZE: u8 = 8;

/// The bits of a Bitstring Status List: entries of 1 to 8 bits, the first in the highest bits of the first byte.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusBits {
    bytes: Vec<u8>,
    size: u8,
}

impl StatusBits {
    /// A list of the smallest length that is allowed, where every entry is 0. `None` if an entry has no or too many bits.
    pub fn new(size: u8) -> Option<Self> {
        let fits = (1..=MAX_SIZE).contains(&size);
        fits.then(|| Self { bytes: vec![0; MIN_ENTRIES / 8 * usize::from(size)], size })
    }

    /// The bits in their unpacked form, as they are kept on a disk.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes bits in their unpacked form.
    pub fn from_bytes(bytes: Vec<u8>, size: u8) -> Result<Self, StatusError> {
        let bits = Self { bytes, size };
        if !(1..=MAX_SIZE).contains(&size) {
            return Err(StatusError::Malformed("an entry has 1 to 8 bits"));
        }
        if bits.len() < MIN_ENTRIES { Err(StatusError::Length) } else { Ok(bits) }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.bytes.len() * 8 / usize::from(self.size)
    }

    /// A list always has entries.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The value of an entry; `None` beyond the end.
    pub fn get(&self, index: u64) -> Option<u8> {
        let bits = self.places(index)?;
        Some(bits.fold(0, |value, bit| value << 1 | (self.bytes[bit / 8] >> (7 - bit % 8) & 1)))
    }

    /// Sets an entry. `None` beyond the end, or if the value has more bits than an entry.
    pub fn set(&mut self, index: u64, value: u8) -> Option<()> {
        let bits = self.places(index)?;
        if u32::from(self.size) < u8::BITS && value >> self.size != 0 {
            return None;
        }
        for (shift, bit) in (0..self.size).rev().zip(bits) {
            let mask = 1 << (7 - bit % 8);
            if value >> shift & 1 == 1 { self.bytes[bit / 8] |= mask } else { self.bytes[bit / 8] &= !mask }
        }
        Some(())
    }

    fn places(&self, index: u64) -> Option<std::ops::Range<usize>> {
        let index = usize::try_from(index).ok().filter(|index| *index < self.len())?;
        let first = index * usize::from(self.size);
        Some(first..first + usize::from(self.size))
    }

    /// The packed form: GZIP in multibase (section 3.3).
    pub fn encode(&self) -> Result<String, StatusError> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        let packed = packer.write_all(&self.bytes).and_then(|()| packer.finish());
        packed.map(|bytes| format!("u{}", URL_SAFE_NO_PAD.encode(bytes))).map_err(|_| StatusError::Packed)
    }

    /// Reads the packed form, without ever unpacking more than [`MAX_UNPACKED`] bytes (section 3.4).
    pub fn decode(text: &str, size: u8) -> Result<Self, StatusError> {
        let packed = text.strip_prefix('u').and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let packed = packed.ok_or(StatusError::Malformed("encodedList is not base64url in multibase"))?;
        let mut reader = GzDecoder::new(&packed[..]);
        let bytes = unpack(&mut reader)?;
        ended(reader.into_inner())?;
        Self::from_bytes(bytes, size)
    }
}

impl std::fmt::Debug for StatusBits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StatusBits({} entries of {} bits)", self.len(), self.size)
    }
}

/// The entry of a Token Status List: the first in the lowest bits of the first byte (section 4.1).
pub(super) fn token_entry(packed: &str, bits: u8, index: u64) -> Result<u8, StatusError> {
    let packed = URL_SAFE_NO_PAD.decode(packed).map_err(|_| StatusError::Malformed("lst is not base64url"))?;
    let mut reader = ZlibDecoder::new(&packed[..]);
    let bytes = unpack(&mut reader)?;
    ended(reader.into_inner())?;
    let per_byte = u64::from(8 / bits);
    let byte = usize::try_from(index / per_byte).ok().and_then(|place| bytes.get(place)).ok_or(StatusError::Range)?;
    let shift = (index % per_byte) as u32 * u32::from(bits);
    Ok(byte >> shift & (u8::MAX >> (8 - bits)))
}

fn unpack(reader: &mut impl Read) -> Result<Vec<u8>, StatusError> {
    let mut bytes = Vec::new();
    reader.take(MAX_UNPACKED as u64 + 1).read_to_end(&mut bytes).map_err(|_| StatusError::Packed)?;
    if bytes.len() > MAX_UNPACKED { Err(StatusError::TooLong) } else { Ok(bytes) }
}

/// Nothing stands behind what was unpacked.
fn ended(mut rest: impl BufRead) -> Result<(), StatusError> {
    if rest.fill_buf().is_ok_and(<[u8]>::is_empty) { Ok(()) } else { Err(StatusError::Packed) }
}
