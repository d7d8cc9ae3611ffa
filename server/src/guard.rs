//! Who may do what: Cedar policies over roles. What no policy permits is refused.
//!
//! A decision depends on the role, the organisation and what it is about, never on who somebody is: no identifier
//! reaches a policy. So decisions can be remembered, and logged without a word about a person.

#[cfg(test)]
mod tests;

use crate::Problem;
use crate::desk::AccountRole;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicyId, PolicySet, Request,
    RestrictedExpression, Schema,
};
use identity::Did;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use thiserror::Error;

const SCHEMA: &str = include_str!("../policies/guard.cedarschema");
const POLICIES: &str = include_str!("../policies/guard.cedar");
/// How many different decisions are remembered: roles times organisations times actions.
const MAX_REMEMBERED: usize = 8_192;

/// The rules as the institution publishes them in its log: schema and policies, as they are in the program.
pub fn policy_text() -> String {
    format!("{SCHEMA}\n{POLICIES}")
}

/// Why the policies in the program can not be used. A test holds that they can.
#[derive(Debug, Error)]
#[error("policies: {0}")]
pub struct GuardError(String);

impl GuardError {
    fn because(cause: impl std::fmt::Display) -> Self {
        Self(cause.to_string())
    }
}

/// Who calls, as far as policies care.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// Did not say who they are.
    Anybody,
    /// A program on the service's own machine.
    Machine,
    /// Signed, and is not on the books.
    Stranger,
    /// A donor's key: the one for the biobank, or one for a study.
    Participant {
        /// Whether it is the key of an enrolled donor for the biobank.
        donor: bool,
        /// Which organisation runs the study of this key.
        organisation: Option<String>,
    },
    /// Somebody with an account.
    Account {
        /// In which role.
        role: AccountRole,
        /// For which organisation.
        organisation: String,
    },
}

/// What a call is about: an entity type of the schema with its attributes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resource {
    kind: &'static str,
    attributes: BTreeMap<&'static str, Attribute>,
}

/// One attribute of a principal or a resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// A text.
    Text(String),
    /// A yes or no.
    Flag(bool),
}

impl From<bool> for Attribute {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Resource {
    /// Something of a type in the schema, without attributes.
    pub fn of(kind: &'static str) -> Self {
        Self { kind, attributes: BTreeMap::new() }
    }

    /// The biobank as a whole.
    pub fn biobank() -> Self {
        Self::of("Biobank")
    }

    /// With one attribute more.
    pub fn with(mut self, name: &'static str, value: impl Into<Attribute>) -> Self {
        self.attributes.insert(name, value.into());
        self
    }
}

impl Principal {
    fn described(&self) -> Resource {
        match self {
            Self::Anybody => Resource::of("Anybody"),
            Self::Machine => Resource::of("Machine"),
            Self::Stranger => Resource::of("Stranger"),
            Self::Participant { donor, organisation } => {
                let key = Resource::of("Participant").with("donor", *donor);
                match organisation {
                    Some(organisation) => key.with("organisation", organisation.as_str()),
                    None => key,
                }
            }
            Self::Account { role, organisation } => {
                Resource::of(role.policy_name()).with("organisation", organisation.as_str())
            }
        }
    }
}

/// What was decided, and by which policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may be done.
    pub allowed: bool,
    /// The ids of the policies that decided, joined by commas; empty if none spoke.
    pub policies: Arc<str>,
}

impl Verdict {
    /// Goes on, or refuses.
    pub fn or_refuse(&self) -> Result<(), Problem> {
        if self.allowed { Ok(()) } else { Err(Problem::not_allowed()) }
    }
}

