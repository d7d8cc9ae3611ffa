//! The alarm in a real window, beside a real biobank whose folder is replaced: by an older copy, by the whole log again,
//! and by a copy that others wrote on from. What is said each time, what the saved file is worth to others, and that a
//! donor can say stop all the while.

use bridge::Role;
use consent::DataKind;
use identity::ProfileSecret;
use proof::{Biobankd, FOUNDED, Window, grant, program};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use thirtyfour::error::WebDriverResult;
use wallet::{Profile, connect, enrol, staff, sync};

const HEART: &str = "Heart Rhythm Study";
const DIABETES: &str = "Diabetes in Families";
const SHORTER: &str = "The biobank’s record got shorter";
const OTHER: &str = "The biobank’s record was changed";
/// Long enough for the wallet to look at the log again.
const ROUNDS: Duration = Duration::from_secs(10);
/// The older copy: what founds the log, the entry of who works at the desk, and the donor's first answer.
const OLDER: u64 = FOUNDED + 2;
/// What the donor's wallet has seen: another donor's answer, and a second one of their own.
const SEEN: u64 = OLDER + 2;

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_contradicts_itself_is_told_in_its_own_words() -> WebDriverResult<()> {
    let root = tempfile::tempdir().unwrap();
    let mut stage = Stage::set(root.path()).await?;
    // Two wallets of one donor, who saw the same.
    run(Command::new("cp").arg("-a").arg(root.path().join("wallet")).arg(root.path().join("wallet-later")));
    stage.gets_shorter().await?;
    stage.goes_on_elsewhere().await
}

/// A biobank, copies of its log from before and after the donor's second answer, and whoever works at its desk.
struct Stage<'a> {
    root: &'a Path,
    biobank: Biobankd,
    desk: Profile,
    suffix: String,
}

impl<'a> Stage<'a> {
    /// A donor joins in a window and says yes twice.
    async fn set(root: &'a Path) -> WebDriverResult<Self> {
        let biobank = Biobankd::start(&root.join("biobank")).unwrap();
        let desk = profile(&root.join("desk"), Role::Staff, 1);
        connect::connect(&desk, &biobank.address(), biobank.told()["staffCode"].as_str().unwrap()).await.unwrap();
        let suffix = format!(" (alarm {})", std::process::id());
        let mut stage = Self { root, biobank, desk, suffix };

        step("A donor joins and says yes to two studies");
        let invitation = staff::invite(&stage.desk).await.unwrap();
        let window = stage.open("wallet", &[invitation.link.as_str()]).await?;
        window.press("Make my key").await?;
        window.heading("Open your invitation").await?;
        window.press("Open").await?;
        window.heading("Example Biobank invites you").await?;
        window.press("Join").await?;
        say_yes(&window, HEART).await?;
        stage.keep("older");
        stage.another_says_yes(8).await;
        say_yes(&window, DIABETES).await?;
        window.close().await?;
        stage.keep("whole");
        assert_eq!(stage.size(), SEEN);
        Ok(stage)
    }

    /// Another donor joins and says yes to a study: one entry more.
    async fn another_says_yes(&self, seed: u8) {
        let other = profile(&self.root.join(format!("other-{seed}-of-{}", self.size())), Role::Participant, seed);
        let invitation = staff::invite(&self.desk).await.unwrap();
        enrol::accept(&other, &enrol::read_invitation(&invitation.link, None).await.unwrap()).await.unwrap();
        sync::sync(&other).await.unwrap();
        grant(&other, &"heart-rhythm".parse().unwrap(), &[DataKind::Genome]).await.unwrap();
        assert_eq!(sync::sync(&other).await.unwrap().waiting, 0);
    }

    /// The donor's window, with the wallet in this folder.
    async fn open(&self, wallet: &str, more: &[&str]) -> WebDriverResult<Window> {
        let (data, downloads) = (self.root.join(wallet), self.downloads(wallet));
        let (data, downloads) = (data.to_str().unwrap(), downloads.to_str().unwrap());
        let own = ["--data", data, "--downloads", downloads, "--keychain-suffix", self.suffix.as_str()];
        let window = Window::open(&[more, &own].concat(), &self.root.join("wallet.log")).await?;
        window.press("I am a participant").await?;
        Ok(window)
    }

    fn downloads(&self, wallet: &str) -> PathBuf {
        self.root.join(format!("{wallet}-downloads"))
    }

    /// Keeps a copy of the log as it is.
    fn keep(&mut self, name: &str) {
        self.biobank.kill();
        run(Command::new("cp").arg("-a").arg(self.biobank.dir.join("log")).arg(self.root.join(name)));
        self.biobank.restart(&[]).unwrap();
    }

    /// The biobank goes on from a copy.
    fn goes_on_from(&mut self, name: &str) {
        self.biobank.kill();
        let log = self.biobank.dir.join("log");
        std::fs::remove_dir_all(&log).unwrap();
        run(Command::new("cp").arg("-a").arg(self.root.join(name)).arg(&log));
        self.biobank.restart(&[]).unwrap();
    }

    /// How many entries the log has, and that they are sound.
    fn size(&self) -> u64 {
        let (status, said) = consentctl(&["ledger", "replay", &self.biobank.address()]);
        assert_eq!(status, Some(0), "{said}");
        said.lines().find_map(|line| line.strip_prefix("size ")).unwrap().parse().unwrap()
    }

