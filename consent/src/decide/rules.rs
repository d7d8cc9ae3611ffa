//! The rules, one function each. Numbers in the sources are those of the Data Use Ontology, release 2021-02-23;
//! "FireCloud" and "DUOS" are the matchers of the Broad Institute whose public tests agree with the rule.

use super::conditions::{condition, time_limit};
use super::{Findings, Matcher, Outcome, ReasonCode as R};
use crate::modifier::{Focus, Modifier};
use crate::ontology::{Found, Ontology, TermIndex};
use crate::vocabulary::{Answer, Flag, Permission, Question, Topic, Vocabulary};
use crate::{ConsentState, Date, Policy, Purpose};
use std::borrow::Cow;

/// A consent that is not in force, or over, denies before anything else is looked at.
///
/// Source: GDPR article 7(3) for withdrawal; DUO:0000025 for the time limit; the levels are those of UK Biobank
/// (no further contact, no further access, no further use).
pub(super) fn standing<'a>(policy: &'a Policy, at: Date, found: &mut Findings<'a>) -> bool {
    if let Some(state) = policy.status {
        found.look(state.code());
        let ended = match state {
            ConsentState::Active => None,
            ConsentState::NoContact => {
                found.permit(R::NoContact, state.code(), "");
                found.owe("no-contact", &[]);
                None
            }
            ConsentState::NoAccess => {
                found.permit(R::NoAccess, state.code(), "");
                found.owe("no-contact", &[]);
                found.owe("existing-data-only", &[]);
                None
            }
            ConsentState::Withdrawn | ConsentState::DestroySample => Some(R::Withdrawn),
            ConsentState::Refused => Some(R::Refused),
            ConsentState::Requested | ConsentState::Deferred => Some(R::NotGiven),
            ConsentState::Suspended => Some(R::Paused),
            ConsentState::Superseded => Some(R::Superseded),
            ConsentState::Expired => Some(R::Expired),
            ConsentState::Revoked => Some(R::Revoked),
            ConsentState::Invalidated => Some(R::Invalidated),
        };
        if let Some(code) = ended {
            found.deny(code, state.code(), "");
        }
    }
    if let Some(until) = policy.until.filter(|until| at > *until) {
        found.deny(R::Expired, until.to_string(), at.to_string());
    }
    if let Some(issued) = policy.issued.filter(|issued| at < *issued) {
        found.deny(R::NotYet, issued.to_string(), at.to_string());
    }
    for modifier in &policy.modifiers {
        if let Modifier::Ts { months } = modifier {
            time_limit(policy, *months, at, found);
        }
    }
    !found.reasons.iter().any(|reason| reason.outcome == Outcome::Deny)
}

/// All rules but the first. Each adds what it finds.
pub(super) fn all<'a>(
    matcher: &Matcher<'_>,
    policy: &'a Policy,
    purpose: &'a Purpose,
    at: Date,
    found: &mut Findings<'a>,
) {
    unknown(policy, purpose, found);
    let grants = Grants::of(policy);
    let named = diseases(matcher, &grants, policy, purpose, found);
    if !matcher.facet {
        stated(policy, purpose, found);
        for topic in &purpose.topics {
            topic_rule(&grants, *topic, purpose, found);
        }
    } else if purpose.diseases.is_empty() && grants.only_diseases() {
        found.review(R::NoDisease, "DS", "");
    }
    for topic in &purpose.topics {
        found.look(topic.code());
        match topic {
            Topic::Methods => methods(&grants, policy, purpose, found),
            Topic::Controls => controls(&grants, policy, purpose, named, found),
            Topic::Aggregate => aggregate(&grants, policy, found),
            Topic::ClinicalCare => clinical_care(policy, found),
            Topic::AiTraining => answered(policy, Question::AiTraining, "aiTraining", found),
            Topic::Gru => carried(policy, found),
            Topic::Poa if policy.modifiers.contains(&Modifier::Npoa) => found.deny(R::NoAncestry, "NPOA", "POA"),
            Topic::Reidentification | Topic::Relinking => identification(policy, *topic, found),
            _ => {}
        }
        if let Some(flag) = topic.flag() {
            sensitive(policy, flag, found);
        }
    }
    for flag in &purpose.sensitive {
        found.look(flag.code());
        sensitive(policy, *flag, found);
    }
    data(policy, purpose, found);
    recipients(policy, purpose, found);
    for modifier in &policy.modifiers {
        found.look(modifier.code());
        condition(modifier, purpose, at, found);
    }
}

