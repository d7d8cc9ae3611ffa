//! Demo content: one biobank, three studies, one hospital with a researcher.

use crate::biobank::{Biobank, StartError};
use crate::desk::{Account, AccountRole};
use consent::{
    ContactKind, DataKind, DataOffer, EthicsApproval, Modifier, Organisation, OrganisationKind, Permission, Policy,
    Purpose, Question, ResultKind, StudyId, StudyRequest, TermSystem, Terms, Topic, Vocabulary, Withdrawal,
    WithdrawalTerms,
};
use serde_json::json;
use std::io;
use std::path::Path;

const HOSPITAL: &str = "https://hospital.example/organisation";
const DIABETES: &str = "MONDO:0005015";
const HOSPITAL_NAME: &str = "Example University Hospital";
const COMMITTEE: &str = "https://committee.example/organisation";
const AUDITOR: &str = "https://audit.example/organisation";
const MEMBER: &str = "https://other-biobank.example/organisation";

/// Writes the studies, if there are none yet.
pub fn plant(dir: &Path) -> Result<(), StartError> {
    let path = dir.join("studies.json");
    if path.exists() {
        return Ok(());
    }
    let error = |e| StartError::Io(path.display().to_string(), e);
    let studies = studies().ok_or_else(|| error(io::Error::other("demo studies")))?;
    std::fs::create_dir_all(dir).map_err(error)?;
    let text = serde_json::to_vec_pretty(&studies).map_err(|e| error(io::Error::other(e)))?;
    std::fs::write(&path, text).map_err(error)
}

/// Writes the address and fresh one-time codes to `demo.json`, for whoever tries this on their own machine.
pub fn tell(biobank: &Biobank, dir: &Path, address: &str) -> Result<(), StartError> {
    let account = |role, organisation: &str, name: &str| Account {
        role,
        organisation: organisation.to_owned(),
        organisation_name: name.to_owned(),
    };
    let staff = account(AccountRole::Staff, biobank.did.as_str(), &biobank.institution.name);
    let researcher = account(AccountRole::Researcher, HOSPITAL, HOSPITAL_NAME);
    let committee = account(AccountRole::Committee, COMMITTEE, "Example Data Access Committee");
    let auditor = account(AccountRole::Auditor, AUDITOR, "Example Audit Office");
    let member = account(AccountRole::Member, MEMBER, "Another Example Biobank");
    let expires = crate::clock::now().plus_seconds(crate::desk::PAIRING_AGE);
    let code = |account| Ok::<_, StartError>(crate::code::show(&biobank.desk.make_pairing(account, expires)?));
    let told = json!({
        "address": address,
        "staffCode": code(staff)?,
        "researcherCode": code(researcher)?,
        "committeeCode": code(committee)?,
        "auditorCode": code(auditor)?,
        "memberCode": code(member)?,
    });
    // Renamed into place: whoever waits for this file finds it whole.
    let (draft, path) = (dir.join("demo.json.new"), dir.join("demo.json"));
    std::fs::write(&draft, format!("{told:#}\n"))
        .and_then(|()| std::fs::rename(&draft, &path))
        .map_err(|e| StartError::Io(path.display().to_string(), e))
}

/// Half of what a study says; the other half is the same for all of them.
struct Draft {
    id: &'static str,
    title: &'static str,
    why: &'static str,
    offers: Vec<DataOffer>,
    policy: Policy,
    topics: Vec<Topic>,
    questions: Vec<Question>,
    until: &'static str,
    text: &'static str,
}

