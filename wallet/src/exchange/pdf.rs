//! A receipt on paper: what a person allowed, in plain words, with a code that names it.
//!
//! The receipt itself is [`super::receipt`]: the canonical JSON of the DPV consent receipt. It is attached to the PDF
//! as `consent-receipt.jsonld`, byte for byte. The code and the letters beside it are SHA-256 of these bytes, written
//! `sha256:` and 64 digits: whoever has the file can see that the paper belongs to it, with any tool that computes
//! SHA-256.
//!
//! The file conforms to PDF/A-3a (it will still open in decades, and may hold an attachment) and PDF/UA-1 (a screen
//! reader finds headings and lists). The font, Atkinson Hyperlegible Next, has Latin letters; another letter is printed
//! as `?`, while a reader that copies or speaks the text gets the letter itself.

mod page;

use super::{ConsentRecord, receipt};
use consent::{ConsentState, Date, Message, Move, Vocabulary, Withdrawal, advance, answers, rules, words};
use identity::canonical;
use page::{Item, Style};

/// Why there is no file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the receipt can not be printed: {0}")]
pub struct PdfError(String);

/// The name of the receipt inside the PDF.
pub const ATTACHED: &str = "consent-receipt.jsonld";

/// What the code on the receipt holds.
pub fn code(receipt: &[u8]) -> String {
    format!("sha256:{}", hex::encode(canonical::sha256(receipt)))
}

/// The receipt as a PDF of A4 pages.
pub fn export(record: &ConsentRecord) -> Result<Vec<u8>, PdfError> {
    let receipt = receipt(record);
    let code = code(&receipt);
    let items = items(record, &code);
    let made = record.state_checked.unwrap_or(record.issued).max(record.state_since);
    page::write(&items, &page::About { title: title(record), language: "en", made, code: &code }, receipt)
        .map_err(PdfError)
}

fn title(record: &ConsentRecord) -> String {
    format!("Receipt of your consent: {}", record.study())
}

/// Everything that is printed, from top to bottom.
fn items(record: &ConsentRecord, code: &str) -> Vec<Item> {
    let language = record.claims.notice.language.as_str();
    let mut page = Sheet { language, items: Vec::new() };
    page.add(Style::Title, "Receipt of your consent");
    page.add(Style::Lead, record.study());
    page.who(record);
    page.standing(record);
    page.allowed(record);
    page.answers(record);
    page.stopping(record);
    page.history(record);
    page.proof(record, code);
    page.items
}

struct Sheet<'a> {
    language: &'a str,
    items: Vec<Item>,
}

