//! What a person would allow in general: standing wishes, before any study asks.
//!
//! Choices sign nothing and permit nothing. They tell a person which requests fit and which do not, and what a change
//! of mind would mean for the studies that run. "Not sure" is an answer, and leads to a look at the request.

use crate::decide::{Decision, Matcher, Outcome, Reason, ReasonCode};
use crate::modifier::Modifier;
use crate::vocabulary::{Answer, Answers, DataKind, OrganisationKind, Permission, Question, Topic, Vocabulary};
use crate::{Date, Policy, Preferences, Purpose, TermSystem};
use serde::{Deserialize, Serialize};

/// Standing wishes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Choices {
    /// Any research, health research, or named diseases; nothing while the person is not sure.
    pub scope: Option<Permission>,
    /// The diseases, if the scope is named diseases.
    pub diseases: Vec<String>,
    /// The hierarchy in which they were chosen.
    pub ontology: Option<TermSystem>,
    /// Research on where people come from.
    pub ancestry: Option<Answer>,
    /// Building new methods, without a question about health.
    pub methods: Option<Answer>,
    /// Use to earn money.
    pub commercial: Option<Answer>,
    /// Who may use data.
    pub who: Answers<OrganisationKind>,
    /// Which kinds of data.
    pub what: Answers<DataKind>,
    /// Where data may be used. Empty: anywhere. Nothing: not sure.
    pub places: Option<Vec<String>>,
    /// Single questions.
    pub questions: Answers<Question>,
    /// Results and contact.
    pub preferences: Preferences,
}

impl Choices {
    /// The firm part of the choices as a policy.
    pub fn policy(&self) -> Policy {
        let mut permissions: Vec<Permission> = self.scope.into_iter().collect();
        // The word for ancestry is one of its own: health research never covers it.
        if self.ancestry == Some(Answer::Yes) && self.scope.is_none_or(|scope| !scope.includes(Permission::Poa)) {
            permissions.push(Permission::Poa);
        }
        let mut modifiers = Vec::new();
        let no = |answer: Option<Answer>| answer == Some(Answer::No);
        let conditions = [
            (no(self.ancestry), Modifier::Npoa),
            (no(self.methods), Modifier::Nmds),
            (no(self.commercial), Modifier::Ncu),
        ];
        modifiers.extend(conditions.into_iter().filter(|(set, _)| *set).map(|(_, modifier)| modifier));
        if let Some(places) = self.places.as_ref().filter(|places| !places.is_empty()) {
            modifiers.push(Modifier::Gs { places: places.clone() });
        }
        // A kind that the person is not sure about is looked at below, not refused.
        let wanted = |kind: &DataKind| self.what.get(*kind) != Some(Answer::No);
        let welcome = |kind: &OrganisationKind| self.who.get(*kind) != Some(Answer::No);
        let recipients: Vec<_> = OrganisationKind::ALL.iter().copied().filter(welcome).collect();
        if recipients.is_empty() {
            // In a policy an empty list means everybody; who wants nobody permits nothing.
            permissions.clear();
        }
        Policy {
            permissions,
            diseases: self.diseases.clone(),
            ontology: self.ontology.clone(),
            modifiers,
            data: Some(DataKind::ALL.iter().copied().filter(wanted).collect()),
            answers: self.questions,
            recipients: if recipients.len() == OrganisationKind::ALL.len() { Vec::new() } else { recipients },
            ..Policy::default()
        }
    }

    /// The choices as a policy for others, who can not ask the person: what is open is not given, and what can not be
    /// said as "not given" is left as a word that nobody understands, so that it leads to review.
    pub fn cautious_policy(&self) -> Policy {
        let mut policy = self.policy();
        policy.data =
            Some(DataKind::ALL.iter().copied().filter(|kind| self.what.get(*kind) == Some(Answer::Yes)).collect());
        policy.recipients =
            OrganisationKind::ALL.iter().copied().filter(|kind| self.who.get(*kind) == Some(Answer::Yes)).collect();
        if policy.recipients.is_empty() {
            policy.permissions.clear();
        }
        let open = |answer: Option<Answer>| answer != Some(Answer::Yes);
        for (open, condition) in [
            (open(self.ancestry), Modifier::Npoa),
            (open(self.methods), Modifier::Nmds),
            (open(self.commercial), Modifier::Ncu),
        ] {
            if open && !policy.modifiers.contains(&condition) {
                policy.modifiers.push(condition);
            }
        }
        if self.places.is_none() {
            policy.unknown.push("places not sure".to_owned());
        }
        policy
    }

