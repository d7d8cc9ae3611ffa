//! A disease hierarchy: which disease is a kind of which, and what people call them.
//!
//! The hierarchy decides whether a study of one disease is covered by a consent for another, so it fails closed: an id
//! that it does not know is [`Found::Unknown`], never "close enough", and an is-a link whose parent is missing is left
//! out ([`Ontology::dropped_links`]) - fewer links can only mean fewer permits.
//!
//! The table of all ancestors is worked out once, when the hierarchy is read. [`Ontology::find`] and
//! [`Ontology::is_a`] are binary searches in it and allocate nothing.

mod closure;
mod draft;
mod error;
mod key;
#[cfg(feature = "mondo")]
mod mondo;
mod obo;
mod read;
mod search;
mod tsv;
mod words;

pub use error::OntologyError;
pub use search::Hit;

use key::Key;
use search::Index;
use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

/// The number of a live term inside one ontology. It means nothing in another one, nor in another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TermIndex(u32);

impl TermIndex {
    fn at(self) -> usize {
        self.0 as usize
    }
}

/// What an id stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A term in use.
    Live(TermIndex),
    /// A term that was withdrawn, with the live one that replaces it where the source names exactly one.
    Deprecated(Option<TermIndex>),
    /// No term of this ontology in this version.
    Unknown,
}

/// An is-a link that was left out, because its parent is not a live term of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedLink {
    /// The line of the file, counted from 1.
    pub line: usize,
    /// The parent as the file names it.
    pub parent: String,
}

/// A disease hierarchy: terms with one prefix (`MONDO`, `DOID`), their is-a links and their names.
pub struct Ontology {
    prefix: String,
    version: String,
    /// Sorted; the place of a key is the number of its term.
    live: Vec<Key>,
    /// Sorted by key.
    deprecated: Vec<(Key, Option<TermIndex>)>,
    parents: Lists,
    /// All ancestors of each term but itself, sorted.
    ancestors: Lists,
    /// Every name, one after the other.
    text: String,
    /// Where each name lies in `text`.
    spans: Vec<Range<u32>>,
    /// The names of each term as places in `spans`, the label first.
    names: Vec<Range<u32>>,
    dropped: Vec<DroppedLink>,
    /// Made by the first search: who only decides does not pay for it.
    index: OnceLock<Index>,
}

/// One list of terms for each term.
#[derive(Default)]
struct Lists {
    spans: Vec<Range<u32>>,
    pool: Vec<TermIndex>,
}

impl Lists {
    fn of(&self, term: TermIndex) -> &[TermIndex] {
        let span = self.spans.get(term.at()).cloned().unwrap_or_default();
        self.pool.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

impl Ontology {
    /// The prefix of its terms: `MONDO`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The version: `2026-05-05`. For a file the release in its `data-version`, else its `date`, else `crc32-` and the
    /// checksum of its unpacked text: enough to see that two sites use different files, no proof against forgery.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How many live terms there are.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Whether there is no live term at all.
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Every live term, in the order of their ids.
    pub fn terms(&self) -> impl Iterator<Item = TermIndex> + use<> {
        (0..self.live.len() as u32).map(TermIndex)
    }

    /// What an id stands for: `MONDO:0005015` or `http://purl.obolibrary.org/obo/MONDO_0005015`, exactly as the source
    /// writes it. Allocates nothing.
    pub fn find(&self, curie: &str) -> Found {
        let Some(key) = self.local_part(curie).and_then(Key::new) else { return Found::Unknown };
        if let Ok(place) = self.live.binary_search(&key) {
            return Found::Live(TermIndex(place as u32));
        }
        match self.deprecated.binary_search_by_key(&key, |(dead, _)| *dead) {
            Ok(place) => Found::Deprecated(self.deprecated.get(place).and_then(|(_, heir)| *heir)),
            Err(_) => Found::Unknown,
        }
    }

    fn local_part<'a>(&self, curie: &'a str) -> Option<&'a str> {
        let iri = curie.strip_prefix("http://purl.obolibrary.org/obo/");
        let (rest, mark) = iri.map_or((curie, ':'), |rest| (rest, '_'));
        rest.strip_prefix(self.prefix.as_str())?.strip_prefix(mark)
    }

