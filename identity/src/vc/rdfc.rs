//! RDF Dataset Canonicalization (RDFC-1.0), with a bound on its work.
//!
//! Graphs can be made whose blank nodes look alike from everywhere; telling them apart takes time that grows with the
//! factorial of their number. The libraries that were looked at have no bound for that, hence an own one.

use super::rdf::{Quad, Term};
use super::suite::Hash;
use std::collections::{BTreeMap, HashMap};

/// How many steps the search for an order of look-alike blank nodes may take.
const MAX_STEPS: usize = 50_000;
/// How deep the search may go.
const MAX_DEPTH: usize = 200;

/// A graph that takes more work than is given to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many blank nodes that look alike")]
pub(super) struct TooMuchWork;

type Blank = u32;

/// Gives out labels in the order in which they are asked for.
#[derive(Clone)]
struct Issuer {
    prefix: &'static str,
    labels: HashMap<Blank, usize>,
    order: Vec<Blank>,
}

impl Issuer {
    fn new(prefix: &'static str) -> Self {
        Self { prefix, labels: HashMap::new(), order: Vec::new() }
    }

    fn get(&self, blank: Blank) -> Option<String> {
        self.labels.get(&blank).map(|number| format!("_:{}{number}", self.prefix))
    }

    fn issue(&mut self, blank: Blank) -> String {
        let next = self.order.len();
        let number = *self.labels.entry(blank).or_insert(next);
        if number == next {
            self.order.push(blank);
        }
        format!("_:{}{number}", self.prefix)
    }
}

struct Search<'a> {
    quads: &'a [Quad],
    /// The quads that name each blank node.
    mentions: Vec<Vec<usize>>,
    /// The hash of what surrounds each blank node directly.
    first: Vec<String>,
    hash: Hash,
    canonical: Issuer,
    steps: usize,
}

/// The canonical N-Quads of a data set, whose blank nodes are numbered below `blanks`.
pub(super) fn canonicalize(quads: &[Quad], blanks: usize, hash: Hash) -> Result<String, TooMuchWork> {
    let mut labels = vec![String::new(); blanks];
    for (number, blank) in canonical_order(quads, blanks, hash)?.into_iter().enumerate() {
        labels[blank as usize] = format!("_:c14n{number}");
    }
    Ok(sorted_lines(quads, &|blank| labels[blank as usize].clone()).concat())
}

