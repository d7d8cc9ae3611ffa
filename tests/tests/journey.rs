//! The main job as one journey, by hand of three people, in a real window with a real keychain against a real
//! biobank. Each step is printed and leaves a picture.

use proof::{Biobankd, Window, find_secret};
use std::path::Path;
use thirtyfour::error::WebDriverResult;

const HEART: &str = "Heart Rhythm Study";
const DIABETES: &str = "Diabetes in Families";

#[tokio::test(flavor = "multi_thread")]
async fn from_invitation_to_withdrawal() -> WebDriverResult<()> {
    let root = tempfile::tempdir().unwrap();
    let result = journey(root.path()).await;
    if result.is_err() {
        for log in ["wallet.log", "biobank.log"] {
            let text = std::fs::read_to_string(root.path().join(log)).unwrap_or_default();
            let lines: Vec<_> = text
                .lines()
                .filter(|line| [" WARN ", " ERROR ", "thrown away"].iter().any(|mark| line.contains(mark)))
                .collect();
            println!("{log}: {:#?}", &lines[lines.len().saturating_sub(20)..]);
        }
    }
    result
}

async fn journey(root: &Path) -> WebDriverResult<()> {
    let mut biobank = Biobankd::start(&root.join("biobank")).unwrap();
    let (data, downloads) = (root.join("wallet"), root.join("downloads"));
    let demo = biobank.dir.join("demo.json");
    let suffix = format!(" (journey {})", std::process::id());
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (data_text, downloads_text, demo_text) = (text(&data), text(&downloads), text(&demo));
    let arguments =
        ["--data", &data_text, "--downloads", &downloads_text, "--demo", &demo_text, "--keychain-suffix", &suffix];
    let log = root.join("wallet.log");
    let window = Window::open(&arguments, &log).await?;

    step("1. Staff invites a donor");
    window.heading("Who are you?").await?;
    window.picture("start").await?;
    become_role(&window, "I work at a biobank").await?;
    window.press("Connect").await?;
    window.heading("Donors").await?;
    window.picture("staff-empty").await?;
    window.press("Invite a donor").await?;
    window.heading("Invitation for donor").await?;
    window.picture("staff-invitation").await?;
    let link = window.find("//input[@readonly]").await?.prop("value").await?.unwrap();
    assert!(link.starts_with("consent-wallet://join?"), "{link}");
    let code = window.find("//*[@aria-labelledby='invitation-code']//p").await?.text().await?;
    assert_eq!(code.len(), 9, "eight characters and a dash: {code}");
    window.press("Back to donors").await?;
    window.text("Invitation sent").await?;
    window.picture("staff-sent").await?;

    step("2. The participant opens the invitation and joins");
    switch(&window).await?;
    window.press("I am a participant").await?;
    window.heading("Let us make your key").await?;
    window.picture("participant-first-run").await?;
    window.press("Make my key").await?;
    window.heading("Open your invitation").await?;
    window.picture("participant-invitation").await?;
    window.type_into("Link or code", "no invitation at all").await?;
    window.press("Open").await?;
    window.find("//*[@role='alert']").await?;
    window.type_into("Link or code", &link).await?;
    window.press("Open").await?;
    window.heading("Example Biobank invites you").await?;
    window.picture("participant-invited").await?;
    window.press("Join").await?;
    window.heading("3 studies are waiting for you").await?;
    window.picture("participant-home").await?;

    step("3. The participant reads a request, chooses, checks and signs");
    window.press_in(HEART, "Read and decide").await?;
    window.heading("Can this study use your data?").await?;
    for offer in ["My DNA data", "My health record"] {
        assert!(!window.is_ticked(offer).await?, "nothing is ticked beforehand");
    }
    assert_equal_weight(&window).await?;
    window.picture("participant-request").await?;
    let title = window.run("return document.title", vec![]).await?;
    assert_eq!(title, "Can this study use your data? · Participant · Consent wallet", "the frame tells the role");
    window.press("Continue").await?;
    window.find("//*[@role='alert']").await?;
    window.tick("My DNA data").await?;
    window.tick("My health record").await?;
    window.press("Continue").await?;
    window.heading("Check your answer").await?;
    window.picture("participant-check").await?;
    window.press("Sign and send").await?;
    window.heading("Your answer is recorded").await?;
    window.text("Entry 8 in the biobank’s record").await?;
    window.picture("participant-recorded").await?;

    step("   without a connection: saved here, sent later by itself");
    biobank.kill();
    window.press("Go to Home").await?;
    window.press_in(DIABETES, "Read and decide").await?;
    window.tick("My DNA data").await?;
    window.press("Continue").await?;
    window.press("Sign and send").await?;
    window.text("Saved on this computer").await?;
    window.picture("participant-saved").await?;
    biobank.restart(&[]).unwrap();
    window.heading("Your answer is recorded").await?;
    window.picture("participant-recorded-later").await?;

    step("4. The participant saves a proof, the researcher checks it");
    window.press("Sharing").await?;
    window.heading("Sharing").await?;
    window.picture("participant-sharing").await?;
    window.press_in(HEART, "See details").await?;
    window.heading(HEART).await?;
    window.press("Save a proof").await?;
    window.text("The proof is saved here").await?;
    window.picture("participant-consent").await?;
    let file = downloads.join("heart-rhythm.consent.json");
    let proof = std::fs::read_to_string(&file).unwrap();
    switch(&window).await?;
    become_role(&window, "I am a researcher").await?;
    window.press("Connect").await?;
    window.heading("Check a consent").await?;
    window.picture("researcher-check").await?;
    window.field("Choose the proof file").await?.send_keys(file.to_str().unwrap()).await?;
    window.text("heart-rhythm.consent.json is loaded").await?;
    choose_study(&window, "heart-rhythm").await?;
    window.picture("researcher-purpose").await?;
    window.send("Check").await?;
    window.heading("Permit").await?;
    window.picture("researcher-permit").await?;

    step("   the researcher asks through the mailbox, the participant answers");
    window.press("Requests").await?;
    window.heading("Requests").await?;
    choose_study(&window, "heart-rhythm").await?;
    window.press("Ask for proof").await?;
    window.text("0 of 1 answered").await?;
    switch(&window).await?;
    window.press("I am a participant").await?;
    window.text("One researcher asks for proof").await?;
    window.press("Sharing").await?;
    window.text("Example University Hospital asks for proof of your consent").await?;
    window.picture("participant-asked").await?;
    window.press("Share proof").await?;
    window.find("//*[contains(., 'The proof was shared')]").await?;

    step("5. The participant withdraws, the researcher's next check says deny");
    window.press_in(HEART, "See details").await?;
    window.heading(HEART).await?;
    window.press("Leave this study").await?;
    window.heading("Leave Heart Rhythm Study?").await?;
    window.picture("participant-leave").await?;
    window.tick("Stop all use").await?;
    window.press("Continue").await?;
    window.heading("Check what you do").await?;
    window.picture("participant-leave-check").await?;
    window.press("Stop all use").await?;
    window.heading("You left Heart Rhythm Study").await?;
    window.text("Entry 11 in the biobank’s record").await?;
    window.picture("participant-left").await?;
    window.press("Activity").await?;
    window.heading("Activity").await?;
    let activity = window.read().await?;
    window.picture("participant-activity").await?;
    for line in ["joined", HEART, DIABETES, "did not"] {
        assert!(activity.contains(line), "{line:?} is not in: {activity}");
    }
    window.press("My key").await?;
    window.heading("My key").await?;
    window.picture("participant-key").await?;
    switch(&window).await?;
    window.press("I am a researcher").await?;
    window.heading("Check a consent").await?;
    give_proof(&window, &proof).await?;
    choose_study(&window, "heart-rhythm").await?;
    window.send("Check").await?;
    window.heading("Deny").await?;
    let said = window.read().await?.to_lowercase();
    assert!(said.contains("withdrawn") || said.contains("withdrew"), "{said}");
    window.picture("researcher-deny").await?;
    window.press("Requests").await?;
    window.text("1 of 1 answered").await?;
    window.text("Deny").await?;
    window.picture("researcher-requests").await?;
    switch(&window).await?;
    window.press("I work at a biobank").await?;
    window.heading("Donors").await?;
    window.text("Joined").await?;
    window.picture("staff-donors").await?;
    window.close().await?;

    step("   and no secret is in any file or log");
    for role in ["participant", "staff", "researcher"] {
        let secret =
            identity::read_secret(&format!("{role}{suffix}")).await.unwrap().expect("the keychain holds the key");
        let (found, read) = find_secret(root, secret.expose()).unwrap();
        assert_eq!(found, None, "the secret of {role}");
        assert!(read > 10, "the folders of the journey are here");
    }
    Ok(())
}

