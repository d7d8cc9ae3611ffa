//! Terms by name: an inverted index over the words of labels and synonyms.
//!
//! A word of the query stands for all words that begin with it, which are neighbours in the sorted list of words. The
//! rarest word of the query gives the candidates, so the work is bounded by the number of terms whatever is typed.

use super::words::words;
use super::{Found, Ontology, TermIndex};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;

const LONGEST_QUERY: usize = 200;
/// Fits the bits of [`Score`]'s mask, and no disease is asked for in more words.
const MOST_WORDS: usize = 12;
/// Words that name no disease: "cancer of the lung" is lung cancer. Not "a", which does: hepatitis A.
const FILLERS: [&str; 10] = ["and", "by", "for", "in", "my", "of", "or", "the", "to", "with"];

/// A term that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The term.
    pub term: TermIndex,
    /// Its id.
    pub curie: String,
    /// Its name.
    pub label: String,
    /// The synonym that matched, if it was not the name.
    pub synonym: Option<String>,
}

/// The words of all names.
pub(super) struct Index {
    /// Every word once, sorted, one after the other.
    text: String,
    words: Vec<Range<u32>>,
    /// For each word the terms that have it in a name, sorted.
    terms: Vec<u32>,
    term_spans: Vec<Range<u32>>,
    /// For each name its words, in order.
    name_words: Vec<u32>,
    name_spans: Vec<Range<u32>>,
    /// For each term how many kinds of it there are, as the power of two.
    breadth: Vec<u32>,
}

impl Index {
    pub(super) fn new(ontology: &Ontology) -> Self {
        let mut seen: HashMap<Box<str>, u32> = HashMap::new();
        let (mut name_words, mut name_spans) = (Vec::new(), Vec::with_capacity(ontology.spans.len()));
        for name in 0..ontology.spans.len() as u32 {
            let start = name_words.len() as u32;
            words(ontology.name(name), |word| {
                if FILLERS.contains(&word) {
                    return;
                }
                let next = seen.len() as u32;
                let number = seen.get(word).copied().unwrap_or_else(|| *seen.entry(word.into()).or_insert(next));
                name_words.push(number);
            });
            name_spans.push(start..name_words.len() as u32);
        }

        let mut sorted: Vec<(Box<str>, u32)> = seen.into_iter().collect();
        sorted.sort_unstable();
        let mut rank = vec![0; sorted.len()];
        let (mut text, mut spans) = (String::new(), Vec::with_capacity(sorted.len()));
        for (place, (word, number)) in sorted.iter().enumerate() {
            rank[*number as usize] = place as u32;
            let start = text.len() as u32;
            text.push_str(word);
            spans.push(start..text.len() as u32);
        }
        for word in &mut name_words {
            *word = rank[*word as usize];
        }

        let mut of_word: Vec<Vec<u32>> = vec![Vec::new(); spans.len()];
        for (term, names) in ontology.names.iter().enumerate() {
            for name in names.clone() {
                let span = name_spans.get(name as usize).cloned().unwrap_or_default();
                for word in &name_words[span.start as usize..span.end as usize] {
                    let terms = &mut of_word[*word as usize];
                    if terms.last() != Some(&(term as u32)) {
                        terms.push(term as u32);
                    }
                }
            }
        }
        let (mut terms, mut term_spans) = (Vec::new(), Vec::with_capacity(of_word.len()));
        for list in of_word {
            let start = terms.len() as u32;
            terms.extend(list);
            term_spans.push(start..terms.len() as u32);
        }
        let mut kinds = vec![1_u32; ontology.len()];
        for ancestor in &ontology.ancestors.pool {
            if let Some(count) = kinds.get_mut(ancestor.at()) {
                *count += 1;
            }
        }
        let breadth = kinds.into_iter().map(u32::ilog2).collect();
        Self { text, words: spans, terms, term_spans, name_words, name_spans, breadth }
    }

    fn word(&self, span: &Range<u32>) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// What a word of a query stands for.
    fn wanted(&self, typed: &str) -> Wanted {
        let from = self.words.partition_point(|span| self.word(span) < typed);
        let count = self.words[from..].partition_point(|span| self.word(span).starts_with(typed));
        let whole = self.words.get(from).is_some_and(|span| self.word(span) == typed);
        match typed.strip_suffix('s') {
            // "melanomas": a plural that no name has.
            Some(one) if count == 0 && one.len() > 3 => self.wanted(one),
            _ => Wanted { words: from as u32..(from + count) as u32, whole },
        }
    }

