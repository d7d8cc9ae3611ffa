//! Sets of questions and answers, as dynamic consent platforms such as Australian Genomics' CTRL hand them out.
//!
//! As JSON, at most one megabyte. A question is known by its `id`, or by its wording:
//! ```json
//! {"questions": [
//!   {"id": "purpose.health", "question": "Health and medical research", "answer": "no"},
//!   {"id": "purpose.ancestry", "answer": "no"},
//!   {"id": "who.commercial", "answer": "not_sure"},
//!   {"id": "where", "answer": ["AU", "NZ"]},
//!   {"question": "May they train AI models with your data?", "answer": "no"},
//!   {"id": "purpose.disease", "answer": "yes", "diseases": ["MONDO:0004981"], "ontology": "MONDO 2026-05-05"}
//! ]}
//! ```
//! As a table (RFC 4180), with this first line; the first column holds an id or a wording:
//! ```csv
//! question,answer
//! purpose.health,yes
//! Universities,yes
//! where,AU NZ
//! ```
//!
//! 1. An id is `purpose.any`, `purpose.health`, `purpose.disease`, `purpose.origins` (only where people come from),
//!    `purpose.ancestry`, `purpose.methods`, `purpose.commercial`, `where`; or `who.`, `what.`, `question.`, `result.`,
//!    `contact.` with the code of a term of the crate `consent`.
//! 2. A wording is one of [`WORDINGS`] or a question in the words of the crate `consent`. It must be the same but for
//!    capitals, spaces and punctuation. Nothing is guessed.
//! 3. An answer is `yes`, `no` or `not_sure`. To `where` it is a list of ISO 3166 codes, `EU`, `EEA`, or `anywhere`.
//! 4. A question, an answer or a member that is not known is listed and not taken over. A file has at most 5,000
//!    questions.
//! 5. Two answers to one question are not added up: places are those that both allow, and of a yes and a no remains
//!    "not sure".

use super::import::{Format, Gathered, ImportError, Imported, MAX_QUESTIONS};
use consent::{
    Answer, ContactKind, DataKind, Message, OrganisationKind, Permission, Question, ResultKind, TermSystem, Vocabulary,
    words,
};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::LazyLock;

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Purpose(Permission),
    Ancestry,
    Methods,
    Commercial,
    Where,
    Who(OrganisationKind),
    What(DataKind),
    Question(Question),
    Result(ResultKind),
    Contact(ContactKind),
}

/// Wordings that are in use elsewhere, each with the id that it stands for.
pub const WORDINGS: &[(&str, &str)] = &[
    ("Any research", "purpose.any"),
    ("General research use", "purpose.any"),
    ("Health and medical research", "purpose.health"),
    ("Health, medical or biomedical research", "purpose.health"),
    ("Research on specific diseases", "purpose.disease"),
    ("Ancestry research", "purpose.ancestry"),
    ("Population origins or ancestry research", "purpose.ancestry"),
    ("Development of methods", "purpose.methods"),
    ("Commercial use", "purpose.commercial"),
    ("Universities", "who.academic"),
    ("Universities and research institutes", "who.academic"),
    ("Not-for-profit organisations", "who.nonProfit"),
    ("Non-profit organisations", "who.nonProfit"),
    ("Charities", "who.nonProfit"),
    ("Government", "who.government"),
    ("Government organisations", "who.government"),
    ("Companies", "who.commercial"),
    ("For-profit companies", "who.commercial"),
    ("Commercial companies", "who.commercial"),
    ("DNA data", "what.genome"),
    ("Genomic data", "what.genome"),
    ("Health record", "what.healthRecord"),
    ("Medical records", "what.healthRecord"),
    ("Survey answers", "what.survey"),
    ("Samples", "what.sample"),
    ("Images", "what.imaging"),
    ("Device data", "what.device"),
    ("Where may your data be used?", "where"),
    ("Results that a doctor can act on", "result.actionable"),
    ("Carrier status", "result.carrier"),
    ("Incidental findings", "result.incidental"),
    ("Raw data", "result.raw"),
    ("Contact about new studies", "contact.newStudies"),
    ("Tell me each time my data is used", "contact.notifyEachUse"),
];

/// Reads a JSON document of questions.
pub fn read_json(value: &Value) -> Result<Imported, ImportError> {
    let document = value.as_object().ok_or(ImportError::Unknown)?;
    let questions = document.get("questions").and_then(Value::as_array).ok_or(ImportError::Unknown)?;
    if questions.len() > MAX_QUESTIONS {
        return Err(ImportError::TooMany);
    }
    let mut gathered = Gathered::default();
    for name in document.keys().filter(|name| *name != "questions") {
        gathered.leave_out(name, "this part of the file is not understood");
    }
    for question in questions {
        match question.as_object() {
            Some(question) => read_one(&mut gathered, question),
            None => gathered.leave_out(&question.to_string(), "this is not a question with an answer"),
        }
    }
    Ok(gathered.finish(Format::CtrlJson))
}

