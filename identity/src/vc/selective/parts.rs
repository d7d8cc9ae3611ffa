//! The statements of a document in an order and under labels that tell nothing of what is left out (vc-di-ecdsa,
//! section 3.4, and vc-di-bbs, section 3.3).

use super::names::{Named, nameless};
use super::pointer::select;
use crate::vc::jsonld::statements;
use crate::vc::rdf::Quad;
use crate::vc::rdfc::{canonical_order, sorted_lines};
use crate::vc::suite::Hash;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;
use std::collections::BTreeSet;

/// How many statements a document may make that is to be disclosed in parts: each costs a signature or a point.
pub(super) const MAX_STATEMENTS: usize = 2_000;

/// The label of a blank node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    /// The HMAC of its canonical label: `ecdsa-sd-2023`.
    Hmac([u8; 32]),
    /// Its rank among the HMACs, which has fewer bits to recognise it by: `bbs-2023`.
    Rank(u32),
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    Hmac,
    Rank,
}

impl Label {
    fn text(self) -> String {
        match self {
            Self::Hmac(mac) => format!("_:{}", multibase(&mac)),
            Self::Rank(rank) => format!("_:b{rank}"),
        }
    }
}

fn multibase(bytes: &[u8]) -> String {
    format!("u{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

impl Labels {
    /// The labels for `c14n0`, `c14n1` and so on.
    fn make(self, key: &[u8; 32], count: usize) -> Result<Vec<Label>, String> {
        let mac = |number: usize| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|error| error.to_string())?;
            mac.update(format!("c14n{number}").as_bytes());
            Ok(mac.finalize().into_bytes().into())
        };
        let macs: Vec<[u8; 32]> = (0..count).map(mac).collect::<Result<_, String>>()?;
        if self == Self::Hmac {
            return Ok(macs.into_iter().map(Label::Hmac).collect());
        }
        // The order is that of the texts, which is not the one of the bytes.
        let texts: Vec<String> = macs.iter().map(|mac| multibase(mac)).collect();
        let mut sorted: Vec<&String> = texts.iter().collect();
        sorted.sort_unstable();
        let rank = |text| sorted.binary_search(&text).unwrap_or_default() as u32;
        Ok(texts.iter().map(|text| Label::Rank(rank(text))).collect())
    }
}

/// A whole document, ready to be disclosed in parts.
pub(super) struct Parts {
    named: Named,
    /// The label of each blank node, by its number.
    labels: Vec<Option<Label>>,
    /// The statements under their labels, in order.
    pub(super) lines: Vec<String>,
}

/// Some of the statements of a document.
#[derive(Default)]
pub(super) struct Chosen {
    /// Their places among the lines.
    pub(super) places: BTreeSet<usize>,
    quads: Vec<Quad>,
}

impl Parts {
    pub(super) fn of(document: &Map<String, Value>, labels: Labels, key: &[u8; 32]) -> Result<Self, String> {
        let named = Named::of(document)?;
        let (quads, whole) = (nameless(&named.document)?, statements(&Value::Object(document.clone()))?);
        let order = order(&quads, named.names)?;
        if quads.len() > MAX_STATEMENTS {
            return Err(format!("more than {MAX_STATEMENTS} statements"));
        }
        if under_canonical(&quads, &order, named.names)
            != under_canonical(&whole.quads, &self::order(&whole.quads, whole.blanks)?, whole.blanks)
        {
            return Err("the parts of the document can not be named without changing it".to_owned());
        }
        let mut by_number = vec![None; named.names];
        for (blank, label) in order.iter().zip(labels.make(key, order.len())?) {
            by_number[*blank as usize] = Some(label);
        }
        let mut parts = Self { named, labels: by_number, lines: Vec::new() };
        parts.lines = sorted_lines(&quads, &|blank| parts.label(blank));
        Ok(parts)
    }

    fn label(&self, blank: u32) -> String {
        self.labels.get(blank as usize).copied().flatten().map(Label::text).unwrap_or_default()
    }

    /// The statements of what the pointers choose.
    pub(super) fn choose<P: AsRef<str>>(&self, pointers: &[P]) -> Result<Chosen, String> {
        let Some(selection) = select(&self.named.document, pointers)? else { return Ok(Chosen::default()) };
        let quads = nameless(&selection)?;
        let place = |quad: &Quad| {
            let line = quad.line(&|blank| self.label(blank));
            self.lines.binary_search(&line).map_err(|_| "a part would say something else without the rest".to_owned())
        };
        Ok(Chosen { places: quads.iter().map(place).collect::<Result<_, _>>()?, quads })
    }

    /// The labels for the canonical labels that somebody sees who has nothing but these statements.
    pub(super) fn labels_of(&self, chosen: &Chosen) -> Result<Vec<Label>, String> {
        let order = order(&chosen.quads, self.named.names)?;
        let label = |blank: u32| self.labels.get(blank as usize).copied().flatten();
        order.into_iter().map(label).collect::<Option<_>>().ok_or_else(|| "a thing has no label".to_owned())
    }
}

fn order(quads: &[Quad], blanks: usize) -> Result<Vec<u32>, String> {
    canonical_order(quads, blanks, Hash::Sha256).map_err(|error| error.to_string())
}

fn under_canonical(quads: &[Quad], order: &[u32], blanks: usize) -> Vec<String> {
    let mut places = vec![0; blanks];
    for (place, blank) in order.iter().enumerate() {
        places[*blank as usize] = place;
    }
    sorted_lines(quads, &|blank| format!("_:c14n{}", places[blank as usize]))
}

/// The statements of what was disclosed under labels that were given for its canonical ones.
pub(super) fn relabelled(document: &Map<String, Value>, labels: &[Label]) -> Result<Vec<String>, String> {
    let statements = statements(&Value::Object(document.clone()))?;
    let order = order(&statements.quads, statements.blanks)?;
    if order.len() != labels.len() {
        return Err("the labels are not those of what was disclosed".to_owned());
    }
    let mut texts = vec![String::new(); statements.blanks];
    for (blank, label) in order.iter().zip(labels) {
        texts[*blank as usize] = label.text();
    }
    Ok(sorted_lines(&statements.quads, &|blank| texts[blank as usize].clone()))
}

/// Lines at some places, and the others. The places go up, and each is there.
pub(super) fn divide(lines: Vec<String>, places: &[usize]) -> Result<(Vec<String>, Vec<String>), String> {
    if places.last().is_some_and(|last| *last >= lines.len()) {
        return Err("a mandatory statement is not there".to_owned());
    }
    let (mut at, mut others) = (Vec::with_capacity(places.len()), Vec::new());
    for (place, line) in lines.into_iter().enumerate() {
        if places.binary_search(&place).is_ok() { at.push(line) } else { others.push(line) }
    }
    Ok((at, others))
}
