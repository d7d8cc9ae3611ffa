//! Does this policy allow this purpose?
//!
//! Every rule is a function that adds reasons; none can take one back. The outcome is the strictest reason:
//! deny before review before permit. What is unknown is never a yes. The rules themselves are in [`rules`].

mod conditions;
mod rules;

pub(crate) use conditions::{is_identifier, is_party};
pub(crate) use rules::{Grant, Grants};

use crate::ontology::Ontology;
use crate::{Date, Message, Policy, Purpose};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

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

impl Outcome {
    /// The word, as it is written.
    pub fn code(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Review => "review",
            Self::Deny => "deny",
        }
    }
}

/// One row a reason: variant and code. The sentence is `reason-` and the code.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        /// What came of one comparison.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum ReasonCode { $($(#[$doc])* #[serde(rename = $code)] $name,)* }

        impl ReasonCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code that travels: `disease-covered`.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

reasons! {
    /// The donor took the consent back.
    Withdrawn = "withdrawn";
    /// The donor said no.
    Refused = "refused";
    /// The donor has not answered.
    NotGiven = "not-given";
    /// The donor paused the consent.
    Paused = "paused";
    /// A later version took its place.
    Superseded = "superseded";
    /// The biobank, an ethics board or a court ended it.
    Revoked = "revoked";
    /// It is not valid.
    Invalidated = "invalidated";
    /// Its last day is over.
    Expired = "expired";
    /// It begins later.
    NotYet = "not-yet";
    /// Taken back for contact only.
    NoContact = "no-contact";
    /// Taken back for everything new.
    NoAccess = "no-access";
    /// A word that this version does not know.
    UnknownTerm = "unknown-term";
    /// The policy has no permission.
    NothingPermitted = "nothing-permitted";
    /// The purpose has no topic.
    NoTopic = "no-topic";
    /// A permission covers the topic.
    TopicCovered = "topic-covered";
    /// No permission covers the topic.
    TopicNotCovered = "topic-not-covered";
    /// One permission covers the topic, and a narrower one beside it does not.
    PermissionsContradict = "permissions-contradict";
    /// The topic belongs to the study of a named disease.
    TopicWithDisease = "topic-with-disease";
    /// The topic may be part of research on ancestry.
    TopicOfAncestry = "topic-of-ancestry";
    /// The purpose is about diseases, and names none.
    NoDisease = "no-disease";
    /// The disease is one that the donor named, or a kind of it.
    DiseaseCovered = "disease-covered";
    /// The disease is none that the donor named.
    DiseaseNotCovered = "disease-not-covered";
    /// The disease is not a term of the hierarchy at hand, or of another hierarchy than the donor's.
    DiseaseUnknown = "disease-unknown";
    /// The term was retired.
    DiseaseRetired = "disease-retired";
    /// Methods alone, on data for named diseases.
    MethodsOnDiseaseData = "methods-on-disease-data";
    /// Methods beside a named disease.
    MethodsWithDisease = "methods-with-disease";
    /// No research on methods alone.
    NoMethods = "no-methods";
    /// Controls for the disease that the donor named.
    ControlsOfDisease = "controls-of-disease";
    /// The donor answered a question with yes.
    AnsweredYes = "answered-yes";
    /// The donor answered a question with no.
    AnsweredNo = "answered-no";
    /// The donor is not sure.
    AnsweredNotSure = "answered-not-sure";
    /// The donor was not asked.
    NotAnswered = "not-answered";
    /// A kind of data is shared.
    DataCovered = "data-covered";
    /// A kind of data is not shared.
    DataNotShared = "data-not-shared";
    /// The purpose names no kind of data.
    NoDataStated = "no-data-stated";
    /// The organisation makes no profit.
    NonProfit = "non-profit";
    /// The organisation makes profit.
    ForProfit = "for-profit";
    /// The organisation does not say.
    ProfitNotStated = "profit-not-stated";
    /// The use is not commercial.
    NotCommercial = "not-commercial";
    /// The use is commercial.
    Commercial = "commercial";
    /// The purpose does not say.
    CommercialNotStated = "commercial-not-stated";
    /// The donor allows this kind of organisation.
    RecipientAllowed = "recipient-allowed";
    /// The donor does not allow this kind of organisation.
    RecipientNotAllowed = "recipient-not-allowed";
    /// The organisation does not say what it is.
    RecipientNotStated = "recipient-not-stated";
    /// The place is allowed.
    PlaceAllowed = "place-allowed";
    /// The place is not allowed.
    PlaceNotAllowed = "place-not-allowed";
    /// The purpose names no place.
    NoPlaceStated = "no-place-stated";
    /// A text that is no place.
    PlaceUnknown = "place-unknown";
    /// Within the months of the consent.
    WithinTime = "within-time";
    /// The months are over.
    TimeOver = "time-over";
    /// The consent does not say when it began.
    IssueNotStated = "issue-not-stated";
    /// Publication after the moratorium.
    AfterMoratorium = "after-moratorium";
    /// Publication before the moratorium is over.
    BeforeMoratorium = "before-moratorium";
    /// The purpose agrees on no day of publication.
    PublicationNotStated = "publication-not-stated";
    /// Institution, project or person is approved.
    PartyApproved = "party-approved";
    /// Institution, project or person is not approved.
    PartyNotApproved = "party-not-approved";
    /// The purpose does not name it.
    PartyNotStated = "party-not-stated";
    /// A name is not an identifier.
    PartyUnclear = "party-unclear";
    /// The ethics approval holds.
    EthicsApproved = "ethics-approved";
    /// The ethics approval ran out.
    EthicsExpired = "ethics-expired";
    /// There is no ethics approval.
    EthicsMissing = "ethics-missing";
    /// Clinical care is allowed.
    CareAllowed = "care-allowed";
    /// Clinical care is not allowed.
    CareNotAllowed = "care-not-allowed";
    /// Genotypes are part of the work.
    GeneticWork = "genetic-work";
    /// Genotypes are not part of the work.
    NotGenetic = "not-genetic";
    /// The purpose does not say.
    GeneticNotStated = "genetic-not-stated";
    /// The purpose is about what the donor restricted research to.
    FocusMatched = "focus-matched";
    /// It is not.
    FocusNotMatched = "focus-not-matched";
    /// It may be.
    FocusUnclear = "focus-unclear";
    /// No research on ancestry.
    NoAncestry = "no-ancestry";
    /// No finding out who the donor is, and no joining with other data.
    NoIdentification = "no-identification";
    /// Whether that is allowed, nobody has said.
    IdentificationUnclear = "identification-unclear";
}