fn step(what: &str) {
    println!("{what}");
}

async fn become_role(window: &Window, role: &str) -> WebDriverResult<()> {
    window.press(role).await?;
    window.heading("Let us make your key").await?;
    window.press("Make my key").await
}

async fn switch(window: &Window) -> WebDriverResult<()> {
    window.press("Switch profile").await?;
    window.heading("Who are you?").await
}

/// "Say no" and "Continue" have the same size and look.
async fn assert_equal_weight(window: &Window) -> WebDriverResult<()> {
    let look = "return [...document.querySelectorAll('button')].filter(b => ['Say no', 'Continue'].includes(b.innerText.trim()))
        .map(b => { const s = getComputedStyle(b), r = b.getBoundingClientRect();
                    return [Math.round(r.width), Math.round(r.height), s.backgroundColor, s.color, s.fontWeight].join(' ') })";
    let looks = window.run(look, vec![]).await?;
    assert_eq!(looks[0], looks[1]);
    assert!(looks[0].is_string(), "{looks}");
    Ok(())
}

async fn give_proof(window: &Window, proof: &str) -> WebDriverResult<()> {
    // Pasting, as a person does: typing 8,000 characters key by key takes minutes.
    let paste = "const area = document.getElementById('proof-text'); area.focus(); area.value = arguments[0];
        area.dispatchEvent(new InputEvent('input', { bubbles: true }))";
    window.field("Or paste the text of the proof").await?;
    window.run(paste, vec![proof.into()]).await.map(drop)
}

async fn choose_study(window: &Window, study: &str) -> WebDriverResult<()> {
    window.field("Study").await?;
    window.find(&format!("//option[@value='{study}']")).await?.click().await
}