fn read_one(gathered: &mut Gathered, question: &Map<String, Value>) {
    let text = |name: &str| question.get(name).and_then(Value::as_str);
    let (id, wording) = (text("id"), text("question"));
    let what = wording.or(id).unwrap_or("a question without a name");
    let known = ["id", "question", "answer", "diseases", "ontology"];
    if let Some(odd) = question.keys().find(|name| !known.contains(&name.as_str())) {
        return gathered
            .leave_out(what, &format!("it has a member {:?} that is not understood", super::import::shown(odd)));
    }
    let by_id = id.and_then(target_of_id);
    let by_wording = wording.and_then(target_of_wording);
    // An id that is known counts, unless the wording is that of another question.
    let target = match (by_id, by_wording) {
        (Some(one), Some(other)) if one != other => {
            return gathered.leave_out(what, "its id and its wording belong to two different questions");
        }
        (Some(target), _) | (None, Some(target)) => target,
        (None, None) => return gathered.leave_out(what, "this question is not known"),
    };
    let diseases = match list(question.get("diseases")) {
        Some(diseases) => diseases,
        None => return gathered.leave_out(what, "its diseases are not a list of codes"),
    };
    if target == Target::Where {
        return match list(question.get("answer")) {
            Some(places) if !places.is_empty() => gather_places(gathered, what, places),
            _ => gathered.leave_out(what, "its answer is not a list of places"),
        };
    }
    match text("answer").and_then(answer) {
        Some(answer) => take(gathered, what, target, answer, &diseases, text("ontology")),
        None => gathered.leave_out(what, "its answer is not yes, no or not sure"),
    }
}

/// A list of texts, or one text with codes in it. Nothing where it is something else.
fn list(value: Option<&Value>) -> Option<Vec<String>> {
    match value {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::String(text)) => Some(codes(text)),
        Some(Value::Array(items)) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        Some(_) => None,
    }
}

fn codes(text: &str) -> Vec<String> {
    text.split([',', ';', ' ']).filter(|code| !code.is_empty()).map(str::to_owned).collect()
}

/// Reads a table of questions and answers.
pub fn read_table(text: &str) -> Result<Imported, ImportError> {
    let rows = table(text)?;
    let mut rows = rows.into_iter();
    let header: Vec<_> = rows.next().unwrap_or_default().iter().map(|cell| normal(cell)).collect();
    if header != ["question", "answer"] {
        return Err(ImportError::Unknown);
    }
    let mut gathered = Gathered::default();
    for row in rows {
        let [question, said] = row.as_slice() else {
            gathered.leave_out(&row.join(", "), "this line does not have a question and an answer");
            continue;
        };
        let Some(target) = target_of_id(question).or_else(|| target_of_wording(question)) else {
            gathered.leave_out(question, "this question is not known");
            continue;
        };
        if target == Target::Where {
            let places = codes(said);
            if places.is_empty() {
                gathered.leave_out(question, "its answer is not a list of places");
            } else {
                gather_places(&mut gathered, question, places);
            }
        } else if let Some(answer) = answer(said) {
            take(&mut gathered, question, target, answer, &[], None);
        } else {
            gathered.leave_out(question, "its answer is not yes, no or not sure");
        }
    }
    Ok(gathered.finish(Format::CtrlCsv))
}

/// The cells of a table (RFC 4180). Empty lines are passed over.
fn table(text: &str) -> Result<Vec<Vec<String>>, ImportError> {
    let (mut rows, mut row, mut cell, mut line) = (Vec::new(), Vec::new(), String::new(), 1);
    let mut letters = text.chars().peekable();
    let (mut quoted, mut was_quoted) = (false, false);
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            _ if quoted => {
                line += usize::from(letter == '\n');
                cell.push(letter);
            }
            '"' if cell.is_empty() && !was_quoted => (quoted, was_quoted) = (true, true),
            ',' => {
                row.push(std::mem::take(&mut cell));
                was_quoted = false;
            }
            '\r' if letters.peek() == Some(&'\n') => {}
            '\n' => {
                row.push(std::mem::take(&mut cell));
                let row = std::mem::take(&mut row);
                rows.extend((row != [""]).then_some(row));
                // The first one is no question.
                if rows.len() > MAX_QUESTIONS + 1 {
                    return Err(ImportError::TooMany);
                }
                was_quoted = false;
                line += 1;
            }
            // A quote inside a bare cell, or a letter behind a closed one.
            '"' => return Err(ImportError::Table(line)),
            _ if was_quoted => return Err(ImportError::Table(line)),
            _ => cell.push(letter),
        }
    }
    if quoted {
        return Err(ImportError::Table(line));
    }
    row.push(cell);
    rows.extend((row != [""]).then_some(row));
    if rows.len() > MAX_QUESTIONS + 1 { Err(ImportError::TooMany) } else { Ok(rows) }
}

fn gather_places(gathered: &mut Gathered, what: &str, places: Vec<String>) {
    let anywhere = places.iter().any(|place| normal(place) == "anywhere");
    match (anywhere, places.len()) {
        (true, 1) => gathered.places(what, Vec::new()),
        (true, _) => gathered.leave_out(what, "anywhere and single places do not go together"),
        (false, _) => gathered.places(what, places),
    }
}

