//! Rules 5 to 8: the conditions, one function each, with sources as in `rules`.

use super::rules::joined;
use super::{Findings, ReasonCode as R};
use crate::modifier::{Focus, Modifier};
use crate::place::{self, Place};
use crate::vocabulary::Topic;
use crate::{Date, Policy, Purpose};

/// Rules 5 to 8: one modifier.
pub(super) fn condition<'a>(modifier: &'a Modifier, purpose: &'a Purpose, at: Date, found: &mut Findings<'a>) {
    match modifier {
        Modifier::Npu => non_profit(modifier, purpose, found),
        Modifier::Ncu => non_commercial(modifier, purpose, found),
        Modifier::Npuncu => {
            non_profit(modifier, purpose, found);
            non_commercial(modifier, purpose, found);
        }
        Modifier::Gs { places } => places_allowed(places, purpose, at, found),
        Modifier::Mor { date } => moratorium(*date, purpose, at, found),
        Modifier::Is { institutions } => {
            let asked = Some(&purpose.organisation.id).filter(|id| !id.is_empty());
            approved("IS", institutions, asked.into_iter(), is_party, found);
        }
        Modifier::Us { users } => approved("US", users, purpose.users.iter(), is_party, found),
        Modifier::Ps { projects } => approved("PS", projects, purpose.project.iter(), is_identifier, found),
        Modifier::Irb => {
            found.owe("IRB", &[]);
            ethics(purpose, at, found);
        }
        Modifier::Gso => genetic(purpose, found),
        // Restricted to what, nobody can tell.
        Modifier::Rs { topics } if topics.is_empty() => found.review(R::FocusUnclear, "RS", ""),
        Modifier::Rs { topics } => topics.iter().for_each(|focus| restricted(*focus, purpose, found)),
        Modifier::Col { with } => found.owe("COL", with),
        Modifier::Pub => found.owe("PUB", &[]),
        Modifier::Rtn => found.owe("RTN", &[]),
        Modifier::Nri => found.owe("NRI", &[]),
        Modifier::Nrl => found.owe("NRL", &[]),
        // TS is looked at before everything else; the others belong to their topics.
        Modifier::Ts { .. } | Modifier::Nmds | Modifier::Npoa | Modifier::Nctrl | Modifier::Nagr | Modifier::Cc => {}
    }
}

/// Rule 5, first half: NPU is about the organisation. What is not stated is denied.
///
/// Source: DUO:0000045; DUOS V4 ("NPU must be stated, otherwise deny").
fn non_profit<'a>(modifier: &'a Modifier, purpose: &'a Purpose, found: &mut Findings<'a>) {
    match purpose.organisation.kind {
        Some(kind) if kind.makes_profit() => found.deny(R::ForProfit, modifier.code(), "organisation"),
        Some(_) => found.permit(R::NonProfit, modifier.code(), "organisation"),
        None => found.deny(R::ProfitNotStated, modifier.code(), "organisation"),
    }
}

/// Rule 5, second half: NCU is about the use. What is not stated is denied.
///
/// Source: DUO:0000046; FireCloud.
fn non_commercial<'a>(modifier: &'a Modifier, purpose: &'a Purpose, found: &mut Findings<'a>) {
    match purpose.commercial {
        Some(false) => found.permit(R::NotCommercial, modifier.code(), "commercial"),
        Some(true) => found.deny(R::Commercial, modifier.code(), "commercial"),
        None => found.deny(R::CommercialNotStated, modifier.code(), "commercial"),
    }
}

/// Rule 6, places: every place of the purpose lies in an allowed one.
///
/// Source: DUO:0000022; DUO issue 53 (ISO 3166 until an ontology is agreed).
fn places_allowed<'a>(allowed: &'a [String], purpose: &'a Purpose, at: Date, found: &mut Findings<'a>) {
    let list = || joined(allowed);
    let known: Vec<Place<'_>> = allowed.iter().filter_map(|text| Place::read(text)).collect();
    for odd in allowed.iter().filter(|text| Place::read(text).is_none()) {
        found.review(R::PlaceUnknown, odd.as_str(), "");
    }
    if purpose.places.is_empty() {
        found.review(R::NoPlaceStated, list(), "");
    }
    for place in &purpose.places {
        match Place::read(place) {
            None => found.review(R::PlaceUnknown, list(), place.as_str()),
            Some(read) if place::allowed(read, &known, at) => found.permit(R::PlaceAllowed, "GS", place.as_str()),
            Some(_) => found.deny(R::PlaceNotAllowed, list(), place.as_str()),
        }
    }
}

/// Rule 6, time: so many months from the day of issue.
///
/// Source: DUO:0000025 (an integer of months).
pub(super) fn time_limit<'a>(policy: &'a Policy, months: u32, at: Date, found: &mut Findings<'a>) {
    match policy.issued.map(|issued| issued.plus_months(months)) {
        None => found.review(R::IssueNotStated, "TS", ""),
        // Beyond the calendar is not over.
        Some(None) => found.permit(R::WithinTime, "TS", ""),
        Some(Some(end)) if at < end => found.permit(R::WithinTime, "TS", ""),
        Some(Some(end)) => found.deny(R::TimeOver, end.to_string(), at.to_string()),
    }
}

