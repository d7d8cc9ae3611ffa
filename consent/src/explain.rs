//! What a change means: the difference of two policies in plain words, and which studies it would stop or open.

use crate::decide::{Decision, Grant, Grants, Matcher, Outcome, is_identifier, is_party};
use crate::modifier::{Focus, Modifier};
use crate::place::Place;
use crate::sentence::{self, Message};
use crate::vocabulary::{Answer, DataKind, Permission, Question, Vocabulary};
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
    let mut differences = clauses(before.0, after.0);
    differences.retain(|difference| difference.before.is_some() || difference.after.is_some());
    differences.extend(wishes(before.1, after.1));
    differences.sort_by_key(|difference| difference.direction);
    differences
}

/// Whether `after` may permit something that `before` did not: then it needs a fresh notice. Where clauses can not be
/// compared the answer is yes. The status of either is no clause.
pub fn widens(before: &Policy, after: &Policy) -> bool {
    // A change that goes both ways lets something new pass.
    clauses(before, after).iter().any(|difference| difference.direction != Direction::Narrower)
}

/// All differences in what is allowed. One that no clause shows, as that a policy was about kinds of data and is not
/// any more, has no messages.
fn clauses(before: &Policy, after: &Policy) -> Vec<Difference> {
    let mut all = permission(before, after);
    all.extend(recipients(before, after));
    for (code, _) in Modifier::TERMS {
        all.extend(conditions(code, before, after));
    }
    if sorted(&before.unknown) != sorted(&after.unknown) {
        let say = |policy: &Policy| (!policy.unknown.is_empty()).then(|| Message::new("rule-unknown"));
        all.push(Difference { direction: Direction::Other, before: say(before), after: say(after) });
    }
    all.extend(data(before, after));
    all.extend(answers(before, after));
    all.extend(days(before, after));
    all
}

/// Which of two ways a change goes, where each can be tested.
fn direction(narrower: bool, wider: bool) -> Direction {
    match (narrower, wider) {
        (true, _) => Direction::Narrower,
        (false, true) => Direction::Wider,
        (false, false) => Direction::Other,
    }
}

/// The clauses of one kind beside each other, but those that stayed.
fn beside(direction: Direction, before: Vec<Message>, after: Vec<Message>) -> Vec<Difference> {
    let (mut before, mut after) = (before.into_iter(), after.into_iter());
    let pairs = std::iter::from_fn(|| match (before.next(), after.next()) {
        (None, None) => None,
        pair => Some(pair),
    });
    let pairs: Vec<_> = pairs.filter(|(before, after)| before != after).collect();
    if pairs.is_empty() {
        return vec![Difference { direction, before: None, after: None }];
    }
    pairs.into_iter().map(|(before, after)| Difference { direction, before, after }).collect()
}

fn sorted<T: Clone + Ord>(list: &[T]) -> Vec<T> {
    let mut list = list.to_vec();
    list.sort_unstable();
    list.dedup();
    list
}

fn all_in<T: PartialEq>(inner: &[T], outer: &[T]) -> bool {
    inner.iter().all(|item| outer.contains(item))
}

fn permission(before: &Policy, after: &Policy) -> Vec<Difference> {
    let diseases = |policy: &Policy| if policy.permits(Permission::Ds) { sorted(&policy.diseases) } else { Vec::new() };
    if sorted(&before.permissions) == sorted(&after.permissions) && diseases(before) == diseases(after) {
        return Vec::new();
    }
    let say = |policy: &Policy| {
        let (permissions, diseases) = (sorted(&policy.permissions), policy.diseases.clone());
        sentence::rules(&Policy { permissions, diseases, ..Policy::default() })
    };
    beside(direction(grants_no_more(after, before), grants_no_more(before, after)), say(before), say(after))
}

