//! Demo content: one biobank, three studies, one hospital with a researcher.

use crate::biobank::{Biobank, StartError};
use crate::desk::{Account, AccountRole};
use consent::{
    DataKind, DataOffer, Date, Modifier, Organisation, OrganisationKind, Permission, Policy, StudyId, StudyRequest,
};
use serde_json::json;
use std::io;
use std::path::Path;

const HOSPITAL: &str = "https://hospital.example/organisation";
const HOSPITAL_NAME: &str = "Example University Hospital";

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
    let told = json!({
        "address": address,
        "staffCode": crate::code::show(&biobank.desk.make_pairing(staff)?),
        "researcherCode": crate::code::show(&biobank.desk.make_pairing(researcher)?),
    });
    // Renamed into place: whoever waits for this file finds it whole.
    let (draft, path) = (dir.join("demo.json.new"), dir.join("demo.json"));
    std::fs::write(&draft, format!("{told:#}\n"))
        .and_then(|()| std::fs::rename(&draft, &path))
        .map_err(|e| StartError::Io(path.display().to_string(), e))
}

fn studies() -> Option<Vec<StudyRequest>> {
    let hospital = Organisation { id: HOSPITAL.to_owned(), kind: Some(OrganisationKind::NonProfit) };
    let checked: Date = "2026-05-03".parse().ok()?;
    let rules = |permission, modifiers: Vec<Modifier>, until: &str| {
        Some(Policy { permissions: vec![permission], modifiers, until: Some(until.parse().ok()?), ..Policy::default() })
    };
    let offer = |kind, detail: &str| DataOffer { kind, detail: detail.to_owned() };
    let study = |id: &str, title: &str, why: &str, offers, policy, text: &str| {
        Some(StudyRequest {
            id: id.parse::<StudyId>().ok()?,
            version: 1,
            title: title.to_owned(),
            organisation_name: HOSPITAL_NAME.to_owned(),
            organisation: hospital.clone(),
            why: why.to_owned(),
            offers,
            policy,
            text: text.to_owned(),
            language: "en".to_owned(),
            checked,
        })
    };
    let europe = || Modifier::Gs { places: ["NL", "BE", "DE"].map(str::to_owned).to_vec() };
    Some(vec![
        study(
            "heart-rhythm",
            "Heart Rhythm Study",
            "They want to learn why some hearts beat out of step.",
            vec![
                offer(DataKind::Genome, "Read from your blood sample of 2024."),
                offer(DataKind::HealthRecord, "Heart and medicine entries from 2015 on."),
            ],
            rules(Permission::Hmb, vec![Modifier::Ncu, Modifier::Npu, europe()], "2028-12-31")?,
            "Some hearts beat too fast, too slow or out of step. We compare the DNA of people with and without \
             these rhythms, and look at which medicines helped. Nobody is treated differently because of this \
             study. We publish what we find for everyone to read, never with data about one person.",
        )?,
        study(
            "diabetes-families",
            "Diabetes in Families",
            "They want to learn why diabetes runs in some families.",
            vec![
                offer(DataKind::Genome, "Read from your blood sample of 2024."),
                offer(DataKind::Sample, "What is left of your blood sample of 2024."),
            ],
            Policy {
                diseases: vec!["MONDO:0005015".to_owned()],
                ..rules(Permission::Ds, vec![Modifier::Npu, Modifier::Pub], "2029-06-30")?
            },
            "Diabetes often comes back in the same family. We look for the parts of the DNA that make it more \
             likely, so that doctors can find it earlier.",
        )?,
        study(
            "sleep-memory",
            "Sleep and Memory",
            "They want to learn how sleep helps people remember.",
            vec![
                offer(DataKind::Survey, "Your answers to the sleep questions of 2025."),
                offer(DataKind::HealthRecord, "Entries about sleep and medicine from 2015 on."),
            ],
            rules(Permission::Hmb, vec![Modifier::Ncu, Modifier::Irb], "2027-12-31")?,
            "We compare how people sleep with how well they remember, and look at what changes with age.",
        )?,
    ])
}
