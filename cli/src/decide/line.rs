//! One line of `consentctl decide`: a policy and a purpose come in, a decision goes out.

use super::stream::LONGEST;
use consent::{Date, Decision, Matcher, Modifier, Policy, Purpose, Timestamp};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize};
use serde_json::error::Category;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Objects and lists inside of each other. A policy needs five.
const DEEPEST: usize = 32;
/// Terms and arguments of one policy, or of one purpose.
const MOST_ENTRIES: usize = 1_000;
/// Each entry of a purpose can bring the text of the policy into its reason: so much of it at most.
const MOST_COMPARED: usize = 1 << 24;
/// The longest error text, in characters: it can quote the line.
const LONGEST_ERROR: usize = 200;
/// How many unknown members of a line are kept, and how many characters of each; one is enough for review.
const MOST_UNKNOWN: (usize, usize) = (32, 64);

/// Decides one line and writes the answer with a newline. Nothing in place of the line says that it is too long. Says
/// whether it was decided; otherwise the answer is an error object.
pub(crate) fn answer(
    matcher: &Matcher<'_>,
    today: impl Fn() -> Date,
    number: u64,
    line: Option<&[u8]>,
    out: &mut Vec<u8>,
) -> bool {
    let mut id = None;
    let start = out.len();
    let written = read(line, &mut id).and_then(|Asked { at, policy, purpose }| {
        let decision = matcher.decide(&policy, &purpose, at.unwrap_or_else(today));
        Ok(serde_json::to_writer(&mut *out, &Answer { id, decision })?)
    });
    if let Err(bad) = &written {
        out.truncate(start);
        let error: String = bad.to_string().chars().take(LONGEST_ERROR).collect();
        // Numbers and texts can always be written to memory.
        let _ = serde_json::to_writer(&mut *out, &Refused { line: number, id, error });
    }
    out.push(b'\n');
    written.is_ok()
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    #[serde(flatten)]
    decision: Decision<'a>,
}

#[derive(Serialize)]
struct Refused<'a> {
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    error: String,
}

/// Why a line cannot be decided.
#[derive(Debug)]
enum BadLine {
    TooLong,
    NotText,
    TooDeep,
    TooMuch,
    Json(serde_json::Error),
}

impl From<serde_json::Error> for BadLine {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the line is longer than {LONGEST} bytes"),
            Self::NotText => f.write_str("the line is not text in UTF-8"),
            Self::TooDeep => write!(f, "more than {DEEPEST} objects and lists inside of each other"),
            Self::TooMuch => write!(f, "more than {MOST_ENTRIES} terms, or terms that are too long to compare"),
            Self::Json(error) => {
                // The parser counts lines too, and it sees only one.
                let (text, place) = (error.to_string(), format!(" at line {} column {}", error.line(), error.column()));
                let text = text.strip_suffix(&place).unwrap_or(&text);
                let kind = if error.classify() == Category::Data { "" } else { "not JSON: " };
                write!(f, "{kind}{text}")?;
                if error.column() > 0 { write!(f, " (column {})", error.column()) } else { Ok(()) }
            }
        }
    }
}

/// What a line asks.
struct Asked {
    at: Option<Date>,
    policy: Policy,
    purpose: Purpose,
}

/// Reads a line. The id is known as soon as it was read, even if what follows is bad.
fn read<'l>(line: Option<&'l [u8]>, id: &mut Option<&'l RawValue>) -> Result<Asked, BadLine> {
    let line = line.ok_or(BadLine::TooLong)?;
    let text = std::str::from_utf8(line).map_err(|_| BadLine::NotText)?;
    if is_too_deep(text) {
        return Err(BadLine::TooDeep);
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let asked = Line(id).deserialize(&mut json)?;
    json.end()?;
    if is_too_much(&asked.policy, &asked.purpose) {
        return Err(BadLine::TooMuch);
    }
    Ok(asked)
}

