//! The life of one consent in a real window, with a real keychain against a real biobank, by keyboard alone: choices,
//! an answer with its questions, its history, a change, a pause, more time, a receipt, and leaving step by step.

use consent::{Date, words};
use proof::{Biobankd, Keyboard, Window};
use std::path::Path;
use thirtyfour::error::WebDriverResult;

const HEART: &str = "Heart Rhythm Study";
const COMPARE: &str = "May they compare you with people who have some other illness?";
const TRAIN: &str = "May they train AI models with your data?";
const ACTIONABLE: &str = "Do you want to hear of results that a doctor can act on?";

#[tokio::test(flavor = "multi_thread")]
async fn a_person_without_a_mouse_lives_with_a_consent() -> WebDriverResult<()> {
    let root = tempfile::tempdir().unwrap();
    let result = journey(root.path()).await;
    if result.is_err() {
        for log in ["wallet.log", "biobank.log"] {
            let text = std::fs::read_to_string(root.path().join(log)).unwrap_or_default();
            let lines: Vec<_> =
                text.lines().filter(|line| [" WARN ", " ERROR "].iter().any(|mark| line.contains(mark))).collect();
            println!("{log}: {:#?}", &lines[lines.len().saturating_sub(20)..]);
        }
    }
    result
}

async fn journey(root: &Path) -> WebDriverResult<()> {
    let biobank = Biobankd::start(&root.join("biobank")).unwrap();
    let (data, downloads) = (root.join("wallet"), root.join("downloads"));
    let demo = biobank.dir.join("demo.json");
    let suffix = format!(" (life {})", std::process::id());
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (data, folder, demo) = (text(&data), text(&downloads), text(&demo));
    let arguments = ["--data", &data, "--downloads", &folder, "--demo", &demo, "--keychain-suffix", &suffix];
    let window = Window::open(&arguments, &root.join("wallet.log")).await?;
    let keys = Keyboard::of(&window);

    join(&window, &keys).await?;
    choose(&window, &keys).await?;
    answer(&window, &keys).await?;
    read_history(&window, &keys).await?;
    change(&window, &keys).await?;
    try_other_choices(&window, &keys).await?;
    pause_and_resume(&window, &keys).await?;
    extend(&window, &keys).await?;
    save_a_receipt(&window, &keys, &downloads).await?;
    leave(&window, &keys).await?;
    window.close().await
}

async fn join(window: &Window, keys: &Keyboard<'_>) -> WebDriverResult<()> {
    step("1. Staff invites, the participant joins");
    keys.page("Who are you?").await?;
    keys.press("I work at a biobank").await?;
    keys.page("Let us make your key").await?;
    keys.press("Make my key").await?;
    keys.page("Connect to your biobank").await?;
    keys.press("Connect").await?;
    keys.page("Donors").await?;
    keys.press("Invite a donor").await?;
    keys.page("Invitation for donor").await?;
    let link = window.find("//input[@readonly]").await?.prop("value").await?.unwrap();
    keys.press("Switch profile").await?;
    keys.page("Who are you?").await?;
    keys.press("I am a participant").await?;
    keys.page("Let us make your key").await?;
    keys.press("Make my key").await?;
    keys.page("Open your invitation").await?;
    keys.type_into("Link or code", "", &link).await?;
    keys.press("Open").await?;
    keys.page("Example Biobank invites you").await?;
    keys.press("Join").await?;
    keys.page("3 studies are waiting for you").await
}

