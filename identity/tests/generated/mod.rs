//! Credentials, presentations and their mutations from a seed: for whoever compares two ways to the same canonical form.
//!
//! They have the form of ours and say anything that this form lets one say; nothing is signed. The comparison of the
//! short way with the library (`src/credential/template/tests.rs`), the one with pyld (`tests/tests/canonical.rs`) and
//! the benchmark use the same ones.

mod mutate;

pub use mutate::mutate;

use consent::{
    Answer, ContactKind, DataKind, Flag, Modifier, OrganisationKind, Permission, Question, ResultKind, Topic,
    Vocabulary, Withdrawal,
};
use serde_json::{Map, Value, json};

/// Texts that are written in more than one way by somebody.
const TEXTS: [&str; 14] = [
    "METC Leiden",
    "a \"quoted\" word",
    "back\\slash \\n \\u0041",
    "Größe & Ärzte",
    "漢字かな交じり文",
    "🧬 emoji 👩‍👩‍👧",
    "e\u{301} and \u{e9}",
    "\u{a0}\u{2028}\u{2029}\u{feff}",
    "مرحبا",
    "<b>& 'single' {curly} |pipe| ^caret `tick`",
    "https://example.org/",
    "_:b0 <x> <y> .",
    "@en ^^<type>",
    "x",
];

/// What comes next, always the same for the same seed.
pub struct Generator(u64);