/// The lines of a data set under some labels, in order, each of them once.
pub(super) fn sorted_lines(quads: &[Quad], label: &impl Fn(Blank) -> String) -> Vec<String> {
    let mut lines: Vec<String> = quads.iter().map(|quad| quad.line(label)).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// The blank nodes that are spoken of, in the order of their canonical labels: the first is `c14n0`.
pub(super) fn canonical_order(quads: &[Quad], blanks: usize, hash: Hash) -> Result<Vec<Blank>, TooMuchWork> {
    let mut mentions = vec![Vec::new(); blanks];
    for (number, quad) in quads.iter().enumerate() {
        for blank in quad.blanks() {
            let list: &mut Vec<usize> = &mut mentions[blank as usize];
            if list.last() != Some(&number) {
                list.push(number);
            }
        }
    }
    let mut search =
        Search { quads, mentions, first: Vec::new(), hash, canonical: Issuer::new("c14n"), steps: MAX_STEPS };
    search.first = (0..blanks as Blank).map(|blank| search.first_degree(blank)).collect();

    let mut alike: BTreeMap<&str, Vec<Blank>> = BTreeMap::new();
    let first = search.first.clone();
    for (blank, hash) in (0..).zip(&first) {
        if !search.mentions[blank as usize].is_empty() {
            alike.entry(hash).or_default().push(blank);
        }
    }
    for blanks in alike.values().filter(|blanks| blanks.len() == 1) {
        search.canonical.issue(blanks[0]);
    }
    for blanks in alike.values().filter(|blanks| blanks.len() > 1) {
        let mut found = Vec::new();
        for blank in blanks {
            if search.canonical.get(*blank).is_none() {
                let mut issuer = Issuer::new("b");
                issuer.issue(*blank);
                found.push(search.n_degree(*blank, issuer, 0)?);
            }
        }
        found.sort_by(|one, other| one.0.cmp(&other.0));
        for (_, issuer) in found {
            for blank in issuer.order {
                search.canonical.issue(blank);
            }
        }
    }
    Ok(search.canonical.order)
}

impl Search<'_> {
    fn digest(&self, text: &str) -> String {
        hex::encode(self.hash.digest(text.as_bytes()))
    }

    fn first_degree(&self, blank: Blank) -> String {
        let label = |other| if other == blank { "_:a".to_owned() } else { "_:z".to_owned() };
        let mut lines: Vec<String> =
            self.mentions[blank as usize].iter().map(|number| self.quads[*number].line(&label)).collect();
        lines.sort_unstable();
        self.digest(&lines.concat())
    }

    fn step(&mut self) -> Result<(), TooMuchWork> {
        self.steps = self.steps.checked_sub(1).ok_or(TooMuchWork)?;
        Ok(())
    }

    fn related(&self, related: Blank, quad: &Quad, issuer: &Issuer, position: char) -> String {
        let mut text = position.to_string();
        if position != 'g' {
            text.push_str(&format!("<{}>", quad.predicate));
        }
        let known = self.canonical.get(related).or_else(|| issuer.get(related));
        text.push_str(known.as_deref().unwrap_or(&self.first[related as usize]));
        self.digest(&text)
    }

    fn n_degree(&mut self, blank: Blank, mut issuer: Issuer, depth: usize) -> Result<(String, Issuer), TooMuchWork> {
        if depth > MAX_DEPTH {
            return Err(TooMuchWork);
        }
        let mut around: BTreeMap<String, Vec<Blank>> = BTreeMap::new();
        for at in 0..self.mentions[blank as usize].len() {
            self.step()?;
            let quad = &self.quads[self.mentions[blank as usize][at]];
            let positions = [(Some(&quad.subject), 's'), (Some(&quad.object), 'o'), (quad.graph.as_ref(), 'g')];
            for (term, position) in positions {
                if let Some(Term::Blank(other)) = term
                    && *other != blank
                {
                    around.entry(self.related(*other, quad, &issuer, position)).or_default().push(*other);
                }
            }
        }
        let mut said = String::new();
        for (hash, mut related) in around {
            said.push_str(&hash);
            let (mut chosen, mut chosen_issuer) = (String::new(), issuer.clone());
            related.sort_unstable();
            loop {
                self.step()?;
                if let Some((path, with)) = self.path(&related, &issuer, &chosen, depth)?
                    && (chosen.is_empty() || path < chosen)
                {
                    (chosen, chosen_issuer) = (path, with);
                }
                if !next_permutation(&mut related) {
                    break;
                }
            }
            said.push_str(&chosen);
            issuer = chosen_issuer;
        }
        Ok((self.digest(&said), issuer))
    }

    /// The path of one order, or nothing if it can not become smaller than the one that was chosen.
    fn path(
        &mut self,
        order: &[Blank],
        issuer: &Issuer,
        chosen: &str,
        depth: usize,
    ) -> Result<Option<(String, Issuer)>, TooMuchWork> {
        let worse = |path: &str| !chosen.is_empty() && path.len() >= chosen.len() && path > chosen;
        let (mut issuer, mut path, mut open) = (issuer.clone(), String::new(), Vec::new());
        for blank in order {
            match self.canonical.get(*blank) {
                Some(label) => path.push_str(&label),
                None => {
                    if issuer.get(*blank).is_none() {
                        open.push(*blank);
                    }
                    path.push_str(&issuer.issue(*blank));
                }
            }
            if worse(&path) {
                return Ok(None);
            }
        }
        for blank in open {
            let (hash, with) = self.n_degree(blank, issuer.clone(), depth + 1)?;
            path.push_str(&issuer.issue(blank));
            path.push_str(&format!("<{hash}>"));
            issuer = with;
            if worse(&path) {
                return Ok(None);
            }
        }
        Ok(Some((path, issuer)))
    }
}

/// Moves to the next order; false after the last one. Equal items are not told apart.
fn next_permutation(items: &mut [Blank]) -> bool {
    let Some(at) = items.windows(2).rposition(|pair| pair[0] < pair[1]) else { return false };
    let Some(other) = items.iter().rposition(|item| *item > items[at]) else { return false };
    items.swap(at, other);
    items[at + 1..].reverse();
    true
}
