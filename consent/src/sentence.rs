//! Clauses as messages for a person. The words themselves stand in `words/`, one file a language.

use crate::modifier::Modifier;
use crate::vocabulary::{Answer, Answers, ContactKind, Question, ResultKind, Vocabulary};
use crate::{Policy, Preferences};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The id of a sentence and what fills its gaps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Message {
    /// The id in the Fluent files.
    pub id: String,
    /// Named gaps; codes are joined with a comma, names with a line break.
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

/// The name of a disease for a person: its label in the embedded hierarchy, or the term itself.
pub fn disease_name(term: &str) -> String {
    #[cfg(feature = "mondo")]
    if let crate::ontology::Found::Live(index) = crate::ontology::Ontology::mondo().find(term) {
        return crate::ontology::Ontology::mondo().label(index).to_owned();
    }
    term.to_owned()
}

/// The rules of a policy, one message a clause: the permission, who, and the conditions.
pub fn rules(policy: &Policy) -> Vec<Message> {
    let permissions = policy.permissions.iter().map(|permission| {
        let message = Message::new(format!("rule-{}", permission.code().to_lowercase()));
        match permission {
            crate::Permission::Ds => {
                let names: Vec<_> = policy.diseases.iter().map(|term| disease_name(term)).collect();
                // A name can hold a comma, so names stand on lines of their own.
                message.with("diseases", names.join("\n"))
            }
            _ => message,
        }
    });
    let recipients = (!policy.recipients.is_empty()).then(|| {
        let kinds: Vec<_> = policy.recipients.iter().map(|kind| kind.code()).collect();
        Message::new("rule-recipients").with("recipients", kinds.join(", "))
    });
    let modifiers = policy.modifiers.iter().map(modifier_rule);
    let unknown = (!policy.unknown.is_empty()).then(|| Message::new("rule-unknown"));
    permissions.chain(recipients).chain(modifiers).chain(unknown).collect()
}

fn modifier_rule(modifier: &Modifier) -> Message {
    let message = Message::new(format!("rule-{}", modifier.code().to_lowercase()));
    match modifier {
        Modifier::Gs { places } => message.with("places", places.join(", ")),
        Modifier::Rs { topics } => {
            message.with("topics", topics.iter().map(|focus| focus.code()).collect::<Vec<_>>().join(", "))
        }
        Modifier::Mor { date } => message.with("date", date.to_string()),
        Modifier::Ts { months } => message.with("months", months.to_string()),
        Modifier::Us { users } => message.with("users", users.join(", ")),
        Modifier::Ps { projects } => message.with("projects", projects.join(", ")),
        Modifier::Is { institutions } => message.with("institutions", institutions.join(", ")),
        _ => message,
    }
}

/// A question with its answer: `question-…`, `result-…` or `contact-…`, and the answer's code in the gap `answer`.
pub fn answers(policy: &Policy, preferences: &Preferences) -> Vec<Message> {
    fn of<Q: Vocabulary + PartialEq>(kind: &str, answers: Answers<Q>) -> Vec<Message> {
        let say = |(question, answer): (Q, Answer)| {
            Message::new(format!("{kind}-{}", question.code())).with("answer", answer.code())
        };
        answers.iter().map(say).collect()
    }
    let mut all = of::<Question>("question", policy.answers);
    all.extend(of::<ResultKind>("result", preferences.results));
    all.extend(of::<ContactKind>("contact", preferences.contact));
    all
}