/// One comparison and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason<'a> {
    /// What this reason alone would answer.
    pub outcome: Outcome,
    /// What was found.
    pub code: ReasonCode,
    /// The clause of the policy that was compared: a code, a term, or codes with commas between them.
    pub policy: Cow<'a, str>,
    /// The clause of the purpose that it was compared with.
    pub purpose: Cow<'a, str>,
}

impl Reason<'_> {
    /// The sentence, with its gaps filled.
    pub fn message(&self) -> Message {
        Message::new(format!("reason-{}", self.code.code()))
            .with("policy", self.policy.as_ref())
            .with("purpose", self.purpose.as_ref())
    }

    fn into_owned(self) -> Reason<'static> {
        let (policy, purpose) = (self.policy.into_owned().into(), self.purpose.into_owned().into());
        Reason { outcome: self.outcome, code: self.code, policy, purpose }
    }
}

/// Something that the user of the data owes in return.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Duty<'a> {
    /// Its code: `PUB`.
    pub code: Cow<'a, str>,
    /// With whom, for `COL`.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub with: Cow<'a, [String]>,
}

/// The answer with all its reasons. It borrows from the policy and the purpose; [`Decision::into_owned`] lets go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision<'a> {
    /// Permit, review or deny.
    #[serde(rename = "decision")]
    pub outcome: Outcome,
    /// Every reason, the strictest first.
    pub reasons: Vec<Reason<'a>>,
    /// What the user of the data owes in return. Empty unless permitted.
    pub duties: Vec<Duty<'a>>,
    /// The terms of policy and purpose that were looked at.
    #[serde(default)]
    pub evaluated: Vec<Cow<'a, str>>,
}

impl Decision<'_> {
    /// The same decision, on its own.
    pub fn into_owned(self) -> Decision<'static> {
        let duty = |duty: Duty<'_>| Duty { code: duty.code.into_owned().into(), with: duty.with.into_owned().into() };
        Decision {
            outcome: self.outcome,
            reasons: self.reasons.into_iter().map(Reason::into_owned).collect(),
            duties: self.duties.into_iter().map(duty).collect(),
            evaluated: self.evaluated.into_iter().map(|term| term.into_owned().into()).collect(),
        }
    }
}

/// Decides whether `policy` allows `purpose` on the day `at`, by the embedded disease hierarchy. Never fails; looks
/// at nothing but its arguments.
#[cfg(feature = "mondo")]
pub fn decide<'a>(policy: &'a Policy, purpose: &'a Purpose, at: Date) -> Decision<'a> {
    Matcher::new(&[Ontology::mondo()]).decide(policy, purpose, at)
}