/// Which topics the permissions grant, once for all rules.
pub(crate) struct Grants {
    /// The codes, for reasons.
    codes: Cow<'static, str>,
    pub general: Grant,
    pub health: Grant,
    pub ancestry: Grant,
    pub disease: bool,
    any: bool,
}

/// Whether a permission covers a topic, in order of generosity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grant {
    No,
    /// One does, and a narrower one beside it does not: older consents say both, and nobody knows which counts.
    Contradicted,
    Yes,
}

impl Grants {
    pub fn of(policy: &Policy) -> Self {
        let permissions = &policy.permissions;
        let codes = match permissions.as_slice() {
            [] => Cow::Borrowed(""),
            [one] => Cow::Borrowed(one.code()),
            many => {
                let mut codes: Vec<_> = many.iter().map(|permission| permission.code()).collect();
                codes.sort_unstable();
                Cow::Owned(codes.join(", "))
            }
        };
        let covers = |topic: Permission| {
            if !permissions.iter().any(|permission| permission.includes(topic)) {
                return Grant::No;
            }
            // A narrower one beside a permission that does not cover the topic either says nothing about it: {HMB, DS,
            // POA} contradicts itself about health and not about ancestry.
            let covering = || permissions.iter().filter(|permission| permission.includes(topic));
            let narrower = |p: &Permission| !p.includes(topic) && covering().any(|other| other.includes(*p));
            if permissions.iter().any(narrower) { Grant::Contradicted } else { Grant::Yes }
        };
        Self {
            codes,
            general: covers(Permission::Gru),
            health: covers(Permission::Hmb),
            ancestry: covers(Permission::Poa),
            disease: policy.permits(Permission::Ds),
            any: !permissions.is_empty(),
        }
    }

    /// The policy is about named diseases and nothing wider.
    fn only_diseases(&self) -> bool {
        self.disease && self.health == Grant::No
    }
}

/// What was not understood is a matter for a person.
///
/// Source: none of the public matchers has this rule, and each of them fails open for the lack of it.
fn unknown<'a>(policy: &'a Policy, purpose: &'a Purpose, found: &mut Findings<'a>) {
    for word in &policy.unknown {
        found.review(R::UnknownTerm, word.as_str(), "");
    }
    for word in purpose.unknown.iter().chain(&purpose.organisation.unknown) {
        found.review(R::UnknownTerm, "", word.as_str());
    }
}

/// Rule 1, first half: a policy permits something, and a purpose states a topic.
///
/// Source: DUO:0000001, "without a permission there is no use". DUOS approves both silences; they are listed as
/// unsafe there.
fn stated<'a>(policy: &'a Policy, purpose: &'a Purpose, found: &mut Findings<'a>) {
    for permission in &policy.permissions {
        found.look(permission.code());
    }
    if policy.permissions.is_empty() {
        found.deny(R::NothingPermitted, "", "");
    }
    if purpose.topics.is_empty() {
        found.review(R::NoTopic, "", "");
    }
}

/// Rule 1, second half: NRES >= GRU >= {HMB >= DS, POA}, and every topic lies under a permission.
///
/// Source: definitions of DUO:0000004, 0000042, 0000006 (which excludes ancestry), 0000007 and 0000011.
fn topic_rule<'a>(grants: &Grants, topic: Topic, purpose: &'a Purpose, found: &mut Findings<'a>) {
    let code = topic.code();
    match topic {
        Topic::Gru => granted(grants, grants.general, code, found),
        Topic::Hmb => granted(grants, grants.health, code, found),
        Topic::Poa => granted(grants, grants.ancestry, code, found),
        // The disease rule answers for each disease; here only whether there is one.
        Topic::Ds if !purpose.diseases.is_empty() => {}
        Topic::Ds if grants.disease || grants.health != Grant::No => {
            found.review(R::NoDisease, grants.codes.clone(), code);
        }
        Topic::Ds => granted(grants, Grant::No, code, found),
        Topic::Genetic
        | Topic::DrugDevelopment
        | Topic::AiTraining
        | Topic::Population
        | Topic::Age
        | Topic::Gender
        | Topic::Pediatric => part(grants, topic, purpose, found),
        // Rules of their own.
        Topic::Methods
        | Topic::Controls
        | Topic::Aggregate
        | Topic::ClinicalCare
        | Topic::Reidentification
        | Topic::Relinking => {}
    }
}