    /// The alarm for a log that is only shorter, its end, and what comes of going on from the old copy.
    async fn gets_shorter(&mut self) -> WebDriverResult<()> {
        let window = self.open("wallet", &[]).await?;
        window.heading("One study is waiting for you").await?;

        step("An older copy of the log: shorter, which proves nothing yet");
        self.goes_on_from("older");
        alarm(&window, SHORTER).await?;
        let said = window.read().await?;
        for line in
            ["Entries are missing at its end", "an old copy", "You can still say stop", "10 entries", "8 entries"]
        {
            assert!(said.contains(line), "{line:?} is not in: {said}");
        }
        window.picture("alarm-shorter").await?;
        save(&window).await?;
        window.picture("alarm-shorter-saved").await?;
        let file = self.downloads("wallet").join("record-alarm.evidence.json");
        assert_judged(&file, 1, "not proved: an older checkpoint was shown");

        step("The whole log again: the alarm ends, and is not forgotten");
        self.goes_on_from("whole");
        no_alarm(&window).await?;
        window.press("Activity").await?;
        window.heading("Activity").await?;
        window.text("The missing entries are back in the biobank’s record.").await?;
        window.text("Alarm: the biobank’s record got shorter or shows another past.").await?;
        window.picture("alarm-ended").await?;

        step("The older copy again: a stop goes out all the same");
        self.goes_on_from("older");
        alarm(&window, SHORTER).await?;
        stop(&window, "Leave this study", "Stop contact only").await?;
        window.picture("alarm-shorter-stop-sent").await?;
        assert_eq!(self.size(), OLDER + 1, "it is in the log");

        step("It goes on from there until it has as many entries as before: that convicts it");
        stop(&window, "Stop more", "Stop all use").await?;
        alarm(&window, OTHER).await?;
        let said = window.read().await?;
        for line in ["a past that this computer never saw", "anyone can check", "You can still say stop"] {
            assert!(said.contains(line), "{line:?} is not in: {said}");
        }
        window.press("Home").await?;
        window.picture("alarm-other").await?;
        save(&window).await?;
        window.picture("alarm-other-saved").await?;
        let file = self.downloads("wallet").join("record-alarm-2.evidence.json");
        assert_judged(&file, 0, "proved: the log signed two different trees of one size");
        assert_eq!(self.size(), SEEN);
        window.close().await
    }

    /// The alarm for a log that was longer than before when it was looked at, with another past.
    async fn goes_on_elsewhere(&mut self) -> WebDriverResult<()> {
        step("While the window was closed, another donor's answers took the place of these");
        self.goes_on_from("older");
        for seed in [9, 10, 11] {
            self.another_says_yes(seed).await;
        }
        let window = self.open("wallet-later", &[]).await?;
        alarm(&window, OTHER).await?;
        let said = window.read().await?;
        assert!(said.contains("10 entries") && said.contains("11 entries"), "{said}");
        window.picture("alarm-other-larger").await?;
        save(&window).await?;
        let file = self.downloads("wallet-later").join("record-alarm.evidence.json");
        assert_judged(&file, 0, "proved: the log signed a larger tree that does not contain the smaller one");

        step("A stop goes out, and is not called recorded");
        stop(&window, "Leave this study", "Stop all use").await?;
        alarm(&window, OTHER).await?;
        window.picture("alarm-other-stop-sent").await?;
        assert_eq!(self.size(), SEEN + 2, "it is in the log");

        step("The whole log again: what is proven stays");
        self.goes_on_from("whole");
        window.press("Activity").await?;
        window.heading("Activity").await?;
        window.text("was sent").await?;
        // A round or two go by.
        tokio::time::sleep(ROUNDS).await;
        alarm(&window, OTHER).await?;
        assert!(!window.read().await?.contains("are back in"), "the alarm has no end");
        window.close().await
    }
}

fn profile(dir: &Path, role: Role, seed: u8) -> Profile {
    std::fs::create_dir_all(dir).unwrap();
    Profile::open(role, dir, ProfileSecret::from_bytes([seed; 32])).unwrap()
}

/// Waits for the alarm of this name, above the page.
async fn alarm(window: &Window, title: &str) -> WebDriverResult<()> {
    window.find(&format!("//section[@role='alert'][.//h2[normalize-space(.)='{title}']]")).await.map(drop)
}

async fn no_alarm(window: &Window) -> WebDriverResult<()> {
    window.find("//main[not(.//section[@role='alert'])]").await.map(drop)
}

async fn save(window: &Window) -> WebDriverResult<()> {
    window.press("Save what was seen").await?;
    window.text("Saved. Keep the file safe.").await
}

/// Says yes to a study, from the list to the word that it is recorded.
async fn say_yes(window: &Window, study: &str) -> WebDriverResult<()> {
    window.press_in(study, "Read and decide").await?;
    window.tick("My DNA data").await?;
    window.press("Continue").await?;
    window.press("Sign and send").await?;
    window.heading("Your answer is recorded").await?;
    window.press("Go to Home").await
}

/// Leaves the first study by this button as far as this, from its page to the word that it was sent.
async fn stop(window: &Window, by: &str, level: &str) -> WebDriverResult<()> {
    window.press("Sharing").await?;
    window.heading("Sharing").await?;
    window.press_in(HEART, "See details").await?;
    window.heading(HEART).await?;
    window.press(by).await?;
    window.tick(level).await?;
    window.press("Continue").await?;
    window.heading("Check what you do").await?;
    window.press(level).await?;
    window.heading("Your answer is sent").await
}

/// What somebody makes of the file who has nothing else.
fn assert_judged(file: &Path, status: i32, word: &str) {
    let (code, said) = consentctl(&["ledger", "evidence", file.to_str().unwrap()]);
    assert_eq!(code, Some(status), "{said}");
    assert!(said.starts_with(word), "{said}");
}

fn consentctl(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(program("CONSENTCTL", "consentctl")).args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}

fn step(what: &str) {
    println!("{what}");
}