async fn choose(window: &Window, keys: &Keyboard<'_>) -> WebDriverResult<()> {
    step("2. Choices, before any study is answered");
    keys.press("My choices").await?;
    keys.page("My choices").await?;
    window.text("You have not saved any choices yet").await?;
    let chosen = window.run("return document.querySelectorAll('main input:checked').length", vec![]).await?;
    assert_eq!(chosen, 0, "nothing is chosen beforehand");
    window.picture("choices-empty").await?;
    keys.choose("What kind of research may they do?", "Only research on illness that I name").await?;
    keys.find("Find an illness", "heart disease").await?;
    keys.choose("May they use your data to earn money?", "Not sure").await?;
    window.picture("choices-illness").await?;
    keys.choose("What kind of research may they do?", "Only research on health or illness").await?;
    keys.choose("May they use your data to earn money?", "No").await?;
    keys.press("Next: Who").await?;
    keys.choose("Universities and public research hospitals", "Yes").await?;
    keys.press("Next: What").await?;
    keys.choose("My DNA data", "Yes").await?;
    keys.choose("My health record", "Yes").await?;
    keys.choose("My samples", "No").await?;
    keys.press("Next: Where").await?;
    keys.choose("In which places may they use it?", "Anywhere").await?;
    window.picture("choices-where").await?;
    window.text("Not saved yet").await?;
    keys.press("Save my choices").await?;
    window.text("Saved today").await?;
    window.picture("choices-saved").await?;
    keys.press("Home").await?;
    keys.page("3 studies are waiting for you").await?;
    window.find(&in_card(HEART, "Fits your choices")).await?;
    window.find(&in_card("Diabetes in Families", "Goes against your choices")).await?;
    window.picture("home-with-hints").await
}

async fn answer(window: &Window, keys: &Keyboard<'_>) -> WebDriverResult<()> {
    step("3. A request is read, its questions are answered");
    keys.press_about("Diabetes in Families", "Read and decide").await?;
    keys.page("Can this study use your data?").await?;
    window.text("You chose not to share your samples").await?;
    window.picture("request-against-choices").await?;
    keys.press("Back").await?;
    keys.page("3 studies are waiting for you").await?;
    keys.press_about(HEART, "Read and decide").await?;
    keys.page("Can this study use your data?").await?;
    window.text("Fits your choices").await?;
    let chosen = window.run("return document.querySelectorAll('main input:checked').length", vec![]).await?;
    assert_eq!(chosen, 0, "nothing is chosen beforehand, neither data nor answers");
    keys.tick("My DNA data").await?;
    keys.tick("My health record").await?;
    keys.choose(COMPARE, "Yes").await?;
    keys.choose(TRAIN, "Not sure").await?;
    keys.choose(ACTIONABLE, "Yes").await?;
    window.picture("request-answered").await?;
    keys.press("Continue").await?;
    keys.page("Check your answer").await?;
    let said = window.read().await?;
    for line in ["may use your DNA data", "may use your health record", TRAIN, "Could begin", "What this means"] {
        assert!(said.contains(line), "{line:?} is not in: {said}");
    }
    assert!(!said.contains("What changes"), "a first answer changes nothing: {said}");
    keys.open("The text that you sign").await?;
    window.text("You share your DNA data and health records.").await?;
    window.text("May they train AI models with your data? You answered: not sure.").await?;
    window.picture("review").await?;
    keys.press("Sign and send").await?;
    keys.page("Your answer is recorded").await?;
    window.text("Entry 8 in the biobank’s record").await?;
    window.picture("answered").await
}

async fn read_history(window: &Window, keys: &Keyboard<'_>) -> WebDriverResult<()> {
    step("4. What was signed can be read again");
    keys.press("See the details").await?;
    keys.page(HEART).await?;
    window.text("You said yes.").await?;
    window.text("Version 1").await?;
    keys.open("The text that you signed").await?;
    window.text("The text is the same as the one you signed").await?;
    window.picture("consent").await
}

