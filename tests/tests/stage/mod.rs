//! A biobank, a participant whose consent is recorded, and the proof of it in a file.

use bridge::Role;
use consent::{DataKind, Purpose};
use identity::ProfileSecret;
use proof::{Biobankd, grant};
use std::path::PathBuf;
use wallet::{Profile, connect, enrol, proof as proofs, research, staff, sync};

pub struct Stage {
    pub root: tempfile::TempDir,
    pub biobank: Biobankd,
    pub participant: Profile,
    pub proof: PathBuf,
    pub purpose: Purpose,
}

impl Stage {
    pub async fn set() -> Self {
        let root = tempfile::tempdir().unwrap();
        let biobank = Biobankd::start(&root.path().join("biobank")).unwrap();
        let told = biobank.told();
        let profile = |role: Role, seed| {
            let dir = root.path().join(role.name());
            std::fs::create_dir_all(&dir).unwrap();
            Profile::open(role, &dir, ProfileSecret::from_bytes([seed; 32])).unwrap()
        };
        let (desk, researcher) = (profile(Role::Staff, 1), profile(Role::Researcher, 3));
        connect::connect(&desk, &biobank.address(), told["staffCode"].as_str().unwrap()).await.unwrap();
        connect::connect(&researcher, &biobank.address(), told["researcherCode"].as_str().unwrap()).await.unwrap();
        let participant = profile(Role::Participant, 2);
        let invitation = staff::invite(&desk).await.unwrap();
        let offer = enrol::read_invitation(&invitation.link, None).await.unwrap();
        enrol::accept(&participant, &offer).await.unwrap();
        sync::sync(&participant).await.unwrap();
        let study = "heart-rhythm".parse().unwrap();
        grant(&participant, &study, &[DataKind::Genome]).await.unwrap();
        sync::sync(&participant).await.unwrap();
        let proof = proofs::save(&participant, &study, &root.path().join("downloads")).await.unwrap();
        let studies = research::studies(&researcher).await.unwrap().studies;
        let mut purpose = studies.iter().find(|card| card.study == study).unwrap().purpose.clone();
        purpose.data = vec![DataKind::Genome];
        Self { root, biobank, participant, proof, purpose }
    }
}
