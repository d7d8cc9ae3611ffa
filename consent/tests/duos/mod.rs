//! A second matcher to compare with: the rules of DUOS, version 4, as they are coded there
//! (`DataUseMatchCasesV4.java` of DataBiosphere/consent-ontology), rule by rule and with their mistakes.
//!
//! It sees only what DUOS sees. Places, moratoria, ethics and "no methods research" have no rule there, so they have no
//! field here. Where its own tables say nothing, nothing is added: it is an oracle for what the most used matcher
//! answers, not for what is right.

use consent::ontology::{Found, Ontology};

/// What a request is for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub general: bool,
    pub health: bool,
    pub ancestry: bool,
    pub methods: bool,
    pub diseases: Vec<String>,
    /// Whether who asks makes no profit, if stated.
    pub non_profit: Option<bool>,
    /// One of the words on which DUOS never decides: controls, population, gender, pediatric, vulnerable, illegal,
    /// sexual, psychological, not health, stigmatised.
    pub delicate: bool,
}

/// What may be done with a dataset.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    pub general: bool,
    pub health: bool,
    pub ancestry: bool,
    pub diseases: Vec<String>,
    pub non_profit: bool,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Approve,
    Deny,
    Abstain,
}

/// Each rule approves or not; an abstention outranks a denial.
pub fn decide(request: &Request, dataset: &Dataset, hierarchy: &Ontology) -> Answer {
    let disease = disease_approves(request, dataset, hierarchy);
    if request.delicate || !request.is_usable() {
        return Answer::Abstain;
    }
    let approved = disease
        && health_approves(request, dataset)
        && ancestry_approves(request, dataset)
        && methods_approve(request, dataset, disease)
        && non_profit_approves(request, dataset);
    if approved { Answer::Approve } else { Answer::Deny }
}

impl Request {
    /// Whether it states anything that a rule looks at.
    fn is_usable(&self) -> bool {
        let topic = self.general || self.health || self.ancestry || self.methods;
        topic || !self.diseases.is_empty() || self.non_profit.is_some()
    }
}

/// Many diseases of the request must all be covered, by any of the dataset's. A request without a disease is approved
/// whatever the dataset is restricted to.
fn disease_approves(request: &Request, dataset: &Dataset, hierarchy: &Ontology) -> bool {
    if request.diseases.is_empty() || dataset.general || dataset.health {
        return true;
    }
    request.diseases.iter().all(|asked| {
        // DUOS denies where its look-up fails.
        let Found::Live(asked) = hierarchy.find(asked) else { return false };
        let covers = |allowed: &String| match hierarchy.find(allowed) {
            Found::Live(allowed) => hierarchy.is_a(asked, allowed),
            _ => false,
        };
        dataset.diseases.iter().any(covers)
    })
}

fn health_approves(request: &Request, dataset: &Dataset) -> bool {
    if dataset.general || !request.health && !dataset.health {
        true
    } else if dataset.health {
        request.health || !request.general
    } else {
        dataset.diseases.is_empty() && !dataset.ancestry
    }
}

fn ancestry_approves(request: &Request, dataset: &Dataset) -> bool {
    !request.ancestry || dataset.general || dataset.ancestry
}

fn methods_approve(request: &Request, dataset: &Dataset, disease: bool) -> bool {
    let no_disease = request.diseases.is_empty() && dataset.diseases.is_empty();
    no_disease || !request.methods || dataset.general || dataset.health || dataset.ancestry || disease
}

fn non_profit_approves(request: &Request, dataset: &Dataset) -> bool {
    !dataset.non_profit || request.non_profit == Some(true)
}