fn studies() -> Option<Vec<StudyRequest>> {
    let offer = |kind, detail: &str| DataOffer { kind, detail: detail.to_owned() };
    let rules = |permission, modifiers| Policy { permissions: vec![permission], modifiers, ..Policy::default() };
    let europe = || Modifier::Gs { places: ["NL", "BE", "DE"].map(str::to_owned).to_vec() };
    let drafts = [
        Draft {
            id: "heart-rhythm",
            title: "Heart Rhythm Study",
            why: "They want to learn why some hearts beat out of step.",
            offers: vec![
                offer(DataKind::Genome, "Read from your blood sample of 2024."),
                offer(DataKind::HealthRecord, "Heart and medicine entries from 2015 on."),
            ],
            policy: rules(Permission::Hmb, vec![Modifier::Ncu, Modifier::Npu, Modifier::Nri, europe()]),
            topics: vec![Topic::Hmb, Topic::Genetic],
            questions: vec![Question::Controls, Question::AiTraining],
            until: "2028-12-31",
            text: "Some hearts beat too fast, too slow or out of step. We compare the DNA of people with and without \
                   these rhythms, and look at which medicines helped. Nobody is treated differently because of this \
                   study. We publish what we find for everyone to read, never with data about one person.",
        },
        Draft {
            id: "diabetes-families",
            title: "Diabetes in Families",
            why: "They want to learn why diabetes runs in some families.",
            offers: vec![
                offer(DataKind::Genome, "Read from your blood sample of 2024."),
                offer(DataKind::Sample, "What is left of your blood sample of 2024."),
            ],
            policy: Policy {
                diseases: vec![DIABETES.to_owned()],
                ontology: Some(TermSystem { system: "MONDO".to_owned(), version: "2026-05-05".to_owned() }),
                ..rules(Permission::Ds, vec![Modifier::Npu, Modifier::Pub])
            },
            topics: vec![Topic::Ds, Topic::Genetic],
            questions: vec![Question::AiTraining, Question::Aggregate],
            until: "2029-06-30",
            text: "Diabetes often comes back in the same family. We look for the parts of the DNA that make it more \
                   likely, so that doctors can find it earlier.",
        },
        Draft {
            id: "sleep-memory",
            title: "Sleep and Memory",
            why: "They want to learn how sleep helps people remember.",
            offers: vec![
                offer(DataKind::Survey, "Your answers to the sleep questions of 2025."),
                offer(DataKind::HealthRecord, "Entries about sleep and medicine from 2015 on."),
            ],
            policy: rules(Permission::Hmb, vec![Modifier::Ncu, Modifier::Irb]),
            topics: vec![Topic::Hmb],
            questions: vec![Question::PsychologicalTraits],
            until: "2027-12-31",
            text: "We compare how people sleep with how well they remember, and look at what changes with age.",
        },
    ];
    drafts.into_iter().map(study).collect()
}

fn study(draft: Draft) -> Option<StudyRequest> {
    let hospital =
        Organisation { id: HOSPITAL.to_owned(), kind: Some(OrganisationKind::Academic), unknown: Vec::new() };
    let ethics = EthicsApproval {
        committee: "Example Research Ethics Committee".to_owned(),
        number: "2026-017".to_owned(),
        valid_until: draft.until.parse().ok()?,
    };
    let genetic = draft.topics.contains(&Topic::Genetic);
    Some(StudyRequest {
        id: draft.id.parse::<StudyId>().ok()?,
        version: 1,
        title: draft.title.to_owned(),
        organisation_name: HOSPITAL_NAME.to_owned(),
        organisation: hospital.clone(),
        why: draft.why.to_owned(),
        purpose: Purpose {
            topics: draft.topics,
            diseases: draft.policy.diseases.clone(),
            commercial: Some(false),
            organisation: hospital,
            places: vec!["NL".to_owned()],
            data: draft.offers.iter().map(|offer| offer.kind).collect(),
            ethics_approval: Some(ethics.clone()),
            genetic: Some(genetic),
            ..Purpose::default()
        },
        offers: draft.offers,
        policy: Policy { until: Some(draft.until.parse().ok()?), ..draft.policy },
        questions: draft.questions,
        results: if genetic { vec![ResultKind::Actionable, ResultKind::Incidental] } else { Vec::new() },
        contact: vec![ContactKind::Recontact, ContactKind::NewStudies, ContactKind::NotifyEachUse],
        terms: Terms {
            legal_basis: vec!["eu-gdpr:A6-1-a".to_owned(), "eu-gdpr:A9-2-a".to_owned()],
            jurisdiction: Some("NL".to_owned()),
            ethics: Some(ethics),
            withdrawal: Some(WithdrawalTerms { levels: Withdrawal::ALL.to_vec(), grace_days: Some(90) }),
            ..Terms::default()
        },
        text: draft.text.to_owned(),
        language: "en".to_owned(),
        checked: "2026-05-03".parse().ok()?,
    })
}
