//! Does this policy allow this purpose?
//!
//! Every rule is a function that adds reasons; none can take one back. The outcome is the strictest reason:
//! deny before review before permit. What is unknown is never a yes.

use crate::{ConsentState, Date, Message, Modifier, OrganisationKind, Permission, Policy, Purpose, Topic};
use serde::{Deserialize, Serialize};

/// The answer, in order of strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// The use is covered.
    Permit,
    /// A person has to decide.
    Review,
    /// The use is not covered.
    Deny,
}

/// One comparison and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What this reason alone would answer.
    pub outcome: Outcome,
    /// The sentence, with its gaps filled.
    pub message: Message,
    /// The clause of the policy that was compared, by its code.
    pub policy: String,
    /// The clause of the purpose that it was compared with.
    pub purpose: String,
}

/// The answer with all its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Permit, review or deny.
    pub outcome: Outcome,
    /// Every reason, the strictest first.
    pub reasons: Vec<Reason>,
    /// What the user of the data owes in return, by code. Empty unless permitted.
    pub duties: Vec<String>,
}

/// Decides whether `policy` allows `purpose` on the day `at`. Never fails; looks at nothing but its arguments.
pub fn decide(policy: &Policy, purpose: &Purpose, at: Date) -> Decision {
    let mut reasons = Reasons(Vec::new());
    if !state(policy, at, &mut reasons) {
        return reasons.into_decision(policy);
    }
    topics(policy, purpose, &mut reasons);
    data(policy, purpose, &mut reasons);
    for modifier in &policy.modifiers {
        condition(modifier, purpose, at, &mut reasons);
    }
    reasons.into_decision(policy)
}

struct Reasons(Vec<Reason>);

impl Reasons {
    fn add(&mut self, outcome: Outcome, id: &str, policy: &str, purpose: &str) {
        let message = Message::new(id).with("policy", policy).with("purpose", purpose);
        self.0.push(Reason { outcome, message, policy: policy.to_owned(), purpose: purpose.to_owned() });
    }

    fn covered(&mut self, covered: bool, policy: &str, purpose: &str) {
        if covered {
            self.add(Outcome::Permit, "reason-topic-covered", policy, purpose);
        } else {
            self.add(Outcome::Deny, "reason-topic-not-covered", policy, purpose);
        }
    }

    fn into_decision(mut self, policy: &Policy) -> Decision {
        self.0.sort_by(|a, b| (b.outcome, &a.message.id, &a.purpose).cmp(&(a.outcome, &b.message.id, &b.purpose)));
        self.0.dedup();
        let outcome = self.0.first().map_or(Outcome::Review, |reason| reason.outcome);
        let duty = |modifier: &Modifier| matches!(modifier, Modifier::Pub | Modifier::Rtn | Modifier::Irb);
        let mut duties: Vec<String> = match outcome {
            Outcome::Permit => policy.modifiers.iter().filter(|m| duty(m)).map(|m| m.code().to_owned()).collect(),
            Outcome::Review | Outcome::Deny => Vec::new(),
        };
        duties.sort();
        duties.dedup();
        Decision { outcome, reasons: self.0, duties }
    }
}

/// A consent that is not in force, or over, denies before anything else is looked at.
fn state(policy: &Policy, at: Date, reasons: &mut Reasons) -> bool {
    match policy.status {
        None | Some(ConsentState::Active) => {}
        Some(ConsentState::Withdrawn) => reasons.add(Outcome::Deny, "reason-withdrawn", "status", ""),
        Some(ConsentState::Refused) => reasons.add(Outcome::Deny, "reason-refused", "status", ""),
        Some(_) => reasons.add(Outcome::Deny, "reason-not-given", "status", ""),
    }
    if let Some(until) = policy.until.filter(|until| at > *until) {
        reasons.add(Outcome::Deny, "reason-expired", &until.to_string(), &at.to_string());
    }
    reasons.0.is_empty()
}

/// The lattice of topics: NRES >= GRU >= {HMB >= DS, POA}. HMB never covers ancestry.
fn topics(policy: &Policy, purpose: &Purpose, reasons: &mut Reasons) {
    if policy.permissions.is_empty() {
        return reasons.add(Outcome::Deny, "reason-nothing-permitted", "", "");
    }
    if purpose.topics.is_empty() {
        return reasons.add(Outcome::Review, "reason-no-topic", "", "");
    }
    let permits = |p| policy.permissions.contains(&p);
    let general = permits(Permission::Gru) || permits(Permission::Nres);
    let health = general || permits(Permission::Hmb);
    let codes = policy.permissions.iter().map(|p| p.code()).collect::<Vec<_>>().join(", ");
    for topic in &purpose.topics {
        let code = topic.code();
        match topic {
            Topic::Gru => reasons.covered(general, &codes, code),
            Topic::Hmb => reasons.covered(health, &codes, code),
            Topic::Poa => reasons.covered(general || permits(Permission::Poa), &codes, code),
            // Under GRU, HMB or POA methods are part of research; on disease-specific data a person has to look.
            Topic::Methods if health || permits(Permission::Poa) => reasons.covered(true, &codes, code),
            Topic::Methods => reasons.add(Outcome::Review, "reason-methods-on-disease-data", &codes, code),
            Topic::Ds if purpose.diseases.is_empty() => reasons.add(Outcome::Review, "reason-no-disease", &codes, code),
            Topic::Ds => diseases(policy, purpose, health, &codes, reasons),
            Topic::Unknown => reasons.add(Outcome::Review, "reason-unknown-term", "", code),
        }
    }
}