    /// Whether a term is the ancestor or a kind of it, over any number of links. Allocates nothing. A number that is
    /// not of this ontology is a kind of nothing.
    pub fn is_a(&self, term: TermIndex, ancestor: TermIndex) -> bool {
        if term == ancestor { term.at() < self.len() } else { self.ancestors.of(term).binary_search(&ancestor).is_ok() }
    }

    /// The terms that it is a kind of, by one link.
    pub fn parents(&self, term: TermIndex) -> &[TermIndex] {
        self.parents.of(term)
    }

    /// The name of a term. Empty if the number is not of this ontology.
    pub fn label(&self, term: TermIndex) -> &str {
        self.names_of(term).next().unwrap_or_default()
    }

    /// Its other names.
    pub fn synonyms(&self, term: TermIndex) -> impl Iterator<Item = &str> {
        self.names_of(term).skip(1)
    }

    fn names_of(&self, term: TermIndex) -> impl Iterator<Item = &str> {
        self.names.get(term.at()).cloned().unwrap_or_default().map(|name| self.name(name))
    }

    fn name(&self, name: u32) -> &str {
        let span = self.spans.get(name as usize).cloned().unwrap_or_default();
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// The id of a term: `MONDO:0005015`. Empty if the number is not of this ontology.
    pub fn curie(&self, term: TermIndex) -> String {
        self.live.get(term.at()).map(|key| format!("{}:{key}", self.prefix)).unwrap_or_default()
    }

    /// Terms by name or synonym, best first. Each word of the query is the beginning of a word of the name, in any
    /// order; case, accents and punctuation do not matter. An id finds its term. Only the first 200 characters and
    /// 12 words of a query are looked at.
    ///
    /// The first search also sorts all words, which takes longer than the others together; a screen can have that
    /// behind it by searching for nothing before anybody types.
    pub fn search(&self, query: &str, limit: usize) -> Vec<Hit> {
        search::search(self, self.index.get_or_init(|| Index::new(self)), query, limit)
    }

    /// The is-a links of the file that were left out, at most the first thousand.
    pub fn dropped_links(&self) -> &[DroppedLink] {
        &self.dropped
    }

    /// Reads the OBO form (1.2 to 1.4): ids, names, synonyms (but those marked as broader than the term), is-a links,
    /// obsolete terms with their replacement, and the ids of merged terms (`alt_id`), which count as deprecated.
    ///
    /// The most frequent prefix is the ontology's own. Terms and parents with another one are imports and ignored.
    pub fn from_obo(text: &str) -> Result<Self, OntologyError> {
        obo::parse(text)?.assemble()
    }

    /// Reads a table with the columns `id`, `label` and `subClassOf`, separated by tabs, each cell in quotes or not.
    /// The parent is named by its label. A term with several parents has a row for each.
    ///
    /// In the Disease Ontology's own table the root `disease` has no row: it becomes `DOID:4`. Any other label without
    /// a row is a dropped link; one that several terms share cannot be a parent and is an error.
    pub fn from_tsv(text: &str) -> Result<Self, OntologyError> {
        tsv::parse(text)?.assemble()
    }

    /// Reads either form, plain or packed with gzip, and at most 64 MB of text. Takes bytes from anywhere.
    pub fn read(bytes: &[u8]) -> Result<Self, OntologyError> {
        read::read(bytes)
    }

    /// MONDO 2026-05-05, which is part of the program; unpacked once, by the first who asks. Should the table not
    /// decode, which a test rules out, it is empty, so that every disease is unknown and a matter for review.
    #[cfg(feature = "mondo")]
    pub fn mondo() -> &'static Self {
        static MONDO: OnceLock<Ontology> = OnceLock::new();
        MONDO.get_or_init(|| mondo::embedded().unwrap_or_else(|| Self::nothing(mondo::PREFIX, mondo::VERSION)))
    }

    #[cfg(feature = "mondo")]
    fn nothing(prefix: &str, version: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            version: version.to_owned(),
            live: Vec::new(),
            deprecated: Vec::new(),
            parents: Lists::default(),
            ancestors: Lists::default(),
            text: String::new(),
            spans: Vec::new(),
            names: Vec::new(),
            dropped: Vec::new(),
            index: OnceLock::new(),
        }
    }
}

/// Which one it is and how large; the terms themselves would fill pages.
impl fmt::Debug for Ontology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ontology")
            .field("prefix", &self.prefix)
            .field("version", &self.version)
            .field("terms", &self.len())
            .finish_non_exhaustive()
    }
}