/// Whether the permissions of `inner` cover nothing that those of `outer` do not.
fn grants_no_more(inner: &Policy, outer: &Policy) -> bool {
    let (grants, limit) = (Grants::of(inner), Grants::of(outer));
    let topics = grants.general <= limit.general && grants.health <= limit.health && grants.ancestry <= limit.ancestry;
    // Data for a named disease may be its controls whatever the donor said of controls for others: a consent for
    // health that refused them does not hold a consent for a disease.
    let controls = !matches!(outer.answers.get(Question::Controls), Some(Answer::No | Answer::Undecided))
        && !outer.modifiers.contains(&Modifier::Nctrl);
    let diseases =
        if limit.disease { all_in(&inner.diseases, &outer.diseases) } else { limit.health == Grant::Yes && controls };
    let care =
        !inner.permits(Permission::Nres) || outer.permits(Permission::Nres) || outer.modifiers.contains(&Modifier::Cc);
    topics && care && (!grants.disease || diseases)
}

fn recipients(before: &Policy, after: &Policy) -> Vec<Difference> {
    let (old, new) = (sorted(&before.recipients), sorted(&after.recipients));
    if old == new {
        return Vec::new();
    }
    // Without any named, each may.
    let within = |a: &[_], b: &[_]| b.is_empty() || !a.is_empty() && all_in(a, b);
    let say = |recipients: &[_]| sentence::rules(&Policy { recipients: recipients.to_vec(), ..Policy::default() });
    beside(direction(within(&new, &old), within(&old, &new)), say(&old), say(&new))
}

/// The conditions of one code. A condition more is narrower, one less is wider; one that changed is compared where that
/// can be done.
fn conditions(code: &str, before: &Policy, after: &Policy) -> Vec<Difference> {
    let of = |policy: &Policy| {
        let chosen = policy.modifiers.iter().filter(|modifier| modifier.code() == code).map(in_order);
        sorted(&chosen.collect::<Vec<_>>())
    };
    let (old, new) = (of(before), of(after));
    // The same months from another day end on another day.
    let later = code == "TS" && !old.is_empty() && !ends_no_later(after, before);
    if old == new && !later {
        return Vec::new();
    }
    let direction = match code {
        "CC" => direction(new.is_empty(), true),
        "TS" => direction(ends_no_later(after, before), ends_no_later(before, after)),
        "RS" if old.iter().all(|condition| implied(condition, after)) && opens(before, after) => Direction::Other,
        _ => direction(
            old.iter().all(|condition| implied(condition, after)),
            new.iter().all(|condition| implied(condition, before)),
        ),
    };
    let say = |modifiers: Vec<Modifier>| sentence::rules(&Policy { modifiers, ..Policy::default() });
    if later && old == new {
        // The words are the same, and still they say something else.
        let (old, new) = (say(old), say(new));
        return old
            .into_iter()
            .zip(new)
            .map(|(a, b)| Difference { direction, before: Some(a), after: Some(b) })
            .collect();
    }
    beside(direction, say(old), say(new))
}

/// The condition with its list in order: order says nothing.
fn in_order(modifier: &Modifier) -> Modifier {
    match modifier {
        Modifier::Rs { topics } => Modifier::Rs { topics: sorted(topics) },
        Modifier::Col { with } => Modifier::Col { with: sorted(with) },
        Modifier::Gs { places } => Modifier::Gs { places: sorted(places) },
        Modifier::Us { users } => Modifier::Us { users: sorted(users) },
        Modifier::Ps { projects } => Modifier::Ps { projects: sorted(projects) },
        Modifier::Is { institutions } => Modifier::Is { institutions: sorted(institutions) },
        other => other.clone(),
    }
}

