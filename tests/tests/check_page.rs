//! The page of `consentctl vc-api`, in a real browser: a good credential, one that was changed, and one that is full of
//! traps are dropped, pasted and chosen, and what a person reads is the truth.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may break off and print")]

use proof::{Browser, Look};
use serde_json::{Value, json};
use server::vc_api::{RunningVcApi, VcOptions, start};

const MARKUP: &str = "<img src=x onerror=document.title='owned'>";

async fn service() -> RunningVcApi {
    start(VcOptions::new("127.0.0.1:0".parse().unwrap())).await.unwrap()
}

async fn signed(address: &str, more: Value) -> Value {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let keys: Value = http.get(format!("{address}/keys")).send().await.unwrap().json().await.unwrap();
    let mut credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential", "AlumniCredential"],
        "issuer": keys["ed"],
        "credentialSubject": { "id": "did:example:abcdefgh", "alumniOf": "The School of Examples" },
    });
    credential.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let request = http.post(format!("{address}/eddsa-rdfc-2022/credentials/issue"));
    let answer = request.json(&json!({ "credential": credential })).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["verifiableCredential"].take()
}

/// As a file manager would drop it, beside the field.
const DROP: &str = "document.getElementById('result').replaceChildren(); const files = new DataTransfer(); files.items.add(new File([arguments[0]], arguments[1])); \
     document.querySelector('h1').dispatchEvent(new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true }));";

#[tokio::test]
async fn a_person_reads_what_every_check_found() {
    let service = service().await;
    let good = signed(&service.address, json!({ "validUntil": "2999-01-01T00:00:00Z" })).await;
    let mut bad = good.clone();
    bad["credentialSubject"]["alumniOf"] = json!("Another school");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credential.json");
    std::fs::write(&file, good.to_string()).unwrap();

    for look in Look::ALL {
        let Some(browser) = Browser::open(look).await.unwrap() else {
            println!("skipped: there is no Chromium with its driver here");
            return;
        };
        browser.goto(&service.address).await.unwrap();
        assert_eq!(browser.title().await.unwrap(), "Check a credential");
        browser.picture("page-empty").await.unwrap();

        // Chosen as a file.
        browser.fill("file", file.to_str().unwrap()).await.unwrap();
        let said = browser.result("Valid").await.unwrap();
        assert!(said.contains("Every check passed that was asked for. Some were not"), "{said}");
        for words in
            ["Nothing was changed since it was signed.", "the DID itself says its key", "AlumniCredential", "2999"]
        {
            assert!(said.contains(words), "{words}: {said}");
        }
        browser.picture("page-valid").await.unwrap();

        // Dropped, and changed since it was signed.
        browser.run(DROP, vec![json!(bad.to_string()), json!("bad.json")]).await.unwrap();
        let said = browser.result("Not valid").await.unwrap();
        assert!(said.contains("Failed") && said.contains("the signature is not right"), "{said}");
        browser.picture("page-not-valid").await.unwrap();
        // What failed comes first, and a screen reader is led to the verdict.
        let first = browser.run("return document.querySelector('#result li').innerText", vec![]).await.unwrap();
        assert!(first.as_str().unwrap().contains("Unchanged"), "{first}");
        let focus = browser.run("return document.activeElement.innerText", vec![]).await.unwrap();
        assert_eq!(focus, "Not valid");
        // Nothing is cut off at the side.
        let wide = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth";
        assert_eq!(browser.run(wide, vec![]).await.unwrap(), true);
        browser.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_hostile_document_stays_text_and_a_status_that_nobody_knows_is_no_yes() {
    let service = service().await;
    let good = signed(&service.address, json!({})).await;
    let mut hostile = good.clone();
    hostile["type"] = json!(["VerifiableCredential", MARKUP]);
    hostile["issuer"] = json!({ "id": format!("{MARKUP}\u{202e}elpmaxe"), "name": "A" });
    hostile["validUntil"] = json!("</dd><script>document.title='owned'</script>");
    hostile["proof"][MARKUP] = json!(1);
    let status = json!({ "credentialStatus": {
        "id": "https://status.example/1#7", "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
        "statusListIndex": "7", "statusListCredential": "https://status.example/1",
    }});
    let with_status = signed(&service.address, status).await;
    let presentation = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiablePresentation"],
        "verifiableCredential": [good, hostile],
    });

    let Some(browser) = Browser::open(Look::WIDE).await.unwrap() else {
        println!("skipped: there is no Chromium with its driver here");
        return;
    };
    browser.goto(&service.address).await.unwrap();
    browser.run(DROP, vec![json!(hostile.to_string()), json!(MARKUP)]).await.unwrap();
    let said = browser.result("Not valid").await.unwrap();
    assert!(said.contains(MARKUP), "shown as it is: {said}");
    assert!(said.contains("[U+202E]") && !said.contains('\u{202e}'), "letters that turn the writing around: {said}");
    browser.picture("page-hostile").await.unwrap();
    browser.run(DROP, vec![json!(presentation.to_string()), json!("x")]).await.unwrap();
    let said = browser.result("Not valid").await.unwrap();
    assert!(said.contains("Credential 1: valid") && said.contains("Credential 2: not valid"), "{said}");
    let count = "return document.querySelectorAll('img, script:not([src]), iframe').length";
    assert_eq!(browser.run(count, vec![]).await.unwrap(), 0);
    // Where markup got in all the same, the policy stops it.
    let pushed = "try { document.body.innerHTML = arguments[0]; return 'taken' } catch (error) { return 'refused' }";
    assert_eq!(browser.run(pushed, vec![json!(MARKUP)]).await.unwrap(), "refused");
    assert_eq!(browser.title().await.unwrap(), "Check a credential");

    browser.goto(&service.address).await.unwrap();
    // By keyboard alone: the text, then the key that sends.
    for (text, words) in [
        ("", "There is nothing to check yet"),
        ("{\"a\":1},\"options\":{\"waive\":[\"status\"]}", "It is not JSON"),
        ("[1]", "JSON, but no object"),
        ("{\"type\":1,\"type\":2}", "form"),
    ] {
        browser.paste("text", text).await.unwrap();
        browser.press_enter("check").await.unwrap();
        let said = browser.result("Could not check").await.unwrap();
        assert!(said.contains(words), "{text}: {said}");
    }
    browser.paste("text", &with_status.to_string()).await.unwrap();
    browser.press_enter("check").await.unwrap();
    let said = browser.result("Not valid").await.unwrap();
    assert!(said.contains("Not checked") && said.contains("Nobody was asked"), "{said}");
    browser.run("document.querySelector('details').open = true", vec![]).await.unwrap();
    browser.run("document.getElementById('status').click()", vec![]).await.unwrap();
    browser.press_enter("check").await.unwrap();
    let said = browser.result("Valid").await.unwrap();
    assert!(said.contains("Not asked") && said.contains("Some were not"), "{said}");
    browser.picture("page-status-waived").await.unwrap();
    browser.close().await.unwrap();
}

#[tokio::test]
async fn the_page_may_do_what_it_needs_and_nothing_else() {
    let service = service().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in ["/", "/page.css", "/page.js"] {
        let answer = http.get(format!("{}{path}", service.address)).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        for part in ["default-src 'none'", "script-src 'self'", "form-action 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        for open in ["unsafe", "data:", "blob:", "http", "*"] {
            assert!(!policy.contains(open), "{policy}");
        }
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
        let text = answer.text().await.unwrap();
        for inline in ["<style", "style=", "onclick", "<script>", "innerHTML", "https://"] {
            assert!(!text.contains(inline), "{path}: {inline}");
        }
    }
}