/// A topic that is part of research of some kind: on health in general, or on the diseases that the purpose names.
///
/// Source: DUO:0000038, 0000039 lie under biomedical research (DUO:0000037).
fn part<'a>(grants: &Grants, topic: Topic, purpose: &'a Purpose, found: &mut Findings<'a>) {
    let code = topic.code();
    if grants.health == Grant::Yes {
        granted(grants, grants.health, code, found);
    } else if grants.disease && !purpose.diseases.is_empty() {
        // The disease rule answers for each of them.
        found.permit(R::TopicWithDisease, grants.codes.clone(), code);
    } else if grants.health == Grant::Contradicted {
        granted(grants, grants.health, code, found);
    } else if grants.ancestry != Grant::No && topic != Topic::DrugDevelopment {
        found.review(R::TopicOfAncestry, grants.codes.clone(), code);
    } else {
        granted(grants, Grant::No, code, found);
    }
}

fn granted<'a>(grants: &Grants, grant: Grant, topic: &'a str, found: &mut Findings<'a>) {
    let codes = grants.codes.clone();
    match grant {
        Grant::Yes => found.permit(R::TopicCovered, codes, topic),
        Grant::No => found.deny(R::TopicNotCovered, codes, topic),
        Grant::Contradicted => found.review(R::PermissionsContradict, codes, topic),
    }
}

/// Rule 2: each disease of the purpose is one that the donor named, or descends from one. Says whether that holds for
/// all of them by name, whatever else the policy permits.
///
/// Source: DUO:0000007 and its argument; DUOS V4 for "many diseases of the purpose must all be covered, many of the
/// policy are alternatives". A term that is unknown, retired or of another hierarchy is never compared.
fn diseases<'a>(
    matcher: &Matcher<'_>,
    grants: &Grants,
    policy: &'a Policy,
    purpose: &'a Purpose,
    found: &mut Findings<'a>,
) -> bool {
    let mut all_named = grants.disease && !purpose.diseases.is_empty();
    for disease in &purpose.diseases {
        found.look(disease.as_str());
        let (ontology, term) = match look_up(matcher, disease) {
            Ok(live) => live,
            Err(code) => {
                all_named = false;
                found.review(code, grants.codes.clone(), disease.as_str());
                // A term that nobody can place is covered by no permission that has nothing to do with diseases.
                if !grants.disease && grants.health == Grant::No && grants.any {
                    found.deny(R::TopicNotCovered, grants.codes.clone(), disease.as_str());
                }
                continue;
            }
        };
        let (mut named, mut unclear) = (false, None);
        if grants.disease {
            for consented in &policy.diseases {
                match look_up(matcher, consented) {
                    Ok((other, ancestor)) if std::ptr::eq(other, ontology) => {
                        named |= ontology.is_a(term, ancestor);
                    }
                    Ok(_) => unclear = unclear.max(Some((R::DiseaseUnknown, consented))),
                    Err(code) => unclear = unclear.max(Some((code, consented))),
                }
            }
        }
        all_named &= named;
        match (named, unclear) {
            (true, _) => found.permit(R::DiseaseCovered, "DS", disease.as_str()),
            (false, _) if grants.health == Grant::Yes && !grants.disease => {
                found.permit(R::TopicCovered, grants.codes.clone(), disease.as_str());
            }
            (false, _) if grants.health != Grant::No => {
                found.review(R::PermissionsContradict, grants.codes.clone(), disease.as_str());
            }
            (false, Some((code, consented))) => found.review(code, consented.as_str(), disease.as_str()),
            (false, None) if grants.disease => {
                found.deny(R::DiseaseNotCovered, joined(&policy.diseases), disease.as_str());
            }
            (false, None) if grants.any => {
                found.deny(R::TopicNotCovered, grants.codes.clone(), disease.as_str());
            }
            (false, None) => {}
        }
    }
    all_named
}

