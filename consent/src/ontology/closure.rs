//! From parents to all ancestors.

use super::{Lists, TermIndex};

/// How many entries may be gathered on the way. MONDO needs half a million; a file made to exhaust memory, such as a
/// chain of a million terms, stops here.
const MOST_WORK: usize = 50_000_000;

/// Why there is no closure.
pub(super) enum Problem {
    TooLarge,
    /// A term that is its own ancestor.
    Cycle(TermIndex),
}

/// All ancestors of each term but itself, sorted.
pub(super) fn ancestors(parents: &Lists) -> Result<Lists, Problem> {
    let mut all = Lists { spans: vec![0..0; parents.spans.len()], pool: Vec::new() };
    let mut gathered = Vec::new();
    let mut work = 0;
    for term in parents_first(parents)? {
        gathered.clear();
        for parent in parents.of(term) {
            gathered.extend_from_slice(all.of(*parent));
            gathered.push(*parent);
            if work + gathered.len() > MOST_WORK {
                return Err(Problem::TooLarge);
            }
        }
        work += gathered.len();
        gathered.sort_unstable();
        gathered.dedup();
        let start = all.pool.len() as u32;
        all.pool.extend_from_slice(&gathered);
        all.spans[term.at()] = start..all.pool.len() as u32;
    }
    Ok(all)
}

/// The terms in an order in which each comes after its parents. Not recursive: a chain may be as long as the file.
fn parents_first(parents: &Lists) -> Result<Vec<TermIndex>, Problem> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        Open,
        Done,
    }
    let count = parents.spans.len();
    let mut seen = vec![Seen::No; count];
    let mut order = Vec::with_capacity(count);
    // The way from a term upwards, each with how many of its parents were looked at.
    let mut way: Vec<(TermIndex, usize)> = Vec::new();
    for start in (0..count as u32).map(TermIndex) {
        if seen[start.at()] == Seen::No {
            seen[start.at()] = Seen::Open;
            way.push((start, 0));
        }
        while let Some((term, looked_at)) = way.last_mut() {
            let term = *term;
            let Some(parent) = parents.of(term).get(*looked_at).copied() else {
                seen[term.at()] = Seen::Done;
                order.push(term);
                way.pop();
                continue;
            };
            *looked_at += 1;
            match seen[parent.at()] {
                Seen::No => {
                    seen[parent.at()] = Seen::Open;
                    way.push((parent, 0));
                }
                Seen::Open => return Err(Problem::Cycle(parent)),
                Seen::Done => {}
            }
        }
    }
    Ok(order)
}
