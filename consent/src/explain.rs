//! What a change means: the difference of two policies in plain words, and which studies it would stop or open.

use crate::decide::{Decision, Matcher, Outcome};
use crate::modifier::Modifier;
use crate::place::{self, Place};
use crate::sentence::{self, Message};
use crate::vocabulary::{Answer, Question, Vocabulary};
use crate::{Date, Policy, Preferences, Purpose, StudyId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a difference does to the use of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// More is allowed than before: needs a fresh notice and a signature.
    Wider,
    /// Less is allowed than before: counts at once, and nobody has to agree.
    Narrower,
    /// Something else: a wish, or a change that goes both ways.
    Other,
}

/// One difference between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What it does.
    pub direction: Direction,
    /// The clause as it was; nothing if it is new.
    pub before: Option<Message>,
    /// The clause as it is; nothing if it is gone.
    pub after: Option<Message>,
}

/// The differences between two versions, those that allow more first.
pub fn explain(before: (&Policy, &Preferences), after: (&Policy, &Preferences)) -> Vec<Difference> {
    let (old, new) = (clauses(before.0, before.1), clauses(after.0, after.1));
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    let mut differences: Vec<Difference> = keys
        .into_iter()
        .filter(|key| old.get(*key) != new.get(*key))
        .map(|key| Difference {
            direction: direction(key, before.0, after.0),
            before: old.get(key).cloned(),
            after: new.get(key).cloned(),
        })
        .collect();
    differences.sort_by_key(|difference| difference.direction);
    differences
}

/// Whether `after` allows something that `before` did not, as far as clauses tell: then it needs a fresh notice.
pub fn widens(before: &Policy, after: &Policy) -> bool {
    let none = Preferences::default();
    // A change that goes both ways lets something new pass.
    explain((before, &none), (after, &none)).iter().any(|difference| difference.direction != Direction::Narrower)
}

/// Every clause under a key that is the same in both versions.
fn clauses(policy: &Policy, preferences: &Preferences) -> BTreeMap<String, Message> {
    let mut clauses = BTreeMap::new();
    let bare = Policy { modifiers: Vec::new(), recipients: Vec::new(), unknown: Vec::new(), ..policy.clone() };
    for (place, message) in sentence::rules(&bare).into_iter().enumerate() {
        clauses.insert(format!("permission {place}"), message);
    }
    for message in sentence::rules(&Policy { permissions: Vec::new(), ..policy.clone() }) {
        clauses.insert(message.id.clone(), message);
    }
    for kind in policy.shared() {
        clauses.insert(format!("data {}", kind.code()), Message::new("clause-data").with("data", kind.code()));
    }
    for message in sentence::answers(policy, preferences) {
        clauses.insert(format!("answer {}", message.id), message);
    }
    if let Some(until) = policy.until {
        clauses.insert("until".to_owned(), Message::new("clause-until").with("date", until.to_string()));
    }
    clauses
}

fn direction(key: &str, before: &Policy, after: &Policy) -> Direction {
    use Direction::{Narrower, Other, Wider};
    if let Some(code) = key.strip_prefix("data ") {
        let shares = |policy: &Policy| policy.shared().iter().any(|kind| kind.code() == code);
        return if shares(after) { Wider } else { Narrower };
    }
    if let Some(code) = key.strip_prefix("answer question-") {
        let answer = |policy: &Policy| Question::read(code).and_then(|question| policy.answers.get(question));
        return match (answer(before), answer(after)) {
            (_, Some(Answer::Yes)) => Wider,
            (_, Some(Answer::No)) | (Some(Answer::Yes), _) => Narrower,
            (Some(Answer::No), _) => Wider,
            _ => Other,
        };
    }
    if key.starts_with("answer ") {
        return Other;
    }
    if key == "until" {
        return match (before.until, after.until) {
            (Some(old), Some(new)) if new < old => Narrower,
            (None, Some(_)) => Narrower,
            _ => Wider,
        };
    }
    if key.starts_with("permission ") {
        return permission_direction(before, after);
    }
    if key == "rule-recipients" {
        let within = |a: &Policy, b: &Policy| {
            b.recipients.is_empty()
                || (!a.recipients.is_empty() && a.recipients.iter().all(|kind| b.recipients.contains(kind)))
        };
        return if within(after, before) { Narrower } else { Wider };
    }
    modifier_direction(key, before, after)
}

