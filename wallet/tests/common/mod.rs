//! A real biobank on a free port, and profiles whose secrets do not need a keychain.
#![allow(dead_code, unused_imports, reason = "each test file uses a part")]

mod deeds;

pub use deeds::{choose, grant, step, withdraw};

use bridge::{Failure, Role};
use consent::{DataKind, StudyId};
use identity::ProfileSecret;
use server::{Institution, Options, Running, start};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use wallet::{Profile, connect, enrol, staff, sync};

/// A biobank, its folder, and the codes that it gave out.
pub struct Biobank {
    pub dir: PathBuf,
    pub running: Option<Running>,
    pub address: String,
    pub staff_code: String,
    pub researcher_code: String,
}

impl Biobank {
    pub async fn open(dir: &Path) -> Self {
        Self::open_at(dir, ([127, 0, 0, 1], 0).into()).await
    }

    pub async fn open_at(dir: &Path, listen: SocketAddr) -> Self {
        let institution = Institution { name: "Example Biobank".into(), origin: "biobank.example/log".into() };
        let options = Options { demo: true, ..Options::new(dir.to_owned(), listen, institution) };
        let running = start(options).await.unwrap();
        let told: serde_json::Value = serde_json::from_slice(&std::fs::read(dir.join("demo.json")).unwrap()).unwrap();
        Self {
            dir: dir.to_owned(),
            address: running.address.clone(),
            running: Some(running),
            staff_code: told["staffCode"].as_str().unwrap().to_owned(),
            researcher_code: told["researcherCode"].as_str().unwrap().to_owned(),
        }
    }

    /// Stops answering.
    pub async fn close(&mut self) {
        self.running = None;
        // The log's database is released when the last request is done.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }

    /// Answers again, at the same address.
    pub async fn reopen(&mut self) {
        let listen: SocketAddr = self.address.trim_start_matches("http://").parse().unwrap();
        *self = Self::open_at(&self.dir, listen).await;
    }
}

/// What the record holds before the first donor speaks: the biobank, two policies, three studies, and the two people who
/// connected.
pub const FOUNDED: u64 = 8;

/// The three people of the main job.
pub struct Cast {
    pub root: TempDir,
    pub biobank: Biobank,
    pub staff: Profile,
    pub participant: Profile,
    pub researcher: Profile,
}

impl Cast {
    /// Everybody connected, the participant enrolled.
    pub async fn ready() -> Self {
        let root = tempfile::tempdir().unwrap();
        let biobank = Biobank::open(&root.path().join("biobank")).await;
        let staff = profile(root.path(), Role::Staff, 1);
        let participant = profile(root.path(), Role::Participant, 2);
        let researcher = profile(root.path(), Role::Researcher, 3);
        connect::connect(&staff, &biobank.address, &biobank.staff_code).await.unwrap();
        connect::connect(&researcher, &biobank.address, &biobank.researcher_code).await.unwrap();
        let cast = Self { root, biobank, staff, participant, researcher };
        cast.enrol(&cast.participant).await.unwrap();
        sync::sync(&cast.researcher).await.unwrap();
        cast
    }

    /// Invites and enrols somebody.
    pub async fn enrol(&self, profile: &Profile) -> Result<(), Failure> {
        let invitation = staff::invite(&self.staff).await?;
        let offer = enrol::read_invitation(&invitation.link, None).await?;
        enrol::accept(profile, &offer).await?;
        sync::sync(profile).await.map(drop)
    }
}

pub fn profile(root: &Path, role: Role, seed: u8) -> Profile {
    let dir = root.join(format!("{}-{seed}", role.name()));
    std::fs::create_dir_all(&dir).unwrap();
    Profile::open(role, &dir, ProfileSecret::from_bytes([seed; 32])).unwrap()
}

pub fn heart() -> StudyId {
    "heart-rhythm".parse().unwrap()
}

pub const CHOICE: [DataKind; 2] = [DataKind::Genome, DataKind::HealthRecord];