/// Texts with commas between them, in an order of their own: the order of the document changes nothing.
pub(super) fn joined(texts: &[String]) -> Cow<'_, str> {
    match texts {
        [one] => Cow::Borrowed(one.as_str()),
        many => {
            let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
            many.sort_unstable();
            many.dedup();
            Cow::Owned(many.join(", "))
        }
    }
}

fn look_up<'o>(matcher: &Matcher<'o>, term: &str) -> Result<(&'o Ontology, TermIndex), R> {
    let ontology = matcher.of(term).ok_or(R::DiseaseUnknown)?;
    match ontology.find(term) {
        Found::Live(index) => Ok((ontology, index)),
        Found::Deprecated(_) => Err(R::DiseaseRetired),
        Found::Unknown => Err(R::DiseaseUnknown),
    }
}

/// Rule 3: methods are part of research under GRU, HMB and POA unless NMDS stands; with NMDS only beside a disease.
/// Methods alone on data for named diseases are for a person to judge, as the public suites contradict each other.
///
/// Source: DUO:0000015 and 0000031; FireCloud and DUOS V2 (DUOS V4 never reads NMDS).
fn methods<'a>(grants: &Grants, policy: &'a Policy, purpose: &'a Purpose, found: &mut Findings<'a>) {
    let codes = || grants.codes.clone();
    let wide = Some(grants.health.max(grants.ancestry)).filter(|grant| *grant != Grant::No);
    if !purpose.diseases.is_empty() && (grants.disease || grants.health != Grant::No) {
        found.permit(R::MethodsWithDisease, codes(), "methods");
    } else if policy.modifiers.contains(&Modifier::Nmds) {
        found.deny(R::NoMethods, "NMDS", "methods");
    } else if let Some(grant) = wide {
        granted(grants, grant, "methods", found);
    } else if grants.disease {
        found.review(R::MethodsOnDiseaseData, codes(), "methods");
    } else {
        found.deny(R::TopicNotCovered, codes(), "methods");
    }
}

/// Rule 4, first half: use as controls needs GRU or HMB without NCTRL, or the disease that the donor named. Beside
/// health research in general only if the donor answered the question.
///
/// Source: DUO:0000036, legacy NCTRL; FireCloud and the CS cases of DUOS. DUOS V4 abstains on health with controls.
fn controls<'a>(grants: &Grants, policy: &'a Policy, purpose: &'a Purpose, named: bool, found: &mut Findings<'a>) {
    let answer = policy.answers.get(Question::Controls);
    if named {
        found.permit(R::ControlsOfDisease, "DS", "controls");
    } else if grants.health == Grant::No {
        found.deny(R::TopicNotCovered, grants.codes.clone(), "controls");
    } else if policy.modifiers.contains(&Modifier::Nctrl) {
        found.deny(R::AnsweredNo, "NCTRL", "controls");
    } else if answer.is_some() || purpose.topics.contains(&Topic::Hmb) {
        answered(policy, Question::Controls, "controls", found);
        granted(grants, grants.health, "controls", found);
    } else {
        granted(grants, grants.health, "controls", found);
    }
}

/// Rule 4, second half: sums for all to see need GRU or HMB without NAGR.
///
/// Source: legacy NAGR; FireCloud and DUOS V2.
fn aggregate<'a>(grants: &Grants, policy: &'a Policy, found: &mut Findings<'a>) {
    if policy.modifiers.contains(&Modifier::Nagr) {
        found.deny(R::AnsweredNo, "NAGR", "aggregate");
    }
    if policy.answers.get(Question::Aggregate).is_some() {
        answered(policy, Question::Aggregate, "aggregate", found);
    }
    granted(grants, grants.health, "aggregate", found);
}