    /// The terms with a word in a range, some of them several times.
    fn terms_with(&self, wanted: &Wanted) -> &[u32] {
        let spans = self.term_spans.get(wanted.words.start as usize..wanted.words.end as usize).unwrap_or_default();
        match (spans.first(), spans.last()) {
            (Some(first), Some(last)) => self.terms.get(first.start as usize..last.end as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    fn words_of(&self, name: u32) -> &[u32] {
        let span = self.name_spans.get(name as usize).cloned().unwrap_or_default();
        self.name_words.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

/// A word of the query: the words that begin with it, and whether the first of them is the word itself.
struct Wanted {
    words: Range<u32>,
    whole: bool,
}

impl Wanted {
    fn fits(&self, word: u32) -> bool {
        self.words.contains(&word)
    }

    fn is(&self, word: u32) -> bool {
        self.whole && self.words.start == word
    }
}

/// How well a term matches; the smallest is the best.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    kind: Kind,
    /// Words of the query that are only the beginning of a word of the name.
    unfinished: usize,
    /// What has many kinds is meant more often than what has few, "kidney disorder" more than "kidney lipoma".
    breadth: Reverse<u32>,
    length: usize,
    term: u32,
    name: u32,
}

/// In which way a name matches, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Label,
    Synonym,
    /// The same words in another order.
    LabelTurned,
    SynonymTurned,
    LabelBegins,
    SynonymBegins,
    LabelHasAll,
    SynonymHasAll,
    /// Only the names together have all words.
    Together,
}

pub(super) fn search(ontology: &Ontology, index: &Index, query: &str, limit: usize) -> Vec<Hit> {
    let end = query.char_indices().nth(LONGEST_QUERY).map_or(query.len(), |(at, _)| at);
    let query = query.get(..end).unwrap_or_default().trim();
    if let Found::Live(term) = ontology.find(query) {
        let hit = Hit { term, curie: ontology.curie(term), label: ontology.label(term).to_owned(), synonym: None };
        return if limit == 0 { Vec::new() } else { vec![hit] };
    }
    let mut typed: Vec<String> = Vec::new();
    words(query, |word| {
        if typed.len() < MOST_WORDS {
            typed.push(word.to_owned());
        }
    });
    // One alone may be the beginning of a name: "in" of "influenza".
    if typed.len() > 1 {
        typed.retain(|word| !FILLERS.contains(&word.as_str()));
    }
    let mut scores = matches(ontology, index, &typed);
    if scores.len() > limit && limit > 0 {
        scores.select_nth_unstable(limit - 1);
    }
    scores.truncate(limit);
    scores.sort_unstable();
    scores.into_iter().map(|score| hit(ontology, &score)).collect()
}

fn hit(ontology: &Ontology, score: &Score) -> Hit {
    let term = TermIndex(score.term);
    let is_label = ontology.names.get(term.at()).is_some_and(|names| names.start == score.name);
    let synonym = (!is_label).then(|| ontology.name(score.name).to_owned());
    Hit { term, curie: ontology.curie(term), label: ontology.label(term).to_owned(), synonym }
}

fn matches(ontology: &Ontology, index: &Index, typed: &[String]) -> Vec<Score> {
    let wanted: Vec<Wanted> = typed.iter().map(|word| index.wanted(word)).collect();
    let Some(rarest) = wanted.iter().min_by_key(|one| index.terms_with(one).len()) else { return Vec::new() };
    let mut looked_at = vec![false; ontology.len()];
    let mut scores = Vec::new();
    for term in index.terms_with(rarest) {
        if let Some(seen) = looked_at.get_mut(*term as usize)
            && !std::mem::replace(seen, true)
        {
            scores.extend(score(ontology, index, &wanted, *term));
        }
    }
    scores
}

/// The best score over the names of a term.
fn score(ontology: &Ontology, index: &Index, wanted: &[Wanted], term: u32) -> Option<Score> {
    let names = ontology.names.get(term as usize)?.clone();
    let breadth = Reverse(index.breadth.get(term as usize).copied().unwrap_or_default());
    let mut best: Option<Score> = None;
    let (mut together, mut label_has) = (0_u16, 0_u16);
    // The name with the most words that the label lacks, to show where the match comes from.
    let mut telling = (0, Reverse(names.start));
    for name in names.clone() {
        let words = index.words_of(name);
        let is_label = name == names.start;
        let (mut has, mut finished) = (0_u16, 0);
        for (place, one) in wanted.iter().enumerate() {
            if words.iter().any(|word| one.is(*word)) {
                finished += 1;
                has |= 1 << place;
            } else if words.iter().any(|word| one.fits(*word)) {
                has |= 1 << place;
            }
        }
        if is_label {
            label_has = has;
        }
        together |= has;
        telling = telling.max(((has & !label_has).count_ones(), Reverse(name)));
        if has.count_ones() as usize != wanted.len() {
            continue;
        }
        let begins = words.len() >= wanted.len() && wanted.iter().zip(words).all(|(one, word)| one.fits(*word));
        let equal = words.len() == wanted.len() && wanted.iter().zip(words).all(|(one, word)| one.is(*word));
        let turned = words.len() == wanted.len() && finished == wanted.len();
        let kinds = if equal {
            (Kind::Label, Kind::Synonym)
        } else if turned {
            (Kind::LabelTurned, Kind::SynonymTurned)
        } else if begins {
            (Kind::LabelBegins, Kind::SynonymBegins)
        } else {
            (Kind::LabelHasAll, Kind::SynonymHasAll)
        };
        let kind = if is_label { kinds.0 } else { kinds.1 };
        let length = ontology.name(name).len();
        let found = Score { kind, unfinished: wanted.len() - finished, breadth, length, term, name };
        best = Some(best.map_or(found, |known| known.min(found)));
    }
    if best.is_none() && together.count_ones() as usize == wanted.len() {
        let Reverse(name) = telling.1;
        let length = ontology.name(names.start).len();
        best = Some(Score { kind: Kind::Together, unfinished: wanted.len(), breadth, length, term, name });
    }
    best
}
