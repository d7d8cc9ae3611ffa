//! FHIR Consent (R5, and R4 where it is the same) as choices.
//!
//! Only a consent that is `active` and permits is read: what is over, refused or a draft is no wish. A provision is
//! read where its type is stated (R4's `type`, or the extension of [`super`]); without it, nobody can say whether it
//! permits or denies. A limit, a condition or a denial that choices have no place for, or that is not understood, is
//! never dropped from what it limits: then nothing is taken over of what is allowed, and the list says why.
//!
//! To whom a consent was given (`grantee`) is no choice, also where it is said again as the actor of a provision. Any
//! other organisation that is named there is a limit.

use super::codes::{OWN_SYSTEM, PROVISION_TYPE};
use super::coding::{disease_system, each, kind, modifier, named, own_name, sentence, short, term, url};
use crate::exchange::import::{Format, Gathered, ImportError, Imported};
use consent::{
    Answer, Choices, ConsentState, ContactKind, DataKind, Message, Modifier, OrganisationKind, Permission, Question,
    ResultKind, TermSystem, Timestamp, Vocabulary, words,
};
use serde_json::{Map, Value};

/// Members that say who, when and on which text, and are no wishes. R4 and R5.
const ABOUT: &[&str] = &[
    "resourceType",
    "id",
    "meta",
    "language",
    "text",
    "identifier",
    "category",
    "scope",
    "subject",
    "patient",
    "date",
    "dateTime",
    "grantor",
    "performer",
    "grantee",
    "manager",
    "organization",
    "controller",
    "sourceAttachment",
    "sourceReference",
    "policyBasis",
    "policyText",
    "policy",
    "regulatoryBasis",
    "verification",
];

/// Our own extensions of the same kind.
const ABOUT_OWN: &[&str] = &[
    "state",
    "stateSince",
    "stateAsSigned",
    "schemaVersion",
    "study",
    "entry",
    "supersedes",
    "jurisdiction",
    "community",
    "provenance",
    "collectUntil",
    "retainUntil",
    "ethics",
    "withdrawal",
    "assent",
    "majority",
    "comprehension",
];

/// Reads a FHIR Consent as it holds now.
pub fn read(value: &Value, now: Timestamp) -> Result<Imported, ImportError> {
    let Some(consent) = value.as_object().filter(|_| value["resourceType"] == "Consent") else {
        return Err(ImportError::Unknown);
    };
    let mut reader =
        Reader { today: now.date().to_string(), grantees: grantees(&value["grantee"]), ..Reader::default() };
    if let Some(why) = not_in_force(consent, &reader.today) {
        reader.gathered.leave_out("Consent", &why);
        return Ok(reader.gathered.finish(Format::FhirConsent));
    }
    reader.root(consent);
    if reader.in_doubt || reader.gathered.has_lost_places() {
        reader.gathered.forget_permissions();
    }
    Ok(reader.gathered.finish(Format::FhirConsent))
}

/// Why nothing can be taken over, if so.
fn not_in_force(consent: &Map<String, Value>, today: &str) -> Option<String> {
    let text = |name: &str| consent.get(name).and_then(Value::as_str);
    match text("status") {
        Some("active") => {}
        Some(other) => return Some(format!("it is {}, so nothing was taken over", short(other))),
        None => return Some("it does not say whether it is in force, so nothing was taken over".to_owned()),
    }
    if consent.contains_key("implicitRules") || consent.contains_key("modifierExtension") {
        return Some("it changes the meaning of FHIR by rules of its own, so nothing was taken over".to_owned());
    }
    if let Some(end) = consent.get("period").and_then(|period| day(&period["end"])).filter(|end| before(end, today)) {
        return Some(format!("it ended in {end}, so nothing was taken over"));
    }
    let mut states = consent.get("extension").into_iter().flat_map(each).filter(|ext| own_name(ext) == Some("state"));
    if states.any(|state| state["valueCode"] != ConsentState::Active.code()) {
        return Some("it is not in force, so nothing was taken over".to_owned());
    }
    match text("decision") {
        None | Some("permit") => None,
        Some(_) => Some("its base rule is to deny, so nothing was taken over".to_owned()),
    }
}