async fn change(window: &Window, keys: &Keyboard<'_>) -> WebDriverResult<()> {
    step("5. Less is shared, and for a shorter time");
    keys.press("Change what you share").await?;
    keys.page("Change what you share").await?;
    assert!(window.is_ticked("My DNA data").await?, "what is in force is filled in");
    keys.press("Continue").await?;
    window.text("You have not changed anything yet").await?;
    keys.tick("My health record").await?;
    let until = in_months(window, 6).await?;
    keys.type_day("Last day", until).await?;
    keys.choose(TRAIN, "No").await?;
    window.text("Changed").await?;
    window.picture("change").await?;
    keys.press("Continue").await?;
    keys.page("Check your change").await?;
    let said = window.read().await?;
    let until = words::date("en", until);
    for line in ["What changes", "Allows less", "No longer: They may use your health records.", &until] {
        assert!(said.contains(line), "{line:?} is not in: {said}");
    }
    assert!(!said.contains("Allows more"), "{said}");
    assert!(said.contains("What this means for the study"), "{said}");
    window.picture("change-review").await?;
    keys.escape().await?;
    keys.page("Change what you share").await?;
    assert!(!window.is_ticked("My health record").await?, "what was chosen is still chosen");
    keys.press("Continue").await?;
    keys.page("Check your change").await?;
    keys.press("Sign and send").await?;
    keys.page("Your change is recorded").await?;
    window.text("Entry 9 in the biobank’s record").await?;
    window.picture("changed").await?;
    keys.press("See the details").await?;
    keys.page(HEART).await?;
    window.text("Version 2").await?;
    window.text("Replaced by a newer answer").await?;
    window.picture("consent-changed").await
}

async fn try_other_choices(window: &Window, keys: &Keyboard<'_>) -> WebDriverResult<()> {
    step("6. What other choices would mean, before they are saved");
    keys.press("My choices").await?;
    keys.page("My choices").await?;
    keys.press("Who").await?;
    keys.choose("Universities and public research hospitals", "No").await?;
    window.text("No longer fits").await?;
    window.text("You chose not to share with public research centres").await?;
    window.picture("choices-tried").await?;
    keys.press("Undo changes").await?;
    window.text("Your changes are gone").await
}

async fn pause_and_resume(window: &Window, keys: &Keyboard<'_>) -> WebDriverResult<()> {
    step("7. A pause until a day, and its end");
    to_the_consent(keys).await?;
    keys.press("Pause sharing").await?;
    keys.page("Pause Heart Rhythm Study?").await?;
    keys.press("Continue").await?;
    window.text("Choose how long first").await?;
    keys.choose("How long?", "Until a day").await?;
    let last = in_months(window, 2).await?;
    keys.type_day("Last day of the pause", last).await?;
    window.picture("pause").await?;
    keys.press("Continue").await?;
    keys.page("Check what you do").await?;
    let day = words::date("en", last);
    window.text(&format!("They may use your data again after {day}.")).await?;
    window.text("What this means for the study").await?;
    window.picture("pause-check").await?;
    keys.press("Pause sharing").await?;
    keys.page("Heart Rhythm Study is paused").await?;
    window.text("Entry 10 in the biobank’s record").await?;
    window.picture("paused").await?;
    keys.press("Sharing").await?;
    keys.page("Sharing").await?;
    window.text(&format!("Paused until {day}")).await?;
    window.picture("sharing-paused").await?;
    keys.press_about(HEART, "See details").await?;
    keys.page(HEART).await?;
    window.picture("consent-paused").await?;
    keys.press("Go on sharing").await?;
    keys.page("Check what you do").await?;
    window.picture("resume-check").await?;
    keys.press("Go on sharing").await?;
    keys.page("Heart Rhythm Study may go on").await?;
    window.text("Entry 11 in the biobank’s record").await?;
    window.picture("resumed").await
}

async fn extend(window: &Window, keys: &Keyboard<'_>) -> WebDriverResult<()> {
    step("8. It lasts longer, up to the end of the study");
    keys.press("See the details").await?;
    keys.page(HEART).await?;
    keys.press("Let it last longer").await?;
    keys.page("Let it last longer").await?;
    keys.press("Until the study ends").await?;
    window.picture("extend").await?;
    keys.press("Continue").await?;
    keys.page("Check your change").await?;
    let said = window.read().await?;
    assert!(said.contains("Allows more") && said.contains("31 December 2028"), "{said}");
    window.picture("extend-review").await?;
    keys.press("Sign and send").await?;
    keys.page("It lasts longer now").await?;
    window.text("Entry 12 in the biobank’s record").await?;
    window.picture("extended").await
}

