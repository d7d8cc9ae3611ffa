//! What a person can keep of an answer: a receipt in the form of their choice, and a proof for a researcher.

use crate::components::{Button, Icon, Problem, Shape};
use crate::hooks::use_action;
use bridge::{ReceiptFormat, SaveProof, SaveReceipt, SavedFile};
use consent::StudyId;
use yew::prelude::*;

/// Properties of the part.
#[derive(Properties, PartialEq)]
pub struct CopiesProps {
    /// Which study.
    pub study: StudyId,
    /// Whether there is something to prove.
    pub proof: bool,
}

/// The part.
#[component]
pub fn Copies(props: &CopiesProps) -> Html {
    let format = use_state(|| ReceiptFormat::Pdf);
    let saved = use_state(|| None::<(&'static str, String)>);
    let keep = |id: &'static str| {
        let saved = saved.setter();
        Callback::from(move |file: SavedFile| saved.set(Some((id, file.path))))
    };
    let receipt = use_action::<SaveReceipt>(keep("receipt-saved"));
    let proof = use_action::<SaveProof>(keep("sharing-saved"));
    let study = props.study.clone();
    let on_receipt = {
        let (study, format) = (study.clone(), *format);
        receipt.run.reform(move |()| SaveReceipt { study: study.clone(), format })
    };
    let on_proof = proof.run.reform(move |()| SaveProof { study: study.clone() });
    let option = |kind: ReceiptFormat| {
        let name = kind.name();
        let onchange = {
            let format = format.setter();
            Callback::from(move |_: Event| format.set(kind))
        };
        html! {
            <label class="tick" key={name}>
                <input type="radio" name="receipt-format" value={name} checked={*format == kind} {onchange} />
                <span>{ t!(format!("receipt-{name}")) }</span>
            </label>
        }
    };
    // Under the button that was pressed, where the eye is.
    let told = |id: &'static str| {
        html! {
            <div role="status">
                if let Some((_, path)) = saved.as_ref().filter(|(of, _)| *of == id) {
                    <div class="note"><Icon shape={Shape::Check} size={20} />
                        <div><p>{ t!(id) }</p><p class="code">{ path }</p></div></div>
                }
            </div>
        }
    };
    html! {
        <section aria-labelledby="copies">
            <h2 id="copies">{ t!("consent-copies") }</h2>
            <div class="card copies">
                <div class="row wrap top">
                    <fieldset class="group grow">
                        <legend>{ t!("receipt-which") }</legend>
                        { for ReceiptFormat::ALL.map(option) }
                    </fieldset>
                    <Button icon={Shape::File} text={t!("receipt-save")} on_press={on_receipt} busy={receipt.busy} />
                </div>
                { told("receipt-saved") }
                if props.proof {
                    <div class="row wrap apart">
                        <p class="soft grow" id="proof-help">{ t!("sharing-save-hint") }</p>
                        <Button icon={Shape::File} text={t!("sharing-save")} about="proof-help" on_press={on_proof}
                            busy={proof.busy} />
                    </div>
                    { told("sharing-saved") }
                }
                { for [(&receipt.failure, &receipt.again), (&proof.failure, &proof.again)].into_iter()
                    .filter_map(|(failure, again)| Some(html! {
                        <Problem failure={failure.clone()?} on_retry={again.clone()} />
                    })) }
            </div>
        </section>
    }
}
