//! What few purposes state: rarer topics, whom and what it is about, genes, and the day of publication.

use super::form::{Draft, TOPICS, group, tick, toggle};
use crate::components::{DateField, Entered};
use consent::{Flag, Purpose, Topic, Vocabulary};
use yew::prelude::*;

/// Properties of the part.
#[derive(Properties, PartialEq)]
pub struct MoreProps {
    /// What stands in the form.
    pub draft: Draft,
    /// Takes a changed draft.
    pub on_draft: Callback<Draft>,
}

/// The part: closed, unless the study stated something of it.
#[component]
pub fn More(props: &MoreProps) -> Html {
    let purpose = &props.draft.purpose;
    let change = |edit: Box<dyn Fn(&mut Purpose)>| {
        let (draft, on_draft) = (props.draft.clone(), props.on_draft.clone());
        Callback::from(move |_: Event| {
            let mut next = draft.clone();
            edit(&mut next.purpose);
            on_draft.emit(next);
        })
    };
    // Some topics are groups of people too. They are asked for once, as groups: a donor's rule is about those.
    let asked = |topic: &&Topic| topic.flag().is_none() || purpose.topics.contains(topic);
    let rare = || Topic::ALL.iter().filter(|topic| !TOPICS.contains(*topic)).filter(asked);
    let topics = rare().map(|topic| {
        let (topic, code) = (*topic, topic.code());
        let edit = change(Box::new(move |purpose| toggle(&mut purpose.topics, topic)));
        tick("checkbox", "topic", code, t!(format!("topic-{code}")), purpose.topics.contains(&topic), edit)
    });
    let once = |flag: &&Flag| **flag != Flag::Controls || purpose.sensitive.contains(flag);
    let flags = Flag::ALL.iter().filter(once).map(|flag| {
        let (flag, code) = (*flag, flag.code());
        let edit = change(Box::new(move |purpose| toggle(&mut purpose.sensitive, flag)));
        tick("checkbox", "sensitive", code, t!(format!("flag-{code}")), purpose.sensitive.contains(&flag), edit)
    });
    let genetic =
        [("yes", t!("yes"), Some(true)), ("no", t!("no"), Some(false)), ("unstated", t!("option-unstated"), None)].map(
            |(code, label, value)| {
                let edit = change(Box::new(move |purpose| purpose.genetic = value));
                tick("radio", "genetic", code, label, purpose.genetic == value, edit)
            },
        );
    let on_publication = {
        let (draft, on_draft) = (props.draft.clone(), props.on_draft.clone());
        Callback::from(move |entered: Entered| {
            let mut next = draft.clone();
            next.publication_wrong = entered == Entered::Wrong;
            next.purpose.publishes_on = if let Entered::Day(day) = entered { Some(day) } else { None };
            on_draft.emit(next);
        })
    };
    let stated = rare().any(|topic| purpose.topics.contains(topic))
        || !purpose.sensitive.is_empty()
        || purpose.publishes_on.is_some();
    // Opened for what the study stated; then it stays as the person leaves it, whatever is ticked.
    let open = use_memo(props.draft.study(), |_| stated);
    html! {
        <details open={*open}>
            <summary>{ t!("form-more") }</summary>
            <div class="columns">
                { group(t!("form-more-topics"), topics) }
                { group(t!("form-sensitive"), flags) }
                <div>
                    { group(t!("form-genetic"), genetic) }
                    <DateField id="publication" label={t!("form-publication")} hint={t!("form-publication-hint")}
                        value={purpose.publishes_on} on_change={on_publication} />
                </div>
            </div>
        </details>
    }
}
