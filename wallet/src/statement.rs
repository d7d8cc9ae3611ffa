//! The text that a person sees and signs, made from the same clauses as the machine terms.
//!
//! The digest of this text goes into the credential (a version of a consent) or, salted, into the entry (every step).
//! The text itself stays in the journal, and can be made anew from what was signed: if it is the same, then what was
//! seen is what was signed.

use crate::studies::notice_digest;
use bridge::{DonorStep, StatementView};
use consent::{
    DataKind, Date, Message, Modifier, Notice, Policy, Preferences, StudyRequest, Vocabulary, answers, rules, words,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A text and what names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The text; paragraphs are parted by an empty line.
    pub text: String,
    /// Its name, version, digest and language.
    pub notice: Notice,
}

impl Statement {
    fn new(uri: String, version: u32, language: &str, paragraphs: &[String]) -> Self {
        let text = paragraphs.join("\n\n");
        let sha256 = digest(&text);
        // The language that the words are in, which can be another than the one that was asked for.
        Self { text, notice: Notice { uri, version, sha256, language: words::language(language).to_owned() } }
    }

    /// As a screen shows it.
    pub fn view(&self) -> StatementView {
        let paragraphs = self.text.split("\n\n").map(str::to_owned).collect();
        StatementView { paragraphs, digest: self.notice.sha256.clone() }
    }

    /// Whether the text still has the digest that was signed.
    pub fn holds(&self) -> bool {
        digest(&self.text) == self.notice.sha256
    }
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// The text of an answer: who asks for what, what is given, under which rules, and what the person can do later.
pub fn of_answer(request: &StudyRequest, policy: &Policy, preferences: &Preferences) -> Statement {
    let language = request.language.as_str();
    let say = |message: Message| words::sentence(language, &message);
    let kinds = |kinds: &[DataKind]| kinds.iter().map(|kind| kind.code()).collect::<Vec<_>>().join(", ");
    let kept: Vec<_> =
        request.offers.iter().map(|offer| offer.kind).filter(|kind| !policy.shared().contains(kind)).collect();
    let mut text = vec![
        say(Message::new("statement-title")
            .with("study", &request.title)
            .with("organisation", &request.organisation_name)),
        say(Message::new("statement-version").with("version", request.version.to_string())),
        say(Message::new("statement-why").with("why", &request.why)),
        say(Message::new("statement-shared").with("data", kinds(policy.shared()))),
    ];
    if !kept.is_empty() {
        text.push(say(Message::new("statement-kept").with("data", kinds(&kept))));
    }
    text.extend(rules(policy).into_iter().map(say));
    text.extend(answers(policy, preferences).into_iter().map(|message| {
        let answer = message.args.get("answer").cloned().unwrap_or_default();
        say(Message::new("statement-answer").with("question", message.id).with("answer", answer))
    }));
    text.push(match last_day(policy) {
        Some(until) => say(Message::new("statement-until").with("date", until.to_string())),
        None => say(Message::new("statement-open-end")),
    });
    text.extend(terms(request).into_iter().map(say));
    text.extend(["statement-risk", "statement-stop", "statement-care"].map(|id| say(Message::new(id))));
    text.push(say(Message::new("statement-text")));
    text.extend(request.text.split("\n\n").map(str::to_owned));
    // Whatever else is signed from the request - lists, identifiers, details - is in its digest.
    text.push(say(Message::new("statement-request").with("mark", notice_digest(request))));
    Statement::new(format!("urn:consent-wallet:study:{}", request.id), request.version, language, &text)
}

/// The last day of use: the one that is named, or the end of the months that are counted from the first day.
pub fn last_day(policy: &Policy) -> Option<Date> {
    let months = policy.find(|modifier| match modifier {
        Modifier::Ts { months } => Some(*months),
        _ => None,
    });
    let counted = months.zip(policy.issued).and_then(|(months, issued)| Some(issued.plus_months(months)?.day_before()));
    policy.until.into_iter().chain(counted).min()
}

/// The terms of the study that a person signs along.
fn terms(request: &StudyRequest) -> Vec<Message> {
    let terms = &request.terms;
    let day = |id: &str, day: Option<Date>| day.map(|day| Message::new(id).with("date", day.to_string()));
    let ethics = terms.ethics.as_ref().map(|ethics| {
        Message::new("statement-ethics").with("committee", &ethics.committee).with("number", &ethics.number)
    });
    let law = terms.jurisdiction.as_ref().map(|country| Message::new("statement-law").with("places", country));
    let grace = terms.withdrawal.as_ref().and_then(|withdrawal| withdrawal.grace_days);
    let grace = grace.map(|days| Message::new("statement-grace").with("days", days.to_string()));
    let collect = day("statement-collect", terms.collect_until);
    let retain = day("statement-retain", terms.retain_until);
    [ethics, law, collect, retain, grace].into_iter().flatten().collect()
}

/// The text of a pause, its end, or a withdrawal.
pub fn of_step(request: &StudyRequest, step: DonorStep) -> Statement {
    let language = request.language.as_str();
    let say = |message: Message| words::sentence(language, &message);
    let about = |id: &str| Message::new(id).with("study", &request.title);
    let (name, text) = match step {
        DonorStep::Pause { until: Some(day) } => {
            ("pause", vec![say(about("statement-pause-until").with("date", day.to_string()))])
        }
        DonorStep::Pause { until: None } => ("pause", vec![say(about("statement-pause"))]),
        DonorStep::Resume => ("resume", vec![say(about("statement-resume"))]),
        DonorStep::Withdraw { level } => {
            let level = format!("withdrawal-{}", level.code());
            let text = vec![
                say(about("statement-withdraw")),
                say(Message::new(level.clone())),
                say(Message::new(format!("{level}-text"))),
            ];
            ("withdraw", text)
        }
    };
    Statement::new(format!("urn:consent-wallet:step:{name}:{}", request.id), 1, language, &text)
}