fn is_too_deep(text: &str) -> bool {
    // Counting is quick and settles nearly every line; only then is it worth to tell brackets inside of texts. Small
    // sums over short pieces are what the compiler can do sixteen bytes at a time.
    let opens = |byte: &u8| u8::from(byte & 0xdf == b'[');
    let sum = |piece: &[u8]| usize::from(piece.iter().map(opens).sum::<u8>());
    if text.as_bytes().chunks(128).map(sum).sum::<usize>() <= DEEPEST {
        return false;
    }
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

/// Whether a decision would take much longer, or say much more, than its line: each term of a purpose is compared with
/// each of the policy.
fn is_too_much(policy: &Policy, purpose: &Purpose) -> bool {
    let (mut entries, mut text) = (0, 0);
    let mut count = |list: &[String]| {
        entries += list.len();
        text += list.iter().map(|entry| entry.len() + 2).sum::<usize>();
    };
    count(&policy.diseases);
    count(&policy.unknown);
    let mut terms = policy.permissions.len() + policy.modifiers.len() + policy.recipients.len() + policy.shared().len();
    for modifier in &policy.modifiers {
        match modifier {
            Modifier::Gs { places: list }
            | Modifier::Us { users: list }
            | Modifier::Ps { projects: list }
            | Modifier::Is { institutions: list }
            | Modifier::Col { with: list } => count(list),
            Modifier::Rs { topics } => terms += topics.len(),
            _ => {}
        }
    }
    entries += terms;
    // A code has at most this many characters.
    text += terms * 32;
    let asked = purpose.topics.len()
        + purpose.diseases.len()
        + purpose.places.len()
        + purpose.data.len()
        + purpose.users.len()
        + purpose.sensitive.len()
        + purpose.unknown.len();
    entries > MOST_ENTRIES || asked > MOST_ENTRIES || text.saturating_mul(asked) > MOST_COMPARED
}

#[derive(DeriveDeserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// A day, or a moment whose day in UTC counts.
struct Moment(Date);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Name(text) = Name::deserialize(deserializer)?;
        let day = text.parse::<Date>().or_else(|_| text.parse::<Timestamp>().map(Timestamp::date));
        day.map(Self).map_err(de::Error::custom)
    }
}

struct Line<'i, 'l>(&'i mut Option<&'l RawValue>);

impl<'l> DeserializeSeed<'l> for Line<'_, 'l> {
    type Value = Asked;

    fn deserialize<D: Deserializer<'l>>(self, deserializer: D) -> Result<Asked, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'l> Visitor<'l> for Line<'_, 'l> {
    type Value = Asked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a policy and a purpose")
    }

    fn visit_map<A: MapAccess<'l>>(self, mut map: A) -> Result<Asked, A::Error> {
        let (mut at, mut policy, mut purpose) = (None, None, None::<Purpose>);
        let mut unknown: Vec<Cow<'l, str>> = Vec::new();
        while let Some(Name(name)) = map.next_key()? {
            let again = match name.as_ref() {
                "id" => {
                    let id: &RawValue = map.next_value()?;
                    if id.get().starts_with(['{', '[']) {
                        return Err(de::Error::custom("an id is a text, a number, true, false or null"));
                    }
                    self.0.replace(id).is_some()
                }
                "at" => at.replace(map.next_value::<Option<Moment>>()?).is_some(),
                "policy" => policy.replace(map.next_value()?).is_some(),
                "purpose" => purpose.replace(map.next_value()?).is_some(),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    let again = unknown.contains(&name);
                    if unknown.len() < MOST_UNKNOWN.0 {
                        unknown.push(name);
                    }
                    again
                }
            };
            if again {
                return Err(de::Error::custom("a member stands twice"));
            }
        }
        let policy = policy.ok_or_else(|| de::Error::custom("there is no policy"))?;
        let mut purpose = purpose.ok_or_else(|| de::Error::custom("there is no purpose"))?;
        // A word that nobody understands is never a silent yes, wherever it stands.
        let short = |name: &Cow<'_, str>| name.chars().filter(|c| !c.is_control()).take(MOST_UNKNOWN.1).collect();
        purpose.unknown.extend(unknown.iter().map(short));
        Ok(Asked { at: at.flatten().map(|Moment(day)| day), policy, purpose })
    }
}