type Question = (Principal, &'static str, Resource, bool);

/// Decides who may do what.
pub struct Guard {
    schema: Schema,
    policies: PolicySet,
    groups: Entities,
    remembered: RwLock<HashMap<Question, Verdict>>,
    /// Makes callers tell-apart in a log, and unknown to who reads it; another one at each start.
    salt: [u8; 16],
}

impl Guard {
    /// Reads the policies that are part of the program.
    pub fn new() -> Result<Self, GuardError> {
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(GuardError::because)?;
        let parsed: PolicySet = POLICIES.parse().map_err(GuardError::because)?;
        let mut policies = PolicySet::new();
        for policy in parsed.policies() {
            let id = policy.annotation("id").ok_or_else(|| GuardError("a policy without an id".into()))?;
            policies.add(policy.new_id(PolicyId::new(id))).map_err(GuardError::because)?;
        }
        let groups = schema.action_entities().map_err(GuardError::because)?;
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(GuardError::because)?;
        Ok(Self { schema, policies, groups, remembered: RwLock::default(), salt })
    }

    /// Says whether this principal may do this. `delegated` tells that the caller shows a capability of theirs.
    pub fn decide(&self, who: &Principal, action: &'static str, what: &Resource, delegated: bool) -> Verdict {
        let question = (who.clone(), action, what.clone(), delegated);
        // A verdict is written whole, so a lock that was held in a panic is as good as any.
        if let Some(known) = self.remembered.read().unwrap_or_else(PoisonError::into_inner).get(&question) {
            return known.clone();
        }
        let verdict = self.ask(who, action, what, delegated).unwrap_or_else(|cause| {
            // What the schema does not foresee is refused, as an action of a role that has nothing to do with it is.
            tracing::debug!(%cause, action, "a call that the schema does not foresee");
            Verdict { allowed: false, policies: "".into() }
        });
        let mut remembered = self.remembered.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(question, verdict.clone());
        verdict
    }

    /// Whether a capability can name this action.
    pub fn is_delegable(&self, action: &str) -> bool {
        let uid = |name: &str| entity_id("Action", name);
        match (uid("delegable"), uid(action)) {
            (Ok(group), Ok(action)) => self.groups.is_ancestor_of(&group, &action),
            _ => false,
        }
    }

    /// A caller as the log names them: the same one alike until the next start, and nobody's DID.
    pub fn fingerprint(&self, did: &Did) -> String {
        let digest = Sha256::new().chain_update(self.salt).chain_update(did.as_str()).finalize();
        hex::encode(&digest[..6])
    }

    fn ask(
        &self,
        who: &Principal,
        action: &'static str,
        what: &Resource,
        delegated: bool,
    ) -> Result<Verdict, GuardError> {
        let (principal, resource) = (entity("caller", &who.described())?, entity("it", what)?);
        let context = Context::from_pairs([("delegated".to_owned(), RestrictedExpression::new_bool(delegated))])
            .map_err(GuardError::because)?;
        let action = entity_id("Action", action)?;
        let request = Request::new(principal.uid(), action, resource.uid(), context, Some(&self.schema))
            .map_err(GuardError::because)?;
        let entities =
            Entities::from_entities([principal, resource], Some(&self.schema)).map_err(GuardError::because)?;
        let answer = Authorizer::new().is_authorized(&request, &self.policies, &entities);
        let mut ids: Vec<&str> = answer.diagnostics().reason().map(AsRef::as_ref).collect();
        ids.sort_unstable();
        // A policy that could not be evaluated is passed over by Cedar; here one such is a refusal.
        let failed = answer.diagnostics().errors().next().is_some();
        Ok(Verdict { allowed: answer.decision() == Decision::Allow && !failed, policies: ids.join(",").into() })
    }
}

fn entity_id(kind: &str, id: &str) -> Result<EntityUid, GuardError> {
    let kind: EntityTypeName = kind.parse().map_err(GuardError::because)?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

fn entity(id: &str, described: &Resource) -> Result<Entity, GuardError> {
    let attributes = described
        .attributes
        .iter()
        .map(|(name, value)| {
            let value = match value {
                Attribute::Text(text) => RestrictedExpression::new_string(text.clone()),
                Attribute::Flag(flag) => RestrictedExpression::new_bool(*flag),
            };
            ((*name).to_owned(), value)
        })
        .collect();
    Entity::new(entity_id(described.kind, id)?, attributes, HashSet::new()).map_err(GuardError::because)
}