/// The day, month or year of a date of FHIR, as it is written.
fn day(value: &Value) -> Option<&str> {
    let text = value.as_str()?;
    let day = text.get(..10).unwrap_or(text);
    let form = |(place, byte): (usize, u8)| if matches!(place, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    (matches!(day.len(), 4 | 7 | 10) && day.bytes().enumerate().all(form)).then_some(day)
}

/// Whether a day, a month or a year is over.
fn before(day: &str, today: &str) -> bool {
    today.get(..day.len()).is_some_and(|today| day < today)
}

/// To whom a consent was given, where it is said by an identifier.
fn grantees(value: &Value) -> Vec<Value> {
    let said = |party: &&Value| party["identifier"]["value"].is_string() || party["reference"].is_string();
    each(value).filter(said).cloned().collect()
}

#[derive(Default)]
struct Reader {
    gathered: Gathered,
    /// Whether something limits or denies in a way that choices can not say.
    in_doubt: bool,
    today: String,
    grantees: Vec<Value>,
}

/// What one provision permits, and how it limits it.
#[derive(Default)]
struct Clause {
    permissions: Vec<Permission>,
    questions: bool,
    who: Vec<OrganisationKind>,
    what: Vec<DataKind>,
    diseases: Vec<(String, TermSystem)>,
}

impl Reader {
    fn root(&mut self, consent: &Map<String, Value>) {
        let mut about = Vec::new();
        for (name, value) in consent {
            match name.as_str() {
                "status" | "decision" => {}
                "extension" => self.root_extensions(value, &mut about),
                "period" => self.period(value),
                // R4 has one, R5 a list.
                "provision" => each(value).for_each(|provision| self.top(provision)),
                // R4: OPTIN, OPTOUT and others.
                "policyRule" => self.doubt("policyRule", "its rule is not understood"),
                name if ABOUT.contains(&name) => about.push(name.to_owned()),
                name => self.doubt(name, "it is not understood"),
            }
        }
        about.sort_unstable();
        let about = about.join(", ");
        self.gathered.note(format!("These parts say who, when and on which text, and are no choices: {about}."));
    }

    /// A first day that has come limits nothing more. Every last day does.
    fn period(&mut self, value: &Value) {
        let Some(period) = value.as_object() else { return self.doubt("period", "it is not understood") };
        for (name, value) in period {
            match name.as_str() {
                "id" => {}
                "start" if day(value).is_some_and(|day| day <= self.today.as_str()) => {}
                "start" => self.doubt("period", "choices have no first day"),
                "end" => self.doubt("period", "choices have no last day"),
                _ => self.doubt("period", "it is not understood"),
            }
        }
    }

    fn root_extensions(&mut self, value: &Value, about: &mut Vec<String>) {
        for extension in each(value) {
            match own_name(extension) {
                Some("results") => {
                    self.answers::<ResultKind>(extension, |choices| &mut choices.preferences.results);
                }
                Some("contact") => {
                    self.answers::<ContactKind>(extension, |choices| &mut choices.preferences.contact);
                }
                Some(name) if ABOUT_OWN.contains(&name) => about.push(name.to_owned()),
                _ => self.gathered.leave_out(url(extension), "this extension is not understood"),
            }
        }
    }

    fn answers<Q: Vocabulary + PartialEq>(
        &mut self,
        group: &Value,
        place: fn(&mut Choices) -> &mut consent::Answers<Q>,
    ) {
        for part in each(&group["extension"]) {
            let answer = part["valueCode"].as_str().and_then(Answer::read);
            match (Q::read(url(part)), answer) {
                (Some(question), Some(answer)) => self.gathered.set(url(part), place, question, answer),
                _ => self.gathered.leave_out(url(part), "this question or its answer is not understood"),
            }
        }
    }

    fn doubt(&mut self, what: &str, why: &str) {
        self.in_doubt = true;
        self.gathered.leave_out(what, why);
    }

    /// A provision directly below the consent.
    fn top(&mut self, provision: &Value) {
        let Some(members) = provision.as_object() else {
            return self.doubt("provision", "it is not a provision");
        };
        match kind(members) {
            Some("permit") => self.permit(members),
            Some("deny") => self.deny(members),
            _ => self.doubt("provision", "it does not say whether it permits or denies"),
        }
    }

    fn permit(&mut self, provision: &Map<String, Value>) {
        let mut clause = Clause::default();
        for (name, value) in provision {
            match name.as_str() {
                "id" | "type" => {}
                "extension" => self.provision_extensions(value),
                "period" => self.period(value),
                "actor" => each(value).for_each(|actor| self.actor(&mut clause, actor)),
                "action" => self.action(value),
                "purpose" => each(value).for_each(|coding| self.allowed(&mut clause, coding)),
                "securityLabel" => {
                    for label in each(value) {
                        let known = term(label).and_then(|id| modifier(label, id));
                        let what = known.map_or_else(|| named(label), |duty| sentence(&duty));
                        self.doubt(&what, "choices can not ask researchers for this");
                    }
                }
                "code" => self.contents(&mut clause, value),
                "data" => self.doubt("data", "choices are not about single samples or data sets"),
                "provision" => {
                    for nested in each(value) {
                        match nested.as_object().map(|members| (kind(members), members)) {
                            Some((Some("deny"), members)) => self.deny(members),
                            _ => self.doubt("provision", "it is nested and does not deny"),
                        }
                    }
                }
                name => self.doubt(name, "this limit is not understood"),
            }
        }
        self.take(clause);
    }

    /// Takes over one provision. What several of them limit is limited by all of them, so that no use is permitted
    /// that not one of them permits.
    fn take(&mut self, clause: Clause) {
        let limited = !clause.diseases.is_empty();
        let fits = !clause.permissions.is_empty() && !clause.permissions.contains(&Permission::Poa);
        if limited && (!fits || clause.questions) {
            return self.doubt("code", "only research on health can be limited to illnesses");
        }
        for permission in clause.permissions {
            self.gathered.permission(if limited { Permission::Ds } else { permission }, Answer::Yes);
        }
        for (term, ontology) in clause.diseases {
            if !self.gathered.disease(&term, ontology) {
                self.doubt(&term, "illnesses of two hierarchies, or so many, can not stand side by side");
            }
        }
        self.gathered.only_for(clause.who);
        self.gathered.only_of(clause.what);
    }

    fn provision_extensions(&mut self, value: &Value) {
        for extension in each(value).filter(|extension| url(extension) != PROVISION_TYPE) {
            self.doubt(url(extension), "this extension of a provision is not understood");
        }
    }

    fn actor(&mut self, clause: &mut Clause, actor: &Value) {
        let own = |coding: &&Value| match (coding["system"].as_str(), coding["code"].as_str()) {
            (Some(OWN_SYSTEM), Some(code)) => OrganisationKind::read(code),
            _ => None,
        };
        let plain = actor
            .as_object()
            .is_some_and(|actor| actor.keys().all(|name| matches!(name.as_str(), "id" | "role" | "reference")));
        let codings: Vec<_> = each(&actor["role"]["coding"]).collect();
        let kinds: Vec<_> = codings.iter().filter_map(own).collect();
        let reference = &actor["reference"];
        let what = reference["display"].as_str().unwrap_or("actor");
        if plain && reference.is_null() && !kinds.is_empty() && kinds.len() == codings.len() {
            clause.who.extend(kinds);
        } else if plain && kinds.is_empty() && self.grantees.contains(reference) {
            self.gathered.leave_out(what, "to whom the consent was given is no choice");
        } else {
            self.doubt(what, "choices name kinds of organisations, not single ones");
        }
    }

    fn action(&mut self, value: &Value) {
        let codings: Vec<_> = each(value).flat_map(|action| each(&action["coding"])).collect();
        for coding in &codings {
            if !matches!(coding["code"].as_str(), Some("access" | "use" | "collect")) {
                self.gathered.leave_out(&named(coding), "choices do not tell actions apart");
            }
        }
        if each(value).next().is_some() && !codings.iter().any(|coding| coding["code"] == "use") {
            self.doubt("action", "use is not among what it allows");
        }
    }

    /// What a permission is for. An unknown purpose allows nothing: it is listed.
    fn allowed(&mut self, clause: &mut Clause, coding: &Value) {
        let Some(id) = term(coding) else {
            if coding["code"] != "HRESCH" {
                self.gathered.leave_out(&named(coding), "this purpose is not understood");
            }
            return;
        };
        if let Some(permission) = Permission::read(id) {
            if each(&coding["extension"]).next().is_some() {
                return self.doubt(&named(coding), "this limit is not understood");
            }
            clause.permissions.push(permission);
        } else if let Some(question) = Question::read(id) {
            clause.questions = true;
            self.question(coding, question, Answer::Yes);
        } else if modifier(coding, id) == Some(Modifier::Cc) {
            self.gathered.leave_out(&sentence(&Modifier::Cc), "choices are about research, not about care");
        } else {
            self.gathered.leave_out(&named(coding), "this purpose is not understood");
        }
    }

    fn question(&mut self, coding: &Value, question: Question, otherwise: Answer) {
        if each(&coding["extension"]).any(|extension| own_name(extension) != Some("answer")) {
            return self.doubt(&named(coding), "this limit is not understood");
        }
        let stated = each(&coding["extension"]).next();
        let answer = match stated {
            None => Some(otherwise),
            Some(extension) => extension["valueCode"].as_str().and_then(Answer::read),
        };
        // An answer may be narrower than its place, and never wider.
        let what = words::sentence("en", &Message::new(format!("question-{}", question.code())));
        match answer {
            Some(Answer::Yes) if otherwise == Answer::No => {
                self.gathered.leave_out(&what, "a yes among what is denied counts as not sure");
                self.gathered.set(&what, |choices| &mut choices.questions, question, Answer::Undecided);
            }
            Some(answer) => self.gathered.set(&what, |choices| &mut choices.questions, question, answer),
            None => self.gathered.leave_out(&what, "the answer is not understood"),
        }
    }

    /// What a permission is about: kinds of data, diseases.
    fn contents(&mut self, clause: &mut Clause, value: &Value) {
        for concept in each(value) {
            let codings: Vec<_> = each(&concept["coding"]).collect();
            let Some(coding) = codings.first() else {
                self.doubt("code", "this limit has no code");
                continue;
            };
            let (system, code) =
                (coding["system"].as_str().unwrap_or_default(), coding["code"].as_str().unwrap_or_default());
            if let Some(kind) = (system == OWN_SYSTEM).then(|| DataKind::read(code)).flatten() {
                clause.what.push(kind);
            } else if let Some(prefix) = disease_system(system, code) {
                let version = coding["version"].as_str().unwrap_or_default();
                clause.diseases.push((code.to_owned(), TermSystem { system: prefix, version: version.to_owned() }));
            } else {
                self.doubt(&named(coding), "this limit is not understood");
            }
        }
    }

    /// What is denied. Anything but a purpose alone would deny less than it seems, or more.
    fn deny(&mut self, provision: &Map<String, Value>) {
        let mut said = false;
        for (name, value) in provision {
            match name.as_str() {
                "id" | "type" => {}
                "extension" => self.provision_extensions(value),
                "purpose" => {
                    for coding in each(value) {
                        said = true;
                        self.denied(coding);
                    }
                }
                name => self.doubt(name, "this denial is not understood"),
            }
        }
        if !said {
            self.doubt("provision", "it denies, and does not say what");
        }
    }

    fn denied(&mut self, coding: &Value) {
        let Some(id) = term(coding) else { return self.doubt(&named(coding), "this denial is not understood") };
        if let Some(modifier) = modifier(coding, id) {
            return self.condition(&modifier);
        }
        match Permission::read(id) {
            Some(Permission::Poa) => return self.gathered.permission(Permission::Poa, Answer::No),
            // Who denies research on health denies all that is inside it.
            Some(permission) => return self.doubt(crate::exchange::import::named(permission), "this is denied"),
            None => {}
        }
        match Question::read(id) {
            Some(question) => self.question(coding, question, Answer::No),
            None => self.doubt(&named(coding), "this denial is not understood"),
        }
    }

    fn condition(&mut self, modifier: &Modifier) {
        let code = &sentence(modifier);
        match modifier {
            Modifier::Nmds => self.gathered.answer(code, |choices| &mut choices.methods, Answer::No),
            Modifier::Npoa => self.gathered.answer(code, |choices| &mut choices.ancestry, Answer::No),
            Modifier::Ncu => self.gathered.answer(code, |choices| &mut choices.commercial, Answer::No),
            Modifier::Npu => self.no_companies(code),
            Modifier::Npuncu => {
                self.no_companies(code);
                self.gathered.answer(code, |choices| &mut choices.commercial, Answer::No);
            }
            Modifier::Nctrl => {
                self.gathered.set(code, |choices| &mut choices.questions, Question::Controls, Answer::No);
            }
            Modifier::Nagr => {
                self.gathered.set(code, |choices| &mut choices.questions, Question::Aggregate, Answer::No);
            }
            Modifier::Gs { places } => self.gathered.places(code, places.clone()),
            _ => self.doubt(code, "choices have no place for this condition"),
        }
    }

    fn no_companies(&mut self, code: &str) {
        self.gathered.set(code, |choices| &mut choices.who, OrganisationKind::Commercial, Answer::No);
    }
}