async fn save_a_receipt(window: &Window, keys: &Keyboard<'_>, downloads: &Path) -> WebDriverResult<()> {
    step("9. A receipt to keep");
    keys.press("See the details").await?;
    keys.page(HEART).await?;
    keys.choose("A receipt shows what you signed.", "To print and keep (PDF)").await?;
    keys.press("Save a receipt").await?;
    window.text("The receipt is saved here").await?;
    window.picture("receipt-saved").await?;
    let saved: Vec<_> = std::fs::read_dir(downloads).unwrap().map(|entry| entry.unwrap().path()).collect();
    let pdf = saved.iter().find(|path| path.extension().is_some_and(|end| end == "pdf")).expect("a PDF was saved");
    assert!(std::fs::read(pdf).unwrap().starts_with(b"%PDF-"), "{} is a PDF", pdf.display());
    Ok(())
}

async fn leave(window: &Window, keys: &Keyboard<'_>) -> WebDriverResult<()> {
    step("10. Leaving: contact first, then all use");
    keys.press("Leave this study").await?;
    keys.page("Leave Heart Rhythm Study?").await?;
    let chosen = window.run("return document.querySelectorAll('main input:checked').length", vec![]).await?;
    assert_eq!(chosen, 0, "no level is chosen beforehand");
    window.text("Do you only want to change what you share?").await?;
    keys.press("Continue").await?;
    window.text("Choose how far first").await?;
    window.picture("leave").await?;
    keys.choose("How far do you want to go?", "Stop contact only").await?;
    keys.press("Continue").await?;
    keys.page("Check what you do").await?;
    window.text("They may go on using your data and samples.").await?;
    window.picture("leave-check").await?;
    keys.escape().await?;
    keys.page("Leave Heart Rhythm Study?").await?;
    keys.press("Continue").await?;
    keys.page("Check what you do").await?;
    keys.press("Stop contact only").await?;
    keys.page("Contact is stopped").await?;
    window.text("Entry 13 in the biobank’s record").await?;
    window.picture("contact-stopped").await?;

    keys.press("See the details").await?;
    keys.page(HEART).await?;
    window.text("Contact stopped").await?;
    keys.press("Stop more").await?;
    keys.page("Stop more than before").await?;
    let said = window.read().await?;
    assert!(!said.contains("Stop contact only"), "nobody goes back a level: {said}");
    window.picture("leave-further").await?;
    keys.choose("How far do you want to go?", "Stop all use").await?;
    keys.press("Continue").await?;
    keys.page("Check what you do").await?;
    window.text("They must stop using your data and samples from that day.").await?;
    window.picture("leave-further-check").await?;
    keys.press("Stop all use").await?;
    keys.page("You left Heart Rhythm Study").await?;
    window.text("Entry 14 in the biobank’s record").await?;
    window.picture("left").await?;

    to_the_consent(keys).await?;
    let said = window.read().await?;
    for line in ["Stopped", "You stopped all use.", "You stopped contact.", "You let it go on.", "Version 3"] {
        assert!(said.contains(line), "{line:?} is not in: {said}");
    }
    assert!(!said.contains("Change what you share"), "what is over can not be changed: {said}");
    window.picture("consent-left").await?;
    keys.press("My key").await?;
    keys.page("My key").await?;
    keys.press("Activity").await?;
    keys.page("Activity").await?;
    window.picture("activity").await
}

async fn to_the_consent(keys: &Keyboard<'_>) -> WebDriverResult<()> {
    keys.press("Sharing").await?;
    keys.page("Sharing").await?;
    keys.press_about(HEART, "See details").await?;
    keys.page(HEART).await
}

fn step(what: &str) {
    println!("{what}");
}

/// The card of a study with a word on it.
fn in_card(study: &str, word: &str) -> String {
    format!("//article[.//h2[normalize-space(.)='{study}']]//*[normalize-space(.)='{word}']")
}

/// The day so many months from now, by the clock that the window has.
async fn in_months(window: &Window, months: u32) -> WebDriverResult<Date> {
    let today = window.run("return new Date().toISOString().slice(0, 10)", vec![]).await?;
    Ok(today.as_str().unwrap().parse::<Date>().unwrap().plus_months(months).unwrap())
}