/// Rule 6, publication: not before the day of the moratorium.
///
/// Source: DUO:0000024; REMS compares the same two days.
fn moratorium<'a>(date: Date, purpose: &'a Purpose, at: Date, found: &mut Findings<'a>) {
    match purpose.publishes_on {
        Some(day) if day >= date => found.permit(R::AfterMoratorium, date.to_string(), day.to_string()),
        Some(day) => found.deny(R::BeforeMoratorium, date.to_string(), day.to_string()),
        None if at >= date => found.permit(R::AfterMoratorium, date.to_string(), at.to_string()),
        None => found.review(R::PublicationNotStated, date.to_string(), ""),
    }
}

/// Rule 6, parties: each person, project or institution is an approved one, by identifier, never by name.
///
/// Source: DUO:0000026, 0000027 and 0000028; REMS leaves them to a person because its arguments are free text.
fn approved<'a>(
    code: &'a str,
    approved: &'a [String],
    asked: impl Iterator<Item = &'a String>,
    is_clear: impl Fn(&str) -> bool,
    found: &mut Findings<'a>,
) {
    for odd in approved.iter().filter(|id| !is_clear(id)) {
        found.review(R::PartyUnclear, odd.as_str(), code);
    }
    let mut any = false;
    for id in asked {
        any = true;
        if !is_clear(id) {
            found.review(R::PartyUnclear, code, id.as_str());
        } else if approved.contains(id) {
            found.permit(R::PartyApproved, code, id.as_str());
        } else {
            found.deny(R::PartyNotApproved, code, id.as_str());
        }
    }
    if !any {
        found.review(R::PartyNotStated, code, "");
    }
}

/// A DID, a ROR identifier or an ORCID identifier.
pub(crate) fn is_party(id: &str) -> bool {
    let known = ["did:", "https://ror.org/", "https://orcid.org/"];
    is_identifier(id) && known.iter().any(|start| id.len() > start.len() && id.starts_with(start))
}

/// One word without spaces: an identifier, not a description.
pub(crate) fn is_identifier(id: &str) -> bool {
    !id.is_empty() && id.len() <= 512 && id.chars().all(|c| c.is_ascii_graphic())
}

/// Rule 7, ethics: an approval that holds today; without one a person has to look.
///
/// Source: DUO:0000021.
fn ethics<'a>(purpose: &'a Purpose, at: Date, found: &mut Findings<'a>) {
    match &purpose.ethics_approval {
        Some(approval) if approval.number.trim().is_empty() => found.review(R::EthicsMissing, "IRB", ""),
        Some(approval) if at <= approval.valid_until => {
            found.permit(R::EthicsApproved, "IRB", approval.number.as_str());
        }
        Some(approval) => found.review(R::EthicsExpired, "IRB", approval.valid_until.to_string()),
        None => found.review(R::EthicsMissing, "IRB", ""),
    }
}

/// Rule 8, genetic studies only: genotypes are part of the work.
///
/// Source: DUO:0000016.
fn genetic<'a>(purpose: &'a Purpose, found: &mut Findings<'a>) {
    match purpose.genetic {
        Some(true) => found.permit(R::GeneticWork, "GSO", "genetic"),
        Some(false) => found.deny(R::NotGenetic, "GSO", "genetic"),
        None if purpose.topics.contains(&Topic::Genetic) => found.permit(R::GeneticWork, "GSO", "genetic"),
        None => found.review(R::GeneticNotStated, "GSO", "genetic"),
    }
}

/// Rule 8, research restricted to a group of people or a topic: the purpose says that it is about it.
///
/// Source: DUO:0000012; legacy RS-PD, RS-G, RS-POP; FireCloud. A group counts where the purpose states it as one
/// (`sensitive`): a topic of the same name is a hint for a person, so that one more topic never opens a door.
fn restricted<'a>(focus: Focus, purpose: &'a Purpose, found: &mut Findings<'a>) {
    let code = focus.code();
    let matched = match focus {
        Focus::Flag(flag) => purpose.sensitive.contains(&flag),
        Focus::Topic(_) => false,
    };
    let unclear = match focus {
        Focus::Flag(flag) => {
            let hint = |topic: &Topic| topic.flag().is_some_and(|about| about == flag || about.may_be(flag));
            purpose.sensitive.iter().any(|about| about.may_be(flag)) || purpose.topics.iter().any(hint)
        }
        Focus::Topic(topic) => purpose.topics.contains(&topic),
    };
    if matched {
        found.permit(R::FocusMatched, "RS", code);
    } else if unclear {
        found.review(R::FocusUnclear, "RS", code);
    } else {
        found.deny(R::FocusNotMatched, "RS", code);
    }
}
