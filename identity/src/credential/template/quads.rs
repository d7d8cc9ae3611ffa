//! Statements of a graph, and their one order and naming (RDFC-1.0) where it can be told at first sight.

use sha2::{Digest, Sha256};
use std::ops::Range;

/// A node without a name, by number.
pub(super) type Blank = u16;

/// What stands at one place of a statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'t> {
    Blank(Blank),
    /// Of the table, as N-Quads writes it.
    Fixed(&'t str),
    /// Of the document, as N-Quads writes it: a range of [`Quads::text`].
    Made(u32, u32),
}

struct Quad<'t> {
    subject: Part<'t>,
    predicate: &'t str,
    object: Part<'t>,
    graph: Option<Blank>,
}

/// The statements of one document.
#[derive(Default)]
pub(super) struct Quads<'t> {
    text: String,
    quads: Vec<Quad<'t>>,
    blanks: Blank,
}

/// More nodes without a name, or more text, than any document of ours that the checks let in; the general path is
/// for the rest.
const MOST_BLANKS: Blank = 4096;
const MOST_TEXT: usize = 1 << 24;

impl<'t> Quads<'t> {
    /// A new node without a name.
    pub(super) fn blank(&mut self) -> Option<Blank> {
        self.blanks += 1;
        (self.blanks <= MOST_BLANKS).then_some(self.blanks - 1)
    }

    /// Writes a part; `write` appends it and says whether it could.
    pub(super) fn made(&mut self, write: impl FnOnce(&mut String) -> bool) -> Option<Part<'t>> {
        let from = self.text.len();
        let is_written = write(&mut self.text) && self.text.len() <= MOST_TEXT;
        let range = (u32::try_from(from).ok()?, u32::try_from(self.text.len()).ok()?);
        is_written.then_some(Part::Made(range.0, range.1))
    }

    pub(super) fn push(&mut self, subject: Part<'t>, predicate: &'t str, object: Part<'t>, graph: Option<Blank>) {
        self.quads.push(Quad { subject, predicate, object, graph });
    }

    pub(super) fn len(&self) -> usize {
        self.quads.len()
    }

    /// The canonical form. `None` where two nodes have the same first-degree hash, or a statement stands twice: both
    /// need more thought than is worth it here.
    pub(super) fn canonical(&self) -> Option<Lines> {
        let labels = self.labels()?;
        let label = |blank: Blank, text: &mut String| match labels.get(usize::from(blank)) {
            Some(label) => text.push_str(label),
            None => text.push_str("_:?"),
        };
        let mut lines = Lines::with_room(self.quads.len(), self.text.len() + 96 * self.quads.len());
        self.quads.iter().for_each(|quad| lines.add(|text| self.line(quad, label, text)));
        lines.sort();
        (!lines.has_repetition()).then_some(lines)
    }

    /// The canonical name of each node without one: they are numbered in the order of their first-degree hashes.
    fn labels(&self) -> Option<Vec<String>> {
        // A single one needs no order.
        if self.blanks == 1 {
            return Some(vec!["_:c14n0".to_owned()]);
        }
        let mut mentions = vec![Vec::new(); usize::from(self.blanks)];
        for quad in &self.quads {
            for blank in quad.blanks() {
                mentions.get_mut(usize::from(blank))?.push(quad);
            }
        }
        let mut lines = Lines::with_room(64, 1 << 13);
        let mut order: Vec<([u8; 32], usize)> = Vec::with_capacity(mentions.len());
        for (number, quads) in mentions.iter().enumerate() {
            let label = |blank: Blank, text: &mut String| {
                text.push_str(if usize::from(blank) == number { "_:a" } else { "_:z" })
            };
            lines.clear();
            quads.iter().for_each(|quad| lines.add(|text| self.line(quad, label, text)));
            lines.sort();
            order.push((lines.sha256(), number));
        }
        // Lower-case hex sorts as the bytes do.
        order.sort_unstable();
        if order.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return None;
        }
        let mut labels = vec![String::new(); order.len()];
        for (place, (_, number)) in order.iter().enumerate() {
            *labels.get_mut(*number)? = format!("_:c14n{place}");
        }
        Some(labels)
    }

    fn line(&self, quad: &Quad<'_>, label: impl Fn(Blank, &mut String), out: &mut String) {
        let part = |part: Part<'_>, out: &mut String| match part {
            Part::Blank(blank) => label(blank, out),
            Part::Fixed(text) => out.push_str(text),
            Part::Made(from, to) => out.push_str(&self.text[from as usize..to as usize]),
        };
        part(quad.subject, out);
        out.push(' ');
        out.push_str(quad.predicate);
        out.push(' ');
        part(quad.object, out);
        if let Some(graph) = quad.graph {
            out.push(' ');
            label(graph, out);
        }
        out.push_str(" .\n");
    }
}

impl Quad<'_> {
    /// The nodes without a name that it mentions; never one of them twice, as we make no such statement.
    fn blanks(&self) -> impl Iterator<Item = Blank> {
        let blank = |part| match part {
            Part::Blank(blank) => Some(blank),
            _ => None,
        };
        [blank(self.subject), blank(self.object), self.graph].into_iter().flatten()
    }
}

/// Lines of N-Quads in one piece of memory, and their order.
pub(super) struct Lines {
    text: String,
    order: Vec<Range<usize>>,
}

impl Lines {
    fn with_room(lines: usize, text: usize) -> Self {
        Self { text: String::with_capacity(text), order: Vec::with_capacity(lines) }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.order.clear();
    }

    fn add(&mut self, write: impl FnOnce(&mut String)) {
        let from = self.text.len();
        write(&mut self.text);
        self.order.push(from..self.text.len());
    }

    /// Bytes of UTF-8 sort as code points do.
    fn sort(&mut self) {
        let text = self.text.as_bytes();
        self.order.sort_unstable_by(|a, b| text[a.clone()].cmp(&text[b.clone()]));
    }

    fn has_repetition(&self) -> bool {
        self.order.windows(2).any(|pair| self.text[pair[0].clone()] == self.text[pair[1].clone()])
    }

    /// SHA-256 of the lines in their order.
    pub(super) fn sha256(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        self.order.iter().for_each(|line| hash.update(&self.text.as_bytes()[line.clone()]));
        hash.finalize().into()
    }

    /// The lines in their order.
    pub(super) fn to_text(&self) -> String {
        self.order.iter().map(|line| &self.text[line.clone()]).collect()
    }
}
