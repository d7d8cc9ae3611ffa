//! The tab-separated form: id, label, label of the parent.

use super::draft::Draft;
use super::key::Key;
use super::{OntologyError, read};
use std::borrow::Cow;
use std::collections::HashMap;

/// The Disease Ontology's root, which its own table names as a parent but gives no row.
const ROOT: (&str, &str, &str) = ("DOID", "4", "disease");

struct Row<'a> {
    line: usize,
    id: Cow<'a, str>,
    label: Cow<'a, str>,
    parent: Cow<'a, str>,
}

pub(super) fn parse(text: &str) -> Result<Draft, OntologyError> {
    let rows = rows(text)?;
    let prefix = read::own_prefix(rows.iter().map(|row| &*row.id)).ok_or(OntologyError::Empty)?;
    let mut draft = Draft::new(prefix, &read::checksum(text));
    let mut by_id: HashMap<Key, (u32, &str)> = HashMap::new();
    // None where several terms share the label.
    let mut by_label: HashMap<&str, Option<u32>> = HashMap::new();
    let mut links = Vec::new();
    for row in &rows {
        let Some(local) = row.id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(':')) else { continue };
        let what = "the part of the id after its prefix has 1 to 16 letters, digits, dots or dashes";
        let key = Key::new(local).ok_or(OntologyError::Malformed { line: row.line, what })?;
        let place = match by_id.get(&key) {
            Some((place, label)) if *label == row.label => *place,
            Some(_) => return Err(OntologyError::Duplicate { line: row.line, id: row.id.to_string() }),
            None => {
                let place = draft.terms.len() as u32;
                draft.add(row.line, key, [&*row.label])?;
                by_id.insert(key, (place, &row.label));
                by_label.entry(&row.label).and_modify(|known| *known = None).or_insert(Some(place));
                place
            }
        };
        if !row.parent.is_empty() {
            links.push((place, row));
        }
    }
    for (child, row) in links {
        let parent = match by_label.get(&*row.parent) {
            Some(Some(place)) => *place,
            Some(None) => {
                return Err(OntologyError::AmbiguousParent { line: row.line, label: row.parent.to_string() });
            }
            None => match root(&mut draft, &row.parent, row.line, &by_id)? {
                Some(place) => {
                    by_label.insert(ROOT.2, Some(place));
                    place
                }
                None => {
                    draft.drop_link(row.line, &row.parent);
                    continue;
                }
            },
        };
        draft.terms[child as usize].parents.push(parent);
    }
    Ok(draft)
}

/// Makes the root, if that is the parent that has no row.
fn root(
    draft: &mut Draft,
    label: &str,
    line: usize,
    by_id: &HashMap<Key, (u32, &str)>,
) -> Result<Option<u32>, OntologyError> {
    let (prefix, local, name) = ROOT;
    let Some(key) = Key::new(local) else { return Ok(None) };
    if draft.prefix != prefix || label != name || by_id.contains_key(&key) {
        return Ok(None);
    }
    draft.add(line, key, [name])?;
    Ok(Some(draft.terms.len() as u32 - 1))
}

fn rows(text: &str) -> Result<Vec<Row<'_>>, OntologyError> {
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    let (_, head) = lines.next().ok_or(OntologyError::Empty)?;
    let column = |name: &str| head.split('\t').position(|cell| unquote(cell.trim()).eq_ignore_ascii_case(name));
    let (Some(id), Some(label), Some(parent)) = (column("id"), column("label"), column("subClassOf")) else {
        return Err(OntologyError::UnknownForm);
    };
    let mut rows = Vec::new();
    for (line, text) in lines {
        if text.trim().is_empty() {
            continue;
        }
        let cell = |column: usize| text.split('\t').nth(column).map(|cell| unquote(cell.trim()));
        let (Some(id), Some(label)) = (cell(id), cell(label)) else {
            return Err(OntologyError::Malformed { line, what: "a column is missing" });
        };
        if !id.contains(':') || label.is_empty() {
            return Err(OntologyError::Malformed { line, what: "a row has an id with a prefix and a label" });
        }
        // The last column may be left out where a row has no parent.
        rows.push(Row { line, id, label, parent: cell(parent).unwrap_or_default() });
    }
    Ok(rows)
}

fn unquote(cell: &str) -> Cow<'_, str> {
    match cell.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if inner.contains("\"\"") => inner.replace("\"\"", "\"").into(),
        Some(inner) => inner.into(),
        None => cell.into(),
    }
}
