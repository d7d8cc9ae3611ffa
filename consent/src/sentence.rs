//! Rules as messages for a person. The words themselves stand in the interface's Fluent files.

use crate::{Modifier, Permission, Policy};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The id of a sentence and what fills its gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The id in the Fluent files.
    pub id: String,
    /// Named gaps; lists are joined with a comma.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
}

impl Message {
    /// A message without gaps.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), args: BTreeMap::new() }
    }

    /// Fills one gap.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.args.insert(name.to_owned(), value.into());
        self
    }
}

/// The rules of a policy, one message a clause, permissions first.
pub fn rules(policy: &Policy) -> Vec<Message> {
    let permissions = policy.permissions.iter().map(|permission| match permission {
        Permission::Nres => Message::new("rule-nres"),
        Permission::Gru => Message::new("rule-gru"),
        Permission::Hmb => Message::new("rule-hmb"),
        Permission::Ds => Message::new("rule-ds").with("diseases", policy.diseases.join(", ")),
        Permission::Poa => Message::new("rule-poa"),
    });
    let modifiers = policy.modifiers.iter().map(|modifier| match modifier {
        Modifier::Npu => Message::new("rule-npu"),
        Modifier::Ncu => Message::new("rule-ncu"),
        Modifier::Nmds => Message::new("rule-nmds"),
        Modifier::Npoa => Message::new("rule-npoa"),
        Modifier::Gs { places } => Message::new("rule-gs").with("places", places.join(", ")),
        Modifier::Irb => Message::new("rule-irb"),
        Modifier::Pub => Message::new("rule-pub"),
        Modifier::Rtn => Message::new("rule-rtn"),
        Modifier::Unknown => Message::new("rule-unknown"),
    });
    permissions.chain(modifiers).collect()
}
