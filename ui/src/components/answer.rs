//! A question with three answers of the same size: yes, no, not sure.

use consent::{Answer, Vocabulary};
use yew::prelude::*;

/// Properties of a question.
#[derive(Properties, PartialEq)]
pub struct AnswerFieldProps {
    /// Its id in the page, and the name of its group.
    pub id: AttrValue,
    /// The question, which is the group's accessible name.
    pub question: AttrValue,
    /// A word of help under the question.
    #[prop_or_default]
    pub help: Option<AttrValue>,
    /// The answer, none before the person gives one.
    pub answer: Option<Answer>,
    /// Takes an answer.
    pub on_answer: Callback<Answer>,
}

/// A group of three radio buttons. Nothing is chosen beforehand, and "Not sure" is an answer like the others.
#[component]
pub fn AnswerField(props: &AnswerFieldProps) -> Html {
    let help = format!("{}-help", props.id);
    let option = |answer: &Answer| {
        let answer = *answer;
        let onchange = props.on_answer.reform(move |_: Event| answer);
        html! {
            <label class="option" key={answer.code()}>
                <input type="radio" name={props.id.clone()} value={answer.code()}
                    checked={props.answer == Some(answer)} {onchange} />
                <span>{ t!(format!("answer-{}", answer.code())) }</span>
            </label>
        }
    };
    html! {
        <fieldset class="answer-field" id={props.id.clone()}
            aria-describedby={props.help.is_some().then(|| help.clone())}>
            <legend>{ &props.question }</legend>
            if let Some(text) = &props.help {
                <p class="soft small" id={help}>{ text }</p>
            }
            <div class="options three">{ for Answer::ALL.iter().map(option) }</div>
        </fieldset>
    }
}