impl Generator {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        let mut generator = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        // Neighbouring seeds look alike at first.
        for _ in 0..8 {
            generator.below(2);
        }
        generator
    }

    /// A number smaller than `end`: xorshift64*.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    }

    pub fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    pub fn one<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }

    fn some<T: Clone>(&mut self, of: &[T], least: usize) -> Vec<T> {
        let mut left = of.to_vec();
        let count = least + self.below(of.len() - least + 1);
        (0..count).map(|_| left.remove(self.below(left.len()))).collect()
    }

    fn codes<V: Vocabulary>(&mut self, least: usize) -> Vec<&'static str> {
        let all: Vec<_> = V::ALL.iter().map(|term| term.code()).collect();
        self.some(&all, least)
    }

    pub fn text(&mut self) -> String {
        match self.below(6) {
            0 => (0..self.below(40) + 1).map(|_| self.letter()).collect(),
            1 => self.one(&TEXTS).repeat(1 + self.below(20)),
            2 => format!("{}{}", self.one(&TEXTS), self.one(&TEXTS)),
            3 => format!("P{}", self.below(1000)),
            _ => (*self.one(&TEXTS)).to_owned(),
        }
    }

    /// Any letter but control characters.
    fn letter(&mut self) -> char {
        let most = *self.one(&[0x7f, 0x250, 0x3000, 0x10000, 0x1_0ffff]);
        loop {
            let letter = char::from_u32(self.below(most) as u32);
            if let Some(letter) = letter.filter(|letter| !letter.is_control()) {
                return letter;
            }
        }
    }

    /// Different texts.
    fn texts(&mut self, least: usize) -> Vec<String> {
        let count = least + self.below(4);
        (0..count).map(|number| format!("{}{number}", self.text())).collect()
    }

    pub fn did(&mut self) -> String {
        const LETTERS: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
        let mut did = "did:key:z6Mk".to_owned();
        (0..44).for_each(|_| did.push(char::from(*self.one(LETTERS))));
        did
    }

    pub fn address(&mut self) -> String {
        match self.below(4) {
            0 => self.did(),
            1 => format!("urn:consent-wallet:study:{}", self.below(1000)),
            2 => format!("https://example.org/a/{}?b=%2{}&c=(d)#e", self.below(10), self.below(10)),
            _ => format!("https://ror.org/{:09}", self.below(1_000_000_000)),
        }
    }

    fn day(&mut self) -> String {
        format!("20{}-{:02}-{:02}", 20 + self.below(30), 1 + self.below(12), 1 + self.below(28))
    }

    fn moment(&mut self) -> String {
        format!("{}T{:02}:{:02}:{:02}Z", self.day(), self.below(24), self.below(60), self.below(60))
    }

    fn hex(&mut self) -> String {
        (0..64).map(|_| char::from(*self.one(b"0123456789abcdef"))).collect()
    }

    /// A member, sometimes.
    fn maybe(&mut self, object: &mut Value, name: &str, value: impl FnOnce(&mut Self) -> Value) {
        if !self.chance(3) {
            object[name] = value(self);
        }
    }

    /// A credential of either kind, or a presentation.
    pub fn document(&mut self) -> Map<String, Value> {
        let document = match self.below(8) {
            0 => self.enrolment(),
            1 => self.presentation(),
            _ => self.consent(),
        };
        let Value::Object(document) = document else { unreachable!("all three are objects") };
        document
    }

    fn credential(&mut self, kind: &str, issuer: String, subject: Value) -> Value {
        let mut document = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/consent-wallet/v1"],
            "id": format!("urn:uuid:{:08x}-0000-4000-8000-{:012x}", self.below(1 << 31), self.below(1 << 31)),
            "type": ["VerifiableCredential", kind],
            "validFrom": self.moment(),
            "credentialSubject": subject,
            "proof": self.proof("assertionMethod", &issuer),
            "issuer": issuer,
        });
        self.maybe(&mut document, "validUntil", |this| json!(this.moment()));
        document
    }

    fn proof(&mut self, purpose: &str, signer: &str) -> Value {
        json!({
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-rdfc-2022",
            "created": self.moment(),
            "verificationMethod": format!("{signer}#{}", signer.trim_start_matches("did:key:")),
            "proofPurpose": purpose,
            "proofValue": format!("z{}", self.did().trim_start_matches("did:key:z")),
        })
    }

    fn enrolment(&mut self) -> Value {
        let (biobank, donor) = (self.did(), self.did());
        let subject = json!({
            "id": donor, "biobank": biobank, "biobankName": self.text(), "donorNumber": self.text(),
        });
        self.credential("BiobankEnrolmentCredential", biobank, subject)
    }

    fn presentation(&mut self) -> Value {
        let holder = self.did();
        let mut proof = self.proof("authentication", &holder);
        proof["domain"] = json!(self.text());
        proof["expires"] = json!(self.moment());
        self.maybe(&mut proof, "challenge", |this| json!(this.text()));
        let mut presentation = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiablePresentation"],
            "holder": holder,
            "proof": proof,
        });
        let count = self.below(3);
        if count > 0 {
            let credentials = (0..count).map(|_| if self.chance(3) { self.enrolment() } else { self.consent() });
            presentation["verifiableCredential"] = credentials.collect();
        }
        presentation
    }

    /// A consent.
    pub fn consent(&mut self) -> Value {
        let donor = self.did();
        let mut subject = json!({
            "id": donor,
            "schemaVersion": "1.1.0",
            "biobank": self.did(),
            "study": format!("heart-{}", self.below(3000)),
            "studyVersion": 1 + self.below(100),
            "recipient": self.address(),
            "notice": {
                "uri": self.address(),
                "version": 1 + self.below(100),
                "sha256": self.hex(),
                "language": self.one(&["en", "de-AT", "zh-Hant"]),
            },
            "dataUse": self.policy(),
        });
        self.maybe(&mut subject, "preferences", |this| {
            let mut preferences = json!({ "results": this.answers::<ResultKind>() });
            this.maybe(&mut preferences, "contact", |this| this.answers::<ContactKind>());
            preferences
        });
        self.maybe(&mut subject, "terms", Self::terms);
        self.maybe(&mut subject, "supersedes", |this| json!(this.hex()));
        self.credential("ResearchConsentCredential", donor, subject)
    }

    fn answers<Q: Vocabulary>(&mut self) -> Value {
        let questions = self.codes::<Q>(1);
        questions.into_iter().map(|code| (code.to_owned(), json!(self.codes::<Answer>(1)[0]))).collect()
    }

    fn policy(&mut self) -> Value {
        let mut policy = json!({ "permissions": [self.codes::<Permission>(1)[0]] });
        self.maybe(&mut policy, "diseases", |this| json!(this.texts(0)));
        self.maybe(&mut policy, "ontology", |this| json!({ "system": this.text(), "version": this.text() }));
        self.maybe(&mut policy, "modifiers", |this| {
            let all: Vec<_> = Modifier::TERMS.iter().map(|(code, _)| *code).collect();
            let codes = this.some(&all, 0);
            codes.into_iter().map(|code| this.modifier(code)).collect()
        });
        self.maybe(&mut policy, "data", |this| json!(this.codes::<DataKind>(0)));
        self.maybe(&mut policy, "answers", |this| this.answers::<Question>());
        self.maybe(&mut policy, "recipients", |this| json!(this.codes::<OrganisationKind>(0)));
        self.maybe(&mut policy, "issued", |this| json!(this.day()));
        self.maybe(&mut policy, "until", |this| json!(this.day()));
        policy
    }

    fn modifier(&mut self, code: &str) -> Value {
        let mut modifier = json!({ "code": code });
        let (name, argument) = match code {
            "RS" => {
                let topics = self.codes::<Topic>(0);
                let flags = self.codes::<Flag>(1).into_iter().filter(|flag| !topics.contains(flag));
                ("topics", json!(flags.chain(topics.iter().copied()).collect::<Vec<_>>()))
            }
            "COL" => ("with", json!(self.texts(0))),
            "GS" => ("places", json!(["NL", "EEA", "US-CA"])),
            "MOR" => ("date", json!(self.day())),
            "TS" => ("months", json!(self.below(600))),
            "US" => ("users", json!(self.texts(1))),
            "PS" => ("projects", json!(self.texts(1))),
            "IS" => ("institutions", json!([self.address(), "https://ror.org/02n0bts35"])),
            _ => return modifier,
        };
        modifier[name] = argument;
        modifier
    }

    fn terms(&mut self) -> Value {
        let mut terms = json!({ "provenance": self.hex() });
        self.maybe(&mut terms, "legalBasis", |this| json!(this.texts(0)));
        self.maybe(&mut terms, "jurisdiction", |this| json!(this.one(&["NL", "DE"])));
        self.maybe(
            &mut terms,
            "ethics",
            |this| json!({ "committee": this.text(), "number": this.text(), "validUntil": this.day() }),
        );
        self.maybe(&mut terms, "assets", |this| {
            let asset = |number: usize, this: &mut Self| {
                let mut asset = json!({ "kind": this.codes::<DataKind>(1)[0], "ids": [format!("NL-{number}")] });
                this.maybe(&mut asset, "from", |this| json!(this.day()));
                this.maybe(&mut asset, "until", |this| json!(this.day()));
                asset
            };
            (0..this.below(5)).map(|number| asset(number, this)).collect()
        });
        self.maybe(&mut terms, "collectUntil", |this| json!(this.day()));
        self.maybe(&mut terms, "retainUntil", |this| json!(this.day()));
        self.maybe(&mut terms, "withdrawal", |this| {
            let mut withdrawal = json!({ "levels": this.codes::<Withdrawal>(1) });
            this.maybe(&mut withdrawal, "graceDays", |this| json!(this.below(400)));
            withdrawal
        });
        self.maybe(&mut terms, "actingFor", |this| {
            let mut acting = json!({ "relation": this.text(), "evidence": this.text() });
            this.maybe(&mut acting, "assent", |this| json!(this.chance(2)));
            this.maybe(&mut acting, "majority", |this| json!(this.day()));
            acting
        });
        self.maybe(&mut terms, "community", |this| json!(this.address()));
        self.maybe(
            &mut terms,
            "comprehension",
            |this| json!({ "quiz": this.text(), "score": this.below(101), "at": this.day() }),
        );
        terms
    }
}