/// Whether a policy holds whoever uses the data to this condition, by itself or by a stricter one.
fn implied(condition: &Modifier, by: &Policy) -> bool {
    let has = |modifier: &Modifier| by.modifiers.contains(modifier);
    by.modifiers.iter().any(|other| in_order(other) == *condition)
        || match condition {
            Modifier::Npu | Modifier::Ncu => has(&Modifier::Npuncu),
            Modifier::Npuncu => has(&Modifier::Npu) && has(&Modifier::Ncu),
            Modifier::Mor { date } => {
                by.modifiers.iter().any(|other| matches!(other, Modifier::Mor { date: new } if new >= date))
            }
            Modifier::Gs { places } => {
                by.modifiers.iter().any(|other| matches!(other, Modifier::Gs { places: new } if lie_in(new, places)))
            }
            Modifier::Rs { topics } => {
                let asked = |focus: &Focus| {
                    by.modifiers.iter().any(|other| matches!(other, Modifier::Rs { topics } if topics.contains(focus)))
                };
                !topics.is_empty() && topics.iter().all(asked)
            }
            // A name that is no identifier sends every use to a person: fewer of them is not fewer uses.
            Modifier::Us { users: old } => {
                old.iter().all(|id| is_party(id))
                    && by.modifiers.iter().any(|other| matches!(other, Modifier::Us { users: new } if all_in(new, old)))
            }
            Modifier::Is { institutions: old } => {
                old.iter().all(|id| is_party(id))
                    && by
                        .modifiers
                        .iter()
                        .any(|other| matches!(other, Modifier::Is { institutions: new } if all_in(new, old)))
            }
            Modifier::Ps { projects: old } => {
                old.iter().all(|id| is_identifier(id))
                    && by
                        .modifiers
                        .iter()
                        .any(|other| matches!(other, Modifier::Ps { projects: new } if all_in(new, old)))
            }
            _ => false,
        }
}

/// Whether each place lies in one of the others, by the members of today's lists. A group does not lie in the list of
/// its members: it may grow.
fn lie_in(inner: &[String], outer: &[String]) -> bool {
    let Ok(day) = "9999-12-31".parse::<Date>() else { return false };
    let outer: Option<Vec<_>> = outer.iter().map(|text| Place::read(text)).collect();
    let Some(outer) = outer else { return false };
    inner.iter().all(|text| Place::read(text).is_some_and(|place| outer.iter().any(|other| place.within(*other, day))))
}

/// Whether research that is now restricted to a delicate matter was open to question before: who restricts research to
/// children allows research on children.
fn opens(before: &Policy, after: &Policy) -> bool {
    let foci = |policy: &Policy| -> Vec<Focus> {
        let lists = policy.modifiers.iter().filter_map(|modifier| match modifier {
            Modifier::Rs { topics } => Some(topics.iter().copied()),
            _ => None,
        });
        lists.flatten().collect()
    };
    let old = foci(before);
    foci(after).into_iter().filter(|focus| !old.contains(focus)).any(|focus| match focus {
        Focus::Flag(flag) => {
            let answer = |policy: &Policy| policy.answers.get(flag.question());
            answer(after).is_none() && answer(before) != Some(Answer::Yes)
        }
        Focus::Topic(_) => false,
    })
}

fn data(before: &Policy, after: &Policy) -> Vec<Difference> {
    let say = |kinds: &[DataKind]| -> Vec<Message> {
        kinds.iter().map(|kind| Message::new("clause-data").with("data", kind.code())).collect()
    };
    let each = |direction, before: Vec<Message>, after: Vec<Message>| {
        let gone = before.into_iter().map(|message| (Some(message), None));
        let come = after.into_iter().map(|message| (None, Some(message)));
        gone.chain(come).map(move |(before, after)| Difference { direction, before, after }).collect::<Vec<_>>()
    };
    match (&before.data, &after.data) {
        (None, None) => Vec::new(),
        // A policy that is not about kinds of data allows each.
        (None, Some(new)) => each(Direction::Narrower, Vec::new(), say(&sorted(new))),
        (Some(old), None) if old.is_empty() => beside(Direction::Wider, Vec::new(), Vec::new()),
        (Some(old), None) => each(Direction::Wider, say(&sorted(old)), Vec::new()),
        (Some(old), Some(new)) => {
            let only = |a: &[DataKind], b: &[DataKind]| -> Vec<DataKind> {
                sorted(a).into_iter().filter(|kind| !b.contains(kind)).collect()
            };
            let mut differences = each(Direction::Narrower, say(&only(old, new)), Vec::new());
            differences.extend(each(Direction::Wider, Vec::new(), say(&only(new, old))));
            differences
        }
    }
}

