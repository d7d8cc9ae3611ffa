//! The OBO flat file form.

use super::draft::Draft;
use super::key::Key;
use super::{OntologyError, read};
use std::borrow::Cow;
use std::collections::HashMap;

/// A term as it stands in the file.
#[derive(Default)]
struct Stanza<'a> {
    line: usize,
    id: &'a str,
    name: Cow<'a, str>,
    synonyms: Vec<Cow<'a, str>>,
    parents: Vec<(usize, &'a str)>,
    obsolete: bool,
    replaced_by: Vec<&'a str>,
    merged: Vec<&'a str>,
}

pub(super) fn parse(text: &str) -> Result<Draft, OntologyError> {
    let (version, stanzas) = stanzas(text)?;
    let prefix = read::own_prefix(stanzas.iter().map(|stanza| stanza.id)).ok_or(OntologyError::Empty)?;
    let mut draft = Draft::new(prefix, &version.unwrap_or_else(|| read::checksum(text)));
    let local = |id: &str| id.strip_prefix(prefix)?.strip_prefix(':').and_then(Key::new);
    let is_own = |id: &str| id.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(':'));

    let mut places: HashMap<Key, u32> = HashMap::new();
    let mut live: Vec<&Stanza> = Vec::new();
    let mut dead: HashMap<Key, &Stanza> = HashMap::new();
    for stanza in stanzas.iter().filter(|stanza| is_own(stanza.id)) {
        let what = "the part of the id after its prefix has 1 to 16 letters, digits, dots or dashes";
        let key = local(stanza.id).ok_or(OntologyError::Malformed { line: stanza.line, what })?;
        if stanza.obsolete {
            if dead.insert(key, stanza).is_some() || places.contains_key(&key) {
                return Err(OntologyError::Duplicate { line: stanza.line, id: stanza.id.to_owned() });
            }
            continue;
        }
        if places.insert(key, draft.terms.len() as u32).is_some() || dead.contains_key(&key) {
            return Err(OntologyError::Duplicate { line: stanza.line, id: stanza.id.to_owned() });
        }
        // A term without a name is still a term: its id stands in.
        let name = if stanza.name.is_empty() { stanza.id } else { &*stanza.name };
        let others = stanza.synonyms.iter().map(|synonym| &**synonym).filter(|synonym| *synonym != name);
        draft.add(stanza.line, key, std::iter::once(name).chain(others))?;
        live.push(stanza);
    }

    for (place, stanza) in live.iter().enumerate() {
        for (line, parent) in stanza.parents.iter().filter(|(_, parent)| is_own(parent)) {
            match local(parent).and_then(|key| places.get(&key)) {
                Some(parent) => draft.terms[place].parents.push(*parent),
                None => draft.drop_link(*line, parent),
            }
        }
    }

    // A replacement may itself have been replaced since.
    let heir = |first: &Stanza| {
        let mut at = first;
        for _ in 0..8 {
            let [next] = at.replaced_by.as_slice() else { return None };
            let key = local(next)?;
            match places.get(&key) {
                Some(place) => return Some(*place),
                None => at = dead.get(&key)?,
            }
        }
        None
    };
    let mut deprecated: HashMap<Key, Option<u32>> = dead.iter().map(|(key, stanza)| (*key, heir(stanza))).collect();
    for (place, stanza) in live.iter().enumerate() {
        for key in stanza.merged.iter().filter_map(|id| local(id)) {
            // Merged into two terms: nobody can say which one is meant.
            let merged_into = Some(place as u32);
            deprecated
                .entry(key)
                .and_modify(|known| *known = known.filter(|_| *known == merged_into))
                .or_insert(merged_into);
        }
    }
    draft.deprecated = deprecated.into_iter().collect();
    Ok(draft)
}

/// The version and the terms of a file.
fn stanzas(text: &str) -> Result<(Option<String>, Vec<Stanza<'_>>), OntologyError> {
    let (mut version, mut date) = (None, None);
    let mut terms: Vec<Stanza> = Vec::new();
    let (mut in_head, mut in_term) = (true, false);
    for (at, line) in text.lines().enumerate() {
        let (number, line) = (at + 1, line.trim());
        if line.starts_with('[') {
            in_head = false;
            in_term = line == "[Term]";
            if in_term {
                terms.push(Stanza { line: number, ..Stanza::default() });
            }
            continue;
        }
        let Some((tag, value)) = line.split_once(':').filter(|_| !line.starts_with('!')) else { continue };
        let value = value.trim();
        if in_head {
            match tag {
                "data-version" => version = Some(release(value)),
                "date" => date = Some(value.to_owned()),
                _ => {}
            }
        } else if in_term && let Some(term) = terms.last_mut() {
            term.take(number, tag, value)?;
        }
    }
    if let Some(term) = terms.iter().find(|term| term.id.is_empty()) {
        return Err(OntologyError::Malformed { line: term.line, what: "the term has no id" });
    }
    Ok((version.or(date).filter(|found| !found.is_empty() && found.len() <= 100), terms))
}

impl<'a> Stanza<'a> {
    fn take(&mut self, line: usize, tag: &str, value: &'a str) -> Result<(), OntologyError> {
        // After an id may stand qualifiers and a comment.
        let word = value.split_whitespace().next().unwrap_or_default();
        match tag {
            "id" if self.id.is_empty() => self.id = word,
            "id" => return Err(OntologyError::Malformed { line, what: "the term has a second id" }),
            "name" => self.name = unescape(before_comment(value)),
            "synonym" => {
                let what = "the synonym is not in quotes";
                let (name, rest) = quoted(value).ok_or(OntologyError::Malformed { line, what })?;
                // A broader word is the name of something else: whoever types it does not mean this term.
                if rest.split_whitespace().next() != Some("BROAD") {
                    self.synonyms.push(unescape(name.trim()));
                }
            }
            "is_a" => self.parents.push((line, word)),
            "is_obsolete" => self.obsolete = word == "true",
            "replaced_by" => self.replaced_by.push(word),
            "alt_id" => self.merged.push(word),
            _ => {}
        }
        Ok(())
    }
}

/// The release in a data version: `releases/2026-05-05/doid.obo` is `2026-05-05`.
fn release(value: &str) -> String {
    let value = value.split_once("releases/").map_or(value, |(_, rest)| rest.split('/').next().unwrap_or(rest));
    value.to_owned()
}

fn before_comment(value: &str) -> &str {
    value.split_once(" !").map_or(value, |(name, _)| name.trim_end())
}

/// What stands between the first quote and the next one that is not escaped, and what follows.
fn quoted(value: &str) -> Option<(&str, &str)> {
    let inner = value.strip_prefix('"')?;
    let mut escaped = false;
    let end = inner.find(|c| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    })?;
    Some((inner.get(..end)?, inner.get(end + 1..)?))
}

fn unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return value.into();
    }
    let mut plain = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                // Names are one line, whatever the file wants.
                Some('n' | 't' | 'W') | None => plain.push(' '),
                Some(other) => plain.push(other),
            },
            (c, false) => plain.push(c),
        }
    }
    plain.into()
}