/// Rule 7, clinical care: CC adds it, and nothing else does but "no restriction".
///
/// Source: DUO:0000043.
fn clinical_care<'a>(policy: &'a Policy, found: &mut Findings<'a>) {
    if policy.modifiers.contains(&Modifier::Cc) {
        found.permit(R::CareAllowed, "CC", "clinicalCare");
    } else if policy.permits(Permission::Nres) {
        found.permit(R::CareAllowed, "NRES", "clinicalCare");
    } else {
        found.deny(R::CareNotAllowed, "CC", "clinicalCare");
    }
}

/// General research holds research on ancestry and on methods alone. Where the donor rules one of them out, a permit
/// for general research carries that as a duty.
///
/// Source: definition of DUO:0000042, which names both.
fn carried(policy: &Policy, found: &mut Findings<'_>) {
    for modifier in [Modifier::Npoa, Modifier::Nmds] {
        if policy.modifiers.contains(&modifier) {
            found.owe(modifier.code(), &[]);
        }
    }
}

/// Finding out who a donor is, or joining data about them, is never a silent yes.
///
/// Source: DUO issue 131 and pull request 132 ask for both conditions; DUO has no term yet.
fn identification<'a>(policy: &'a Policy, topic: Topic, found: &mut Findings<'a>) {
    let condition = if topic == Topic::Relinking { Modifier::Nrl } else { Modifier::Nri };
    if policy.modifiers.contains(&condition) {
        found.deny(R::NoIdentification, condition.code(), topic.code());
    } else {
        found.review(R::IdentificationUnclear, "", topic.code());
    }
}

/// Rule 9: what is delicate is for a person to decide, unless the donor answered that very question, or restricted
/// research to it.
///
/// Source: the abstain list of DUOS V4.
fn sensitive<'a>(policy: &'a Policy, flag: Flag, found: &mut Findings<'a>) {
    let named =
        |modifier: &Modifier| matches!(modifier, Modifier::Rs { topics } if topics.contains(&Focus::Flag(flag)));
    if flag == Flag::Controls && policy.modifiers.contains(&Modifier::Nctrl) {
        found.deny(R::AnsweredNo, "NCTRL", flag.code());
    } else if policy.answers.get(flag.question()).is_none() && policy.modifiers.iter().any(named) {
        found.permit(R::FocusMatched, "RS", flag.code());
    } else {
        answered(policy, flag.question(), flag.code(), found);
    }
}

/// What the donor answered to a question.
fn answered<'a>(policy: &'a Policy, question: Question, purpose: &'a str, found: &mut Findings<'a>) {
    match policy.answers.get(question) {
        Some(Answer::Yes) => found.permit(R::AnsweredYes, question.code(), purpose),
        Some(Answer::No) => found.deny(R::AnsweredNo, question.code(), purpose),
        Some(Answer::Undecided) => found.review(R::AnsweredNotSure, question.code(), purpose),
        None => found.review(R::NotAnswered, question.code(), purpose),
    }
}

/// Only kinds of data that the donor ticked, where the consent is about kinds of data.
///
/// Source: ISO/IEC TS 27560 (categories of personal data).
fn data<'a>(policy: &'a Policy, purpose: &'a Purpose, found: &mut Findings<'a>) {
    let Some(shared) = &policy.data else { return };
    if purpose.data.is_empty() {
        found.review(R::NoDataStated, "data", "");
    }
    for kind in &purpose.data {
        found.look(kind.code());
        if shared.contains(kind) {
            found.permit(R::DataCovered, kind.code(), kind.code());
        } else {
            found.deny(R::DataNotShared, "data", kind.code());
        }
    }
}

/// Only kinds of organisation that the donor ticked, where the consent names kinds.
///
/// Source: DPV `hasRecipient`; the categories are those of Mackenzie's Mission (who asks counts most for people).
fn recipients<'a>(policy: &'a Policy, purpose: &'a Purpose, found: &mut Findings<'a>) {
    if policy.recipients.is_empty() {
        return;
    }
    match purpose.organisation.kind {
        None => found.deny(R::RecipientNotStated, "recipients", "organisation"),
        Some(kind) if policy.recipients.contains(&kind) => {
            found.permit(R::RecipientAllowed, kind.code(), kind.code());
        }
        Some(kind) => found.deny(R::RecipientNotAllowed, "recipients", kind.code()),
    }
}