/// Each disease of the purpose must be one that the donor named. Without a hierarchy at hand, another disease
/// may still be a kind of it: that is for a person to say.
fn diseases(policy: &Policy, purpose: &Purpose, health: bool, codes: &str, reasons: &mut Reasons) {
    for disease in &purpose.diseases {
        if health {
            reasons.add(Outcome::Permit, "reason-topic-covered", codes, disease);
        } else if policy.diseases.contains(disease) {
            reasons.add(Outcome::Permit, "reason-disease-covered", disease, disease);
        } else if policy.permissions.contains(&Permission::Ds) {
            reasons.add(Outcome::Review, "reason-disease-unknown", &policy.diseases.join(", "), disease);
        } else {
            reasons.add(Outcome::Deny, "reason-topic-not-covered", codes, disease);
        }
    }
}

/// Only kinds of data that the donor ticked.
fn data(policy: &Policy, purpose: &Purpose, reasons: &mut Reasons) {
    if purpose.data.is_empty() {
        reasons.add(Outcome::Review, "reason-no-data-stated", "", "");
    }
    for kind in &purpose.data {
        if policy.data.contains(kind) {
            reasons.add(Outcome::Permit, "reason-data-covered", kind.code(), kind.code());
        } else {
            reasons.add(Outcome::Deny, "reason-data-not-shared", "data", kind.code());
        }
    }
}

fn condition(modifier: &Modifier, purpose: &Purpose, at: Date, reasons: &mut Reasons) {
    let code = modifier.code();
    match modifier {
        Modifier::Npu => match purpose.organisation.kind {
            Some(OrganisationKind::NonProfit) => {
                reasons.add(Outcome::Permit, "reason-non-profit", code, "organisation")
            }
            Some(OrganisationKind::Commercial) => reasons.add(Outcome::Deny, "reason-for-profit", code, "organisation"),
            None => reasons.add(Outcome::Deny, "reason-profit-not-stated", code, "organisation"),
        },
        Modifier::Ncu => match purpose.commercial {
            Some(false) => reasons.add(Outcome::Permit, "reason-not-commercial", code, "commercial"),
            Some(true) => reasons.add(Outcome::Deny, "reason-commercial", code, "commercial"),
            None => reasons.add(Outcome::Deny, "reason-commercial-not-stated", code, "commercial"),
        },
        // With NMDS, methods are allowed only beside a disease that the policy covers; the disease rule decides on that one.
        Modifier::Nmds if purpose.topics.contains(&Topic::Methods) => {
            let beside_disease = purpose.topics.contains(&Topic::Ds) && !purpose.diseases.is_empty();
            let outcome = if beside_disease { Outcome::Permit } else { Outcome::Deny };
            reasons.add(
                outcome,
                if beside_disease { "reason-methods-with-disease" } else { "reason-no-methods" },
                code,
                "methods",
            );
        }
        Modifier::Npoa if purpose.topics.contains(&Topic::Poa) => {
            reasons.add(Outcome::Deny, "reason-no-ancestry", code, "POA")
        }
        Modifier::Nmds | Modifier::Npoa | Modifier::Pub | Modifier::Rtn => {}
        Modifier::Gs { places } => place(places, purpose, reasons),
        Modifier::Irb => match &purpose.ethics_approval {
            Some(approval) if at <= approval.valid_until => {
                reasons.add(Outcome::Permit, "reason-ethics-approved", code, &approval.number)
            }
            Some(approval) => {
                reasons.add(Outcome::Review, "reason-ethics-expired", code, &approval.valid_until.to_string())
            }
            None => reasons.add(Outcome::Review, "reason-ethics-missing", code, ""),
        },
        Modifier::Unknown => reasons.add(Outcome::Review, "reason-unknown-term", code, ""),
    }
}

/// Every place of the purpose must be an allowed one.
fn place(allowed: &[String], purpose: &Purpose, reasons: &mut Reasons) {
    if purpose.places.is_empty() {
        reasons.add(Outcome::Deny, "reason-no-place-stated", &allowed.join(", "), "");
    }
    for place in &purpose.places {
        let (outcome, id) = if allowed.contains(place) {
            (Outcome::Permit, "reason-place-allowed")
        } else {
            (Outcome::Deny, "reason-place-not-allowed")
        };
        reasons.add(outcome, id, &allowed.join(", "), place);
    }
}
