//! A researcher asks one donor by a link, from a terminal; the donor opens it in a real window, sees who asks and what is
//! told, shares once and keeps it to themselves once.

use bridge::Role;
use identity::ProfileSecret;
use proof::{Biobankd, Window, program};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use thirtyfour::error::WebDriverResult;
use wallet::{Profile, connect, staff};

const HEART: &str = "Heart Rhythm Study";
const HOSPITAL: &str = "https://hospital.example/organisation";

/// A question that waits in a terminal, and the link that it printed.
struct Question {
    running: Child,
    output: BufReader<ChildStdout>,
    link: String,
}

impl Question {
    fn ask(root: &Path, ledger: &str, name: &str, more: &[&str]) -> Self {
        let (key, purpose) = (root.join("researcher.key"), root.join("purpose.json"));
        let mut running = Command::new(program("CONSENTCTL", "consentctl"))
            .args(["request", "--study", "heart-rhythm", "--audience", HOSPITAL, "--ledger", ledger, "--name", name])
            .arg("--key")
            .arg(key)
            .arg("--purpose")
            .arg(purpose)
            .arg("--cache")
            .arg(root.join("cache"))
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(running.stdout.take().unwrap());
        let mut link = String::new();
        output.read_line(&mut link).unwrap();
        assert!(link.starts_with("openid4vp://"), "{link}");
        Self { running, output, link: link.trim().to_owned() }
    }

    /// What the terminal says in the end.
    fn end(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.output.read_to_string(&mut said).unwrap();
        (self.running.wait().unwrap().code(), said)
    }
}

fn consentctl(arguments: &[&str]) -> String {
    let output = Command::new(program("CONSENTCTL", "consentctl")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Opens the page for a link and gives it one.
async fn open_link(window: &Window, link: &str) -> WebDriverResult<()> {
    window.press("Sharing").await?;
    window.heading("Sharing").await?;
    window.press("Open a link").await?;
    window.heading("A link that asks for proof").await?;
    window.type_into("Link", link).await?;
    window.press("Open").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_donor_sees_who_asks_by_a_link_and_what_is_told() -> WebDriverResult<()> {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let biobank = Biobankd::start(&root.join("biobank")).unwrap();
    let (address, told) = (biobank.address(), biobank.told());
    let folder = root.join("desk");
    std::fs::create_dir_all(&folder).unwrap();
    let desk = Profile::open(Role::Staff, &folder, ProfileSecret::from_bytes([1; 32])).unwrap();
    connect::connect(&desk, &address, told["staffCode"].as_str().unwrap()).await.unwrap();
    // The researcher works from a terminal, with an account.
    let key = root.join("researcher.key");
    consentctl(&["key", "make", key.to_str().unwrap()]);
    let code = told["researcherCode"].as_str().unwrap();
    let paired = consentctl(&["pair", "--key", key.to_str().unwrap(), "--ledger", &address, code]);
    let paired: Value = serde_json::from_str(&paired).unwrap();
    let account = root.join("account.jws");
    std::fs::write(&account, paired["account"].as_str().unwrap()).unwrap();
    let list: Value = reqwest::get(format!("{address}/v1/studies")).await.unwrap().json().await.unwrap();
    let read = |jws: &Value| {
        let payload = identity::verify_jws(jws.as_str().unwrap()).unwrap().payload;
        serde_json::from_slice::<consent::StudyRequest>(&payload).unwrap()
    };
    let studies = list["studies"].as_array().unwrap().iter().map(read);
    let heart = studies.into_iter().find(|study| study.id.as_str() == "heart-rhythm").unwrap();
    let purpose = consent::Purpose { data: vec![consent::DataKind::Genome], ..heart.purpose };
    std::fs::write(root.join("purpose.json"), serde_json::to_vec(&purpose).unwrap()).unwrap();

    let invitation = staff::invite(&desk).await.unwrap();
    let (data, suffix) = (root.join("wallet"), format!(" (link {})", std::process::id()));
    let arguments = [invitation.link.as_str(), "--data", data.to_str().unwrap(), "--keychain-suffix", &suffix];
    let window = Window::open(&arguments, &root.join("wallet.log")).await?;
    window.press("I am a participant").await?;
    window.press("Make my key").await?;
    window.heading("Open your invitation").await?;
    window.press("Open").await?;
    window.heading("Example Biobank invites you").await?;
    window.press("Join").await?;
    window.press_in(HEART, "Read and decide").await?;
    window.tick("My DNA data").await?;
    window.press("Continue").await?;
    window.press("Sign and send").await?;
    window.heading("Your answer is recorded").await?;
    window.press("Go to Home").await?;

    // What is no such link is told as that, and nothing of it is kept.
    open_link(&window, "https://hospital.example/hello").await?;
    window.find("//*[@role='alert']").await?;
    window.picture("link-refused").await?;

    // Vouched for by the biobank, and shared.
    let asked = Question::ask(root, &address, "Dr. A. Visser", &["--account", account.to_str().unwrap()]);
    open_link(&window, &asked.link).await?;
    window.text("Your biobank confirms who this is.").await?;
    let said = window.read().await?;
    for line in ["asks for proof", "What they need", HEART, "They ask for", "What stays hidden", "Your name"] {
        assert!(said.contains(line), "{line:?} is not in: {said}");
    }
    window.picture("link-vouched").await?;
    window.press("Share").await?;
    window.heading("Activity").await?;
    window.picture("link-shared").await?;
    let (status, said) = asked.end();
    assert_eq!((status, said.lines().next()), (Some(0), Some("permit")), "{said}");

    // Vouched for by nobody, and kept.
    let asked = Question::ask(root, &address, "Somebody at a table", &[]);
    open_link(&window, &asked.link).await?;
    window.heading("Somebody at a table asks for proof").await?;
    window.text("Nobody confirms who this is.").await?;
    window.picture("link-unknown").await?;
    window.press("Do not share").await?;
    window.heading("Activity").await?;
    let said = window.read().await?;
    assert!(!said.contains("Somebody at a table asks"), "{said}");
    let Question { mut running, .. } = asked;
    assert!(running.try_wait().unwrap().is_none(), "the terminal heard nothing");
    running.kill().unwrap();
    running.wait().unwrap();
    window.close().await
}