/// The rules together with the disease hierarchies by which they compare.
#[derive(Debug, Clone, Copy)]
pub struct Matcher<'o> {
    ontologies: &'o [&'o Ontology],
    facet: bool,
}

impl<'o> Matcher<'o> {
    /// A matcher over these hierarchies; where two have the same prefix, the first counts. A disease of none of them
    /// is a matter for review.
    pub fn new(ontologies: &'o [&'o Ontology]) -> Self {
        Self { ontologies, facet: false }
    }

    /// Leaves out the topic rule, so that one facet can be looked at alone.
    #[must_use]
    pub fn facet(self) -> Self {
        Self { facet: true, ..self }
    }

    /// Decides whether `policy` allows `purpose` on the day `at`. Never fails; looks at nothing but its arguments.
    pub fn decide<'a>(&self, policy: &'a Policy, purpose: &'a Purpose, at: Date) -> Decision<'a> {
        let mut findings = Findings::new(policy, purpose);
        if rules::standing(policy, at, &mut findings) {
            rules::all(self, policy, purpose, at, &mut findings);
        }
        findings.into_decision()
    }

    /// The hierarchy to which a term belongs.
    fn of(&self, term: &str) -> Option<&'o Ontology> {
        let local = term.strip_prefix("http://purl.obolibrary.org/obo/").unwrap_or(term);
        let prefix = local.split([':', '_']).next().unwrap_or_default();
        self.ontologies.iter().copied().find(|ontology| ontology.prefix() == prefix)
    }
}

/// What the rules have found so far.
pub(crate) struct Findings<'a> {
    reasons: Vec<Reason<'a>>,
    duties: Vec<Duty<'a>>,
    evaluated: Vec<Cow<'a, str>>,
}

impl<'a> Findings<'a> {
    fn new(policy: &Policy, purpose: &Purpose) -> Self {
        let terms = policy.permissions.len() + policy.modifiers.len() + purpose.topics.len() + purpose.diseases.len();
        let (reasons, evaluated) = (Vec::with_capacity(terms + 2), Vec::with_capacity(terms + 4));
        Self { reasons, duties: Vec::new(), evaluated }
    }

    fn add(
        &mut self,
        outcome: Outcome,
        code: ReasonCode,
        policy: impl Into<Cow<'a, str>>,
        purpose: impl Into<Cow<'a, str>>,
    ) {
        self.reasons.push(Reason { outcome, code, policy: policy.into(), purpose: purpose.into() });
    }

    fn permit(&mut self, code: ReasonCode, policy: impl Into<Cow<'a, str>>, purpose: impl Into<Cow<'a, str>>) {
        self.add(Outcome::Permit, code, policy, purpose);
    }

    fn review(&mut self, code: ReasonCode, policy: impl Into<Cow<'a, str>>, purpose: impl Into<Cow<'a, str>>) {
        self.add(Outcome::Review, code, policy, purpose);
    }

    fn deny(&mut self, code: ReasonCode, policy: impl Into<Cow<'a, str>>, purpose: impl Into<Cow<'a, str>>) {
        self.add(Outcome::Deny, code, policy, purpose);
    }

    fn look(&mut self, term: impl Into<Cow<'a, str>>) {
        self.evaluated.push(term.into());
    }

    fn owe(&mut self, code: &'a str, with: &'a [String]) {
        let mut with = Cow::Borrowed(with);
        if !with.is_sorted() {
            with.to_mut().sort_unstable();
        }
        self.duties.push(Duty { code: code.into(), with });
    }

    fn into_decision(mut self) -> Decision<'a> {
        // The order of anything in policy or purpose changes nothing.
        self.reasons.sort_unstable_by(|a, b| {
            (b.outcome, a.code, &a.purpose, &a.policy).cmp(&(a.outcome, b.code, &b.purpose, &b.policy))
        });
        self.reasons.dedup();
        // Only a facet can have nothing to object to and nothing to say.
        let outcome = self.reasons.first().map_or(Outcome::Permit, |reason| reason.outcome);
        if outcome == Outcome::Permit {
            self.duties.sort_unstable();
            self.duties.dedup();
        } else {
            self.duties.clear();
        }
        self.evaluated.sort_unstable();
        self.evaluated.dedup();
        Decision { outcome, reasons: self.reasons, duties: self.duties, evaluated: self.evaluated }
    }
}
