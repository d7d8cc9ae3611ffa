//! What the service answers: JSON, and refusals as problem details.

use crate::Problem;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use identity::vc::PresentationReport;
use identity::{Check, CheckResult, Verification};
use serde_json::{Value, json};

/// A refusal: one that all services share, or one with the reason why a document is not signed.
#[derive(Debug)]
pub(super) enum Refusal {
    Problem(Box<Problem>),
    /// The document of the caller, and what is wrong with it.
    Document(String),
    /// The options of the caller, and what is wrong with them.
    Options(String),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (code, title, detail) = match self {
            Self::Problem(problem) => return problem.into_response(),
            Self::Document(detail) => ("not-signed", "The document can not be signed.", detail),
            Self::Options(detail) => ("bad-options", "The options can not be met.", detail),
        };
        // The VC-API knows no other status for what it can not take.
        let status = StatusCode::BAD_REQUEST;
        let problem = json!({
            "type": format!("urn:consent-wallet:problem:{code}"),
            "title": title,
            "status": status.as_u16(),
            "code": code,
            "detail": detail,
        });
        typed(status, "application/problem+json", &problem)
    }
}

/// JSON under a media type of its own.
pub(super) fn typed(status: StatusCode, kind: &'static str, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn shown(checks: &[Check]) -> Vec<Value> {
    let result = |check: &Check| match check.result {
        CheckResult::Passed => "passed",
        CheckResult::Failed => "failed",
        CheckResult::NotMade => "not-made",
        CheckResult::Waived => "waived",
    };
    let told = |check: &Check| {
        let (result, detail, evidence) = (result(check), &check.detail, &check.evidence);
        json!({ "name": check.name, "result": result, "detail": detail, "evidence": evidence })
    };
    checks.iter().map(told).collect()
}

fn error(check: &Check) -> String {
    format!("{}: {}", check.name, check.detail)
}

fn report<T>(verification: &Verification<T>) -> Value {
    // What failed, and what nobody could check, if a reason is known; after a failure the rest has none.
    let stands = |check: &&Check| match check.result {
        CheckResult::Failed => true,
        CheckResult::NotMade => !check.detail.is_empty(),
        CheckResult::Passed | CheckResult::Waived => false,
    };
    let errors: Vec<String> = verification.checks.iter().filter(stands).map(error).collect();
    json!({ "verified": verification.verified.is_some(), "checks": shown(&verification.checks), "errors": errors })
}

fn told(report: &Value) -> Response {
    let good = report["verified"] == json!(true);
    typed(if good { StatusCode::OK } else { StatusCode::BAD_REQUEST }, "application/json", report)
}

/// Every check of a credential; the status says whether all of them passed.
pub(super) fn of_credential(verification: &Verification<Value>) -> Response {
    told(&report(verification))
}

/// Every check of a presentation and of each credential in it.
pub(super) fn of_presentation(outcome: &PresentationReport) -> Response {
    let mut all = report(&outcome.presentation);
    all["credentials"] = outcome.credentials.iter().map(report).collect();
    told(&all)
}
