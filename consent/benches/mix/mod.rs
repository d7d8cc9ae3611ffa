//! Policies and purposes as a biobank has them: always the same ones, made from a fixed seed.

use super::duos::{Dataset, Request};
use consent::ontology::{Ontology, TermIndex};
use consent::{
    Date, EthicsApproval, Flag, Modifier, Organisation, OrganisationKind, Permission, Policy, Purpose, Topic,
};

const NEAR: [&str; 4] = ["NL", "BE", "DE", "FR"];
const INSTITUTIONS: [&str; 3] = ["https://ror.org/05xvt9f17", "https://ror.org/008xxew50", "https://ror.org/057w15z03"];

/// What comes next.
pub struct Mix {
    state: u64,
    /// Diseases that purposes are about. Policies name them, or what they are kinds of.
    studied: Vec<TermIndex>,
}

impl Mix {
    pub fn new() -> Self {
        let mut mix = Self { state: 0x2545_f491_4f6c_dd1d, studied: Vec::new() };
        let terms: Vec<_> = Ontology::mondo().terms().collect();
        mix.studied = (0..256).map(|_| *mix.one(&terms)).collect();
        mix
    }

    /// xorshift64*: short, and the same everywhere.
    fn below(&mut self, end: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let high = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        high as usize % end
    }

    fn one<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }

    fn some<T: Clone + PartialEq>(&mut self, of: &[T], least: usize, most: usize) -> Vec<T> {
        let count = least + self.below(most - least + 1);
        let mut taken: Vec<T> = Vec::new();
        while taken.len() < count {
            let next = self.one(of);
            if !taken.contains(next) {
                taken.push(next.clone());
            }
        }
        taken
    }

    fn date(&mut self, year: usize) -> Date {
        format!("{year}-{:02}-{:02}", 1 + self.below(12), 1 + self.below(28)).parse().unwrap()
    }

    fn texts(&mut self, of: &[&str], least: usize, most: usize) -> Vec<String> {
        self.some(of, least, most).into_iter().map(str::to_owned).collect()
    }

    /// Half of the policies have three to five conditions.
    fn modifiers(&mut self) -> Vec<Modifier> {
        if self.below(2) == 0 {
            return Vec::new();
        }
        let all = [
            Modifier::Npu,
            Modifier::Ncu,
            Modifier::Pub,
            Modifier::Irb,
            Modifier::Col { with: Vec::new() },
            Modifier::Rtn,
            Modifier::Nri,
            Modifier::Nmds,
            Modifier::Nctrl,
            Modifier::Gso,
            Modifier::Cc,
            Modifier::Ts { months: 24 + self.below(48) as u32 },
            Modifier::Mor { date: self.date(2026) },
            Modifier::Gs { places: self.texts(&NEAR, 1, 3) },
            Modifier::Gs { places: vec!["EU".to_owned()] },
            Modifier::Is { institutions: self.texts(&INSTITUTIONS, 1, 2) },
        ];
        self.some(&all, 3, 5)
    }

    fn policy(&mut self, permission: Permission) -> Policy {
        let (year, modifiers) = (2024 + self.below(2), self.modifiers());
        let issued = Some(self.date(year));
        Policy { permissions: vec![permission], modifiers, issued, ..Policy::default() }
    }

    /// A policy that names no disease.
    pub fn general_policy(&mut self) -> Policy {
        let permission = *self.one(&[Permission::Gru, Permission::Hmb, Permission::Poa, Permission::Hmb]);
        self.policy(permission)
    }

    /// A policy for one to three diseases, most of them wider than what is studied.
    pub fn disease_policy(&mut self) -> Policy {
        let mut policy = self.policy(Permission::Ds);
        for _ in 0..=self.below(3) {
            let at = self.below(self.studied.len());
            let mut disease = self.studied[at];
            for _ in 0..self.below(5) {
                if let [_, ..] = Ontology::mondo().parents(disease) {
                    disease = *self.one(Ontology::mondo().parents(disease));
                }
            }
            policy.diseases.push(Ontology::mondo().curie(disease));
        }
        policy
    }

    /// One or the other.
    pub fn any_policy(&mut self) -> Policy {
        if self.below(2) == 0 { self.general_policy() } else { self.disease_policy() }
    }

    fn purpose(&mut self, topics: Vec<Topic>) -> Purpose {
        let kinds = [OrganisationKind::NonProfit, OrganisationKind::Academic, OrganisationKind::Commercial];
        let kind = *self.one(&kinds);
        let approval = EthicsApproval {
            committee: "Medical ethics review board".to_owned(),
            number: format!("{}-{}", 2024 + self.below(3), self.below(1000)),
            valid_until: self.date(2027),
        };
        Purpose {
            topics,
            commercial: Some(kind.makes_profit()),
            organisation: Organisation {
                id: (*self.one(&INSTITUTIONS)).to_owned(),
                kind: Some(kind),
                unknown: Vec::new(),
            },
            places: self.texts(&NEAR, 1, 2),
            publishes_on: Some(self.date(2027)),
            ethics_approval: (self.below(4) != 0).then_some(approval),
            genetic: Some(self.below(2) == 0),
            sensitive: if self.below(8) == 0 { vec![Flag::Pediatric] } else { Vec::new() },
            ..Purpose::default()
        }
    }

    /// A purpose that names no disease.
    pub fn general_purpose(&mut self) -> Purpose {
        let topics = [Topic::Gru, Topic::Hmb, Topic::Hmb, Topic::Poa, Topic::Methods, Topic::Controls, Topic::Genetic];
        let topics = self.some(&topics, 1, 3);
        self.purpose(topics)
    }

    /// A purpose about one or two diseases.
    pub fn disease_purpose(&mut self) -> Purpose {
        let studied = self.studied.clone();
        let diseases = self.some(&studied, 1, 2).into_iter().map(|term| Ontology::mondo().curie(term)).collect();
        Purpose { diseases, ..self.purpose(vec![Topic::Ds]) }
    }
}

/// What DUOS sees of a policy.
pub fn dataset(policy: &Policy) -> Dataset {
    Dataset {
        general: policy.permits(Permission::Gru),
        health: policy.permits(Permission::Hmb),
        ancestry: policy.permits(Permission::Poa),
        diseases: policy.diseases.clone(),
        non_profit: policy.modifiers.contains(&Modifier::Npu),
    }
}

/// What DUOS sees of a purpose.
pub fn request(purpose: &Purpose) -> Request {
    let about = |topic| purpose.topics.contains(&topic);
    Request {
        general: about(Topic::Gru),
        health: about(Topic::Hmb),
        ancestry: about(Topic::Poa),
        methods: about(Topic::Methods),
        diseases: purpose.diseases.clone(),
        non_profit: purpose.organisation.kind.map(|kind| !kind.makes_profit()),
        delicate: about(Topic::Controls) || !purpose.sensitive.is_empty(),
    }
}