    /// Whether a purpose fits the choices: permit fits, deny does not, review is for the person to say.
    pub fn compare(&self, matcher: &Matcher<'_>, purpose: &Purpose, at: Date) -> Decision<'static> {
        let policy = self.policy();
        // Whoever is not sure what for has not said no.
        let matcher = if self.scope.is_none() { matcher.facet() } else { *matcher };
        let mut decision = matcher.decide(&policy, purpose, at).into_owned();
        let mut more: Vec<Reason<'static>> = Vec::new();
        let mut say = |concerned: bool, outcome, code, policy: &'static str, purpose: &'static str| {
            if concerned {
                more.push(Reason { outcome, code, policy: policy.into(), purpose: purpose.into() });
            }
        };
        let mut unsure = |concerned, policy, purpose| {
            say(concerned, Outcome::Review, ReasonCode::AnsweredNotSure, policy, purpose);
        };
        let about = |topic| purpose.topics.contains(&topic);
        let open = |answer: Option<Answer>| !matches!(answer, Some(Answer::Yes | Answer::No));
        unsure(self.scope.is_none(), "scope", "topics");
        unsure(about(Topic::Poa) && open(self.ancestry), "ancestry", Topic::Poa.code());
        unsure(about(Topic::Methods) && open(self.methods), "methods", Topic::Methods.code());
        unsure(purpose.commercial != Some(false) && open(self.commercial), "commercial", "commercial");
        unsure(self.places.is_none() && !purpose.places.is_empty(), "places", "places");
        for kind in &purpose.data {
            unsure(open(self.what.get(*kind)), "data", kind.code());
        }
        if let Some(kind) = purpose.organisation.kind {
            unsure(open(self.who.get(kind)), "recipients", kind.code());
            // Also where the person is not sure what for, or wants nobody.
            let refused = self.who.get(kind) == Some(Answer::No);
            say(refused, Outcome::Deny, ReasonCode::RecipientNotAllowed, "recipients", kind.code());
        }
        decision.reasons.append(&mut more);
        decision.reasons.sort_by_key(|reason| std::cmp::Reverse(reason.outcome));
        decision.outcome = decision.reasons.iter().map(|reason| reason.outcome).max().unwrap_or(Outcome::Review);
        if decision.outcome != Outcome::Permit {
            decision.duties.clear();
        }
        decision
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Organisation;

    fn purpose() -> Purpose {
        Purpose {
            topics: vec![Topic::Hmb],
            commercial: Some(false),
            organisation: Organisation { kind: Some(OrganisationKind::Academic), ..Organisation::default() },
            places: vec!["NL".into()],
            data: vec![DataKind::Genome],
            ..Purpose::default()
        }
    }

    fn fit(choices: &Choices) -> Outcome {
        choices.compare(&Matcher::new(&[]), &purpose(), "2026-11-22".parse().unwrap()).outcome
    }

    fn firm() -> Choices {
        Choices {
            scope: Some(Permission::Hmb),
            who: Answers::default().with(OrganisationKind::Academic, Answer::Yes),
            what: Answers::default().with(DataKind::Genome, Answer::Yes),
            places: Some(vec!["EU".into()]),
            ..Choices::default()
        }
    }

    #[test]
    fn for_others_what_is_open_is_not_given() {
        let says = |choices: &Choices, purpose: &Purpose| {
            let policy = choices.cautious_policy();
            Matcher::new(&[]).decide(&policy, purpose, "2026-11-22".parse().unwrap()).outcome
        };
        assert_eq!(says(&firm(), &purpose()), Outcome::Permit);
        assert_eq!(says(&Choices { places: None, ..firm() }, &purpose()), Outcome::Review);
        assert_eq!(says(&Choices { scope: None, ..firm() }, &purpose()), Outcome::Deny);
        assert_eq!(says(&Choices { what: Answers::default(), ..firm() }, &purpose()), Outcome::Deny);
        assert_eq!(says(&Choices { who: Answers::default(), ..firm() }, &purpose()), Outcome::Deny);
        assert_eq!(says(&firm(), &Purpose { commercial: Some(true), ..purpose() }), Outcome::Deny);
        assert_eq!(says(&firm(), &Purpose { topics: vec![Topic::Methods], ..purpose() }), Outcome::Deny);
    }

    #[test]
    fn what_is_firm_decides_and_what_is_open_asks_for_a_look() {
        assert_eq!(fit(&firm()), Outcome::Permit);
        assert_eq!(fit(&Choices::default()), Outcome::Review);
        assert_eq!(fit(&Choices { scope: None, ..firm() }), Outcome::Review);
        assert_eq!(fit(&Choices { places: None, ..firm() }), Outcome::Review);
        assert_eq!(fit(&Choices { places: Some(vec!["US".into()]), ..firm() }), Outcome::Deny);
        let no_dna = Answers::default().with(DataKind::Genome, Answer::No);
        assert_eq!(fit(&Choices { what: no_dna, ..firm() }), Outcome::Deny);
        let unsure = Answers::default().with(OrganisationKind::Academic, Answer::Undecided);
        assert_eq!(fit(&Choices { who: unsure, ..firm() }), Outcome::Review);
        let nobody = OrganisationKind::ALL.iter().map(|kind| (*kind, Answer::No)).collect();
        assert_eq!(fit(&Choices { who: nobody, ..firm() }), Outcome::Deny);
        assert_eq!(fit(&Choices { scope: Some(Permission::Poa), ..firm() }), Outcome::Deny);
    }
}