fn permission_direction(before: &Policy, after: &Policy) -> Direction {
    use Direction::{Narrower, Other, Wider};
    let covers = |a: &Policy, b: &Policy| b.permissions.iter().all(|p| a.permissions.iter().any(|q| q.includes(*p)));
    let same_kind = before.permissions == after.permissions;
    let among = |a: &Policy, b: &Policy| a.diseases.iter().all(|term| b.diseases.contains(term));
    if same_kind && among(after, before) || !same_kind && covers(before, after) {
        Narrower
    } else if same_kind && among(before, after) || !same_kind && covers(after, before) {
        Wider
    } else {
        Other
    }
}

/// A condition more is narrower, one less is wider; one that changed is compared where that can be done.
fn modifier_direction(key: &str, before: &Policy, after: &Policy) -> Direction {
    use Direction::{Narrower, Other, Wider};
    let code = key.trim_start_matches("rule-").to_uppercase();
    let find = |policy: &'_ Policy| policy.modifiers.iter().find(|modifier| modifier.code() == code).cloned();
    match (find(before), find(after)) {
        // An unknown clause, or one that came or went.
        (None, None) => Other,
        (None, Some(Modifier::Cc)) => Wider,
        (Some(Modifier::Cc), None) => Narrower,
        (None, Some(_)) => Narrower,
        (Some(_), None) => Wider,
        (Some(Modifier::Gs { places: old }), Some(Modifier::Gs { places: new })) => {
            within(&new, &old).unwrap_or(if within(&old, &new).is_some() { Wider } else { Other })
        }
        (Some(Modifier::Ts { months: old }), Some(Modifier::Ts { months: new })) => {
            if new < old {
                Narrower
            } else {
                Wider
            }
        }
        (Some(Modifier::Mor { date: old }), Some(Modifier::Mor { date: new })) => {
            if new > old {
                Narrower
            } else {
                Wider
            }
        }
        _ => Other,
    }
}

fn within(inner: &[String], outer: &[String]) -> Option<Direction> {
    let day = "9999-12-31".parse::<Date>().ok()?;
    let outer: Vec<_> = outer.iter().filter_map(|text| Place::read(text)).collect();
    let lies = |text: &String| Place::read(text).is_some_and(|read| place::allowed(read, &outer, day));
    inner.iter().all(lies).then_some(Direction::Narrower)
}

/// A use that goes on, or waits: a study and what it said that it does.
#[derive(Debug, Clone)]
pub struct Use<'a> {
    /// The study.
    pub study: &'a StudyId,
    /// The policy under which it asks today. Nothing where there is none.
    pub before: Option<&'a Policy>,
    /// The policy under which it would ask.
    pub after: &'a Policy,
    /// What it does.
    pub purpose: &'a Purpose,
}

/// What a change would do to one study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// It may go on, as before.
    GoesOn,
    /// It would have to stop.
    Stops,
    /// It could begin.
    Opens,
    /// A person would have to look.
    NeedsLook,
    /// It may not, as before.
    StaysOut,
}

/// What a change would do, with the reasons.
#[derive(Debug, Clone)]
pub struct Simulated<'a> {
    /// The study.
    pub study: &'a StudyId,
    /// What would happen.
    pub effect: Effect,
    /// The decision after the change.
    pub after: Decision<'a>,
}

/// Which studies a change would stop or open, on a day.
pub fn simulate<'a>(matcher: &Matcher<'_>, uses: &[Use<'a>], at: Date) -> Vec<Simulated<'a>> {
    uses.iter()
        .map(|one| {
            let before = one.before.map_or(Outcome::Deny, |policy| matcher.decide(policy, one.purpose, at).outcome);
            let after = matcher.decide(one.after, one.purpose, at);
            let effect = match (before, after.outcome) {
                (Outcome::Permit, Outcome::Permit) => Effect::GoesOn,
                (_, Outcome::Permit) => Effect::Opens,
                (Outcome::Deny, Outcome::Deny) => Effect::StaysOut,
                (_, Outcome::Deny) => Effect::Stops,
                (_, Outcome::Review) => Effect::NeedsLook,
            };
            Simulated { study: one.study, effect, after }
        })
        .collect()
}