fn answers(before: &Policy, after: &Policy) -> Vec<Difference> {
    use Direction::{Narrower, Other, Wider};
    let changed =
        Question::ALL.iter().filter(|question| before.answers.get(**question) != after.answers.get(**question));
    let difference = |question: &Question| {
        let (old, new) = (before.answers.get(*question), after.answers.get(*question));
        let direction = match (old, new) {
            (_, Some(Answer::Yes)) | (Some(Answer::No), _) => Wider,
            (_, Some(Answer::No)) | (Some(Answer::Yes), _) | (None, _) => Narrower,
            // What nobody answered is sometimes covered by the permission: sums for all to see.
            (Some(Answer::Undecided), _) => Other,
        };
        let say = |answer: Option<Answer>| {
            answer.map(|answer| Message::new(format!("question-{}", question.code())).with("answer", answer.code()))
        };
        Difference { direction, before: say(old), after: say(new) }
    };
    changed.map(difference).collect()
}

fn wishes(before: &Preferences, after: &Preferences) -> Vec<Difference> {
    let say = |preferences: &Preferences| -> BTreeMap<String, Message> {
        let messages = sentence::answers(&Policy::default(), preferences);
        messages.into_iter().map(|message| (message.id.clone(), message)).collect()
    };
    let (mut old, new) = (say(before), say(after));
    let mut differences = Vec::new();
    for (id, after) in new {
        let before = old.remove(&id);
        if before.as_ref() != Some(&after) {
            differences.push(Difference { direction: Direction::Other, before, after: Some(after) });
        }
    }
    let gone =
        old.into_values().map(|before| Difference { direction: Direction::Other, before: Some(before), after: None });
    differences.extend(gone);
    differences
}

/// From when, and until when. (The months of `TS` stand among the conditions.)
fn days(before: &Policy, after: &Policy) -> Vec<Difference> {
    let mut all = Vec::new();
    if before.until != after.until {
        let say = |until: Option<Date>| until.map(|until| Message::new("clause-until").with("date", until.to_string()));
        let earlier = |a: Option<Date>, b: Option<Date>| b.is_none_or(|b| a.is_some_and(|a| a <= b));
        let narrower = earlier(after.until, before.until) || ends_no_later(after, before);
        let direction = direction(narrower, true);
        all.push(Difference { direction, before: say(before.until), after: say(after.until) });
    }
    if before.issued.is_some_and(|old| after.issued.is_none_or(|new| new < old)) {
        all.push(Difference { direction: Direction::Wider, before: None, after: None });
    }
    all
}

/// Whether a policy ends no later than another, by its months and its last day. Months without the day from which they
/// count allow nothing without a look.
fn ends_no_later(one: &Policy, other: &Policy) -> bool {
    match (last_day(one), last_day(other)) {
        (Err(()), _) | (Ok(_), Ok(None)) => true,
        (Ok(_), Err(())) | (Ok(None), Ok(Some(_))) => false,
        (Ok(Some(one)), Ok(Some(other))) => one <= other,
    }
}

/// The last day, if there is one. `Err` where nobody can tell.
fn last_day(policy: &Policy) -> Result<Option<Date>, ()> {
    let mut last = policy.until;
    for modifier in &policy.modifiers {
        if let Modifier::Ts { months } = modifier {
            let end = policy.issued.ok_or(())?.plus_months(*months).map(Date::day_before);
            last = [last, end].into_iter().flatten().min();
        }
    }
    Ok(last)
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

impl Effect {
    /// The effect of a change from one answer to another.
    pub fn between(before: Outcome, after: Outcome) -> Self {
        match (before, after) {
            (Outcome::Permit, Outcome::Permit) => Self::GoesOn,
            (_, Outcome::Permit) => Self::Opens,
            (Outcome::Deny, Outcome::Deny) => Self::StaysOut,
            (_, Outcome::Deny) => Self::Stops,
            (_, Outcome::Review) => Self::NeedsLook,
        }
    }
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
            Simulated { study: one.study, effect: Effect::between(before, after.outcome), after }
        })
        .collect()
}