fn take(
    gathered: &mut Gathered,
    what: &str,
    target: Target,
    answer: Answer,
    diseases: &[String],
    ontology: Option<&str>,
) {
    if !diseases.is_empty() && !take_diseases(gathered, what, target, answer, diseases, ontology) {
        return;
    }
    match target {
        Target::Purpose(permission) => gathered.permission(permission, answer),
        Target::Ancestry => gathered.answer(what, |choices| &mut choices.ancestry, answer),
        Target::Methods => gathered.answer(what, |choices| &mut choices.methods, answer),
        Target::Commercial => gathered.answer(what, |choices| &mut choices.commercial, answer),
        Target::Who(kind) => gathered.set(what, |choices| &mut choices.who, kind, answer),
        Target::What(kind) => gathered.set(what, |choices| &mut choices.what, kind, answer),
        Target::Question(question) => gathered.set(what, |choices| &mut choices.questions, question, answer),
        Target::Result(kind) => gathered.set(what, |choices| &mut choices.preferences.results, kind, answer),
        Target::Contact(kind) => gathered.set(what, |choices| &mut choices.preferences.contact, kind, answer),
        // Its answer is a list; the callers have seen to it.
        Target::Where => {}
    }
}

/// Diseases belong to a yes to research on diseases, and each names its hierarchy.
fn take_diseases(
    gathered: &mut Gathered,
    what: &str,
    target: Target,
    answer: Answer,
    diseases: &[String],
    ontology: Option<&str>,
) -> bool {
    let system = ontology.and_then(|text| text.split_once(' '));
    let belongs = |(system, _): (&str, &str)| {
        diseases.iter().all(|term| {
            let digits = term.strip_prefix(system).and_then(|rest| rest.strip_prefix(':'));
            digits.is_some_and(|digits| (1..=10).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()))
        })
    };
    let reason = match system {
        _ if target != Target::Purpose(Permission::Ds) || answer != Answer::Yes => {
            "it names diseases, but is not a yes to research on diseases"
        }
        Some(system) if belongs(system) => {
            let system = TermSystem { system: system.0.to_owned(), version: super::import::shown(system.1) };
            for term in diseases {
                if !gathered.disease(term, system.clone()) {
                    gathered.leave_out(term, "diseases of two hierarchies can not stand side by side");
                    return false;
                }
            }
            return true;
        }
        _ => "its diseases are not codes of a named hierarchy and version",
    };
    gathered.leave_out(what, reason);
    false
}

fn answer(text: &str) -> Option<Answer> {
    match normal(text).as_str() {
        "yes" => Some(Answer::Yes),
        "no" => Some(Answer::No),
        "not sure" | "unsure" | "undecided" => Some(Answer::Undecided),
        _ => None,
    }
}

fn target_of_id(id: &str) -> Option<Target> {
    fn of<T: Vocabulary>(code: &str) -> Option<T> {
        T::ALL.iter().copied().find(|term| term.code() == code)
    }
    Some(match id.split_once('.') {
        None if id == "where" => Target::Where,
        Some(("purpose", "any")) => Target::Purpose(Permission::Gru),
        Some(("purpose", "health")) => Target::Purpose(Permission::Hmb),
        Some(("purpose", "disease")) => Target::Purpose(Permission::Ds),
        Some(("purpose", "origins")) => Target::Purpose(Permission::Poa),
        Some(("purpose", "ancestry")) => Target::Ancestry,
        Some(("purpose", "methods")) => Target::Methods,
        Some(("purpose", "commercial")) => Target::Commercial,
        Some(("who", code)) => Target::Who(of(code)?),
        Some(("what", code)) => Target::What(of(code)?),
        Some(("question", code)) => Target::Question(of(code)?),
        Some(("result", code)) => Target::Result(of(code)?),
        Some(("contact", code)) => Target::Contact(of(code)?),
        _ => return None,
    })
}

fn target_of_wording(wording: &str) -> Option<Target> {
    KNOWN.get(&normal(wording)).copied()
}

/// Every wording that is known, and the questions in the words of the crate `consent` in all of its languages. To write
/// them takes long enough that it is done once, not for each line of a file.
static KNOWN: LazyLock<HashMap<String, Target>> = LazyLock::new(|| {
    fn add<T: Vocabulary>(known: &mut HashMap<String, Target>, kind: &str, target: fn(T) -> Target) {
        for language in words::languages() {
            for term in T::ALL {
                let sentence = words::sentence(language, &Message::new(format!("{kind}-{}", term.code())));
                known.entry(normal(&sentence)).or_insert_with(|| target(*term));
            }
        }
    }
    let listed = WORDINGS.iter().filter_map(|(text, id)| Some((normal(text), target_of_id(id)?)));
    let mut known: HashMap<_, _> = listed.collect();
    add(&mut known, "question", Target::Question);
    add(&mut known, "result", Target::Result);
    add(&mut known, "contact", Target::Contact);
    // A name without a letter is none.
    known.remove("");
    known
});

/// A text without capitals, punctuation and doubled spaces.
fn normal(text: &str) -> String {
    let letters = text.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' });
    let words: String = letters.flat_map(char::to_lowercase).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