impl Sheet<'_> {
    fn add(&mut self, style: Style, text: impl Into<String>) {
        self.items.push(Item { style, text: text.into() });
    }

    fn say(&mut self, style: Style, message: &Message) {
        self.add(style, words::sentence(self.language, message));
    }

    fn day(&self, day: Date) -> String {
        words::date(self.language, day)
    }

    fn who(&mut self, record: &ConsentRecord) {
        self.add(Style::Heading, "Who");
        self.add(Style::Text, format!("Study: {}, version {}", record.study(), record.claims.version));
        self.add(Style::Text, format!("They ask: {}", record.organisation()));
        self.add(Style::Text, format!("Your biobank: {}", record.biobank()));
        self.add(Style::Small, format!("This study knows you only by this name: {}", record.claims.subject));
    }

    fn standing(&mut self, record: &ConsentRecord) {
        self.add(Style::Heading, "Where it stands");
        let state = words::sentence(self.language, &Message::new(format!("state-{}", record.state.code())));
        let since = self.day(record.state_since.date());
        self.add(Style::Strong, format!("{state}, since {since}."));
        match record.state_checked {
            Some(at) => {
                let checked = format!("Your wallet looked at the record on {}, {}.", self.day(at.date()), clock(at));
                self.add(Style::Text, checked);
            }
            None => self.add(Style::Text, "This is how you signed it. Nobody looked at the record for this receipt."),
        }
        let until = match record.claims.policy.until {
            Some(day) => Message::new("statement-until").with("date", day.to_string()),
            None => Message::new("statement-open-end"),
        };
        if record.state.allows_use() || record.state == ConsentState::Suspended {
            self.say(Style::Text, &until);
        }
    }

    fn allowed(&mut self, record: &ConsentRecord) {
        let policy = &record.claims.policy;
        // What is over is told as what was said, not as what holds.
        let heading = if record.state.allows_use() { "What you allow" } else { "What you allowed" };
        self.add(Style::Heading, heading);
        if !record.state.allows_use() {
            self.add(Style::Strong, "None of this holds now.");
        }
        let data: Vec<_> = policy.shared().iter().map(|kind| kind.code()).collect();
        if !data.is_empty() {
            self.say(Style::Bullet, &Message::new("clause-data").with("data", data.join(", ")));
        }
        for rule in rules(policy) {
            self.say(Style::Bullet, &rule);
        }
    }

    fn answers(&mut self, record: &ConsentRecord) {
        let answers = answers(&record.claims.policy, &record.claims.preferences);
        if answers.is_empty() {
            return;
        }
        self.add(Style::Heading, "Your answers");
        for message in answers {
            let answer = message.args.get("answer").cloned().unwrap_or_default();
            let answer = words::sentence(self.language, &Message::new(format!("answer-{answer}")));
            let question = words::sentence(self.language, &Message::new(message.id));
            self.add(Style::Bullet, format!("{question} {answer}."));
        }
    }

    fn stopping(&mut self, record: &ConsentRecord) {
        let offered = record.claims.terms.withdrawal.as_ref().map(|terms| terms.levels.as_slice());
        let offered = offered.filter(|levels| !levels.is_empty()).unwrap_or(Withdrawal::ALL);
        // Only steps that can be taken from where the consent stands.
        let possible = |level: &&Withdrawal| advance(record.state, Move::Withdraw(**level)).is_ok();
        let levels: Vec<_> = offered.iter().filter(possible).collect();
        let standing = record.state.allows_use() || record.state == ConsentState::Suspended;
        if standing {
            self.add(Style::Heading, "How to stop");
            self.say(Style::Text, &Message::new("statement-stop"));
        } else if !levels.is_empty() {
            self.add(Style::Heading, "What you can still do");
        }
        if levels.is_empty() {
            return;
        }
        self.add(Style::Text, "Open your wallet, go to this study, and choose “Leave this study”. You can pick:");
        for level in levels {
            let label = words::sentence(self.language, &Message::new(format!("withdrawal-{}", level.code())));
            let text = words::sentence(self.language, &Message::new(format!("withdrawal-{}-text", level.code())));
            self.add(Style::Bullet, format!("{label}. {text}"));
        }
    }

    fn history(&mut self, record: &ConsentRecord) {
        if record.events.is_empty() {
            return;
        }
        self.add(Style::Heading, "What happened");
        for event in &record.events {
            let entry = match &event.entry {
                Some((number, _)) => format!(" Entry {number} of the record."),
                None => " Not in the record yet.".to_owned(),
            };
            let at = format!("{}, {}", self.day(event.at.date()), clock(event.at));
            self.add(Style::Bullet, format!("{at}: {}{entry}", event.words));
        }
    }

    fn proof(&mut self, record: &ConsentRecord, code: &str) {
        self.add(Style::Heading, "Proof");
        self.add(Style::Code, code);
        self.add(
            Style::Text,
            format!("The code names this receipt. The receipt itself is inside this file and is called {ATTACHED}."),
        );
        let given = format!("You signed on {}, {}.", self.day(record.issued.date()), clock(record.issued));
        self.add(Style::Text, given);
        match &record.entry {
            Some((number, hash)) => self.add(Style::Small, format!("Entry {number} of the record: {hash}")),
            None => self.add(Style::Small, "Entry of the record: not known to this receipt."),
        }
        self.add(Style::Small, format!("Receipt: {code}"));
        self.add(Style::Small, format!("Signed document: {}", record.credential_id));
        self.add(Style::Small, format!("Its SHA-256: {}", hex::encode(record.credential_hash)));
        self.add(Style::Small, format!("Text that you were shown, SHA-256: {}", record.claims.notice.sha256));
    }
}

fn clock(at: consent::Timestamp) -> String {
    let (hour, minute, _) = at.hms();
    format!("{hour:02}:{minute:02} UTC")
}

#[cfg(test)]
mod tests;
