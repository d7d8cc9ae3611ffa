//! What every form is read into: terms in the order of the file, before anything is checked or sorted.

use super::key::Key;
use super::{DroppedLink, Lists, Ontology, OntologyError, TermIndex, closure};
use std::ops::Range;
use std::sync::OnceLock;

/// More terms than the largest public hierarchy has; a file with more is not one.
const MOST_TERMS: usize = 1_000_000;
/// Chemical names, the longest there are, stay below.
const LONGEST_NAME: usize = 10_000;
const MOST_DROPPED: usize = 1_000;

/// Terms in the order of the file.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) prefix: String,
    pub(super) version: String,
    pub(super) terms: Vec<DraftTerm>,
    /// Deprecated ids, with the place of the replacement in `terms`. The first of several with the same id counts;
    /// one that is also a live term does not.
    pub(super) deprecated: Vec<(Key, Option<u32>)>,
    text: String,
    spans: Vec<Range<u32>>,
    dropped: Vec<DroppedLink>,
}

/// A live term.
pub(super) struct DraftTerm {
    pub(super) key: Key,
    /// Where it stands in the file, for messages.
    pub(super) line: usize,
    /// Places in `spans`.
    names: Range<u32>,
    /// Places in `terms`.
    pub(super) parents: Vec<u32>,
}

impl Draft {
    pub(super) fn new(prefix: &str, version: &str) -> Self {
        Self { prefix: prefix.to_owned(), version: version.to_owned(), ..Self::default() }
    }

    /// Takes a term with its names, the label first.
    pub(super) fn add<'a>(
        &mut self,
        line: usize,
        key: Key,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), OntologyError> {
        if self.terms.len() == MOST_TERMS {
            return Err(OntologyError::TooLarge);
        }
        let first = self.spans.len() as u32;
        for name in names {
            if name.len() > LONGEST_NAME {
                return Err(OntologyError::Malformed { line, what: "the name is longer than 10,000 characters" });
            }
            let start = self.text.len();
            self.text.push_str(name);
            let end = u32::try_from(self.text.len()).map_err(|_| OntologyError::TooLarge)?;
            self.spans.push(start as u32..end);
        }
        let names = first..self.spans.len() as u32;
        self.terms.push(DraftTerm { key, line, names, parents: Vec::new() });
        Ok(())
    }

    /// Notes a link to a parent that is not there.
    pub(super) fn drop_link(&mut self, line: usize, parent: &str) {
        if self.dropped.len() < MOST_DROPPED {
            self.dropped.push(DroppedLink { line, parent: parent.to_owned() });
        }
    }

    /// Sorts by id, finds twins and cycles, and works out all ancestors.
    pub(super) fn assemble(mut self) -> Result<Ontology, OntologyError> {
        if self.terms.is_empty() {
            return Err(OntologyError::Empty);
        }
        let mut order: Vec<u32> = (0..self.terms.len() as u32).collect();
        let term = |place: &u32| &self.terms[*place as usize];
        order.sort_unstable_by_key(|place| (term(place).key, *place));
        for pair in order.windows(2) {
            if let [one, other] = pair
                && term(one).key == term(other).key
            {
                let id = format!("{}:{}", self.prefix, term(one).key);
                return Err(OntologyError::Duplicate { line: term(other).line, id });
            }
        }
        let mut number = vec![TermIndex(0); order.len()];
        for (new, old) in order.iter().enumerate() {
            number[*old as usize] = TermIndex(new as u32);
        }
        let renumber = |place: u32| number.get(place as usize).copied();

        let mut parents = Lists::default();
        for old in &order {
            let start = parents.pool.len();
            parents.pool.extend(term(old).parents.iter().copied().filter_map(renumber));
            // A file may say the same link twice.
            parents.pool[start..].sort_unstable();
            let mut kept = parents.pool.split_off(start);
            kept.dedup();
            parents.pool.append(&mut kept);
            parents.spans.push(start as u32..parents.pool.len() as u32);
        }
        let ancestors = closure::ancestors(&parents).map_err(|problem| match problem {
            closure::Problem::TooLarge => OntologyError::TooLarge,
            closure::Problem::Cycle(at) => {
                let term = term(&order[at.at()]);
                OntologyError::Cycle { line: term.line, id: format!("{}:{}", self.prefix, term.key) }
            }
        })?;

        let live: Vec<Key> = order.iter().map(|old| term(old).key).collect();
        let names = order.iter().map(|old| term(old).names.clone()).collect();
        self.deprecated.sort_by_key(|(key, _)| *key);
        self.deprecated.dedup_by_key(|(key, _)| *key);
        self.deprecated.retain(|(key, _)| live.binary_search(key).is_err());
        let deprecated = self.deprecated.iter().map(|(key, heir)| (*key, heir.and_then(renumber))).collect();
        Ok(Ontology {
            prefix: self.prefix,
            version: self.version,
            live,
            deprecated,
            parents,
            ancestors,
            text: self.text,
            spans: self.spans,
            names,
            dropped: self.dropped,
            index: OnceLock::new(),
        })
    }
}
