//! A request of OpenID4VP 1.0, from the link to the answer: who asks, what fits, and what the person lets go.
//!
//! Only consents are ever offered. The enrolment says who a donor is to a biobank, so no request finds it.

use crate::clock::now;
use crate::connect::read_account;
use crate::event::Event;
use crate::profile::Profile;
use crate::proof::{ANSWER_AGE, shown};
use crate::remote::Remote;
use bridge::{AskedCredential, Code, Failure, PresentationView, Shown, StudyName, WantView};
use consent::StudyId;
use identity::openid::{
    Answer, CONSENT_TYPES, Client, Format, Found, Held, Link, Method, Refused, Request, Source, Step, Transaction,
    Want, find, form,
};
use identity::{Audience, Credential, present_to};
use serde_json::json;

/// What a request is asked for with.
const REQUEST_MEDIA: &str = "application/oauth-authz-req+jwt";

/// A request that passed its checks, and what of this wallet fits it.
#[derive(Debug, Clone)]
pub struct Asked {
    request: Request,
    wants: Vec<Want>,
    /// The consents that the wants count.
    held: Vec<(StudyId, String)>,
    /// The name of the organisation, if the biobank vouches for who asks.
    organisation: Option<String>,
}

/// The link in what a person pasted, if there is one.
pub fn link_in(text: &str) -> Option<&str> {
    text.split_whitespace().find(|word| word.strip_prefix(Link::SCHEME).is_some_and(|rest| rest.starts_with("://")))
}

/// Reads a link, fetches its request, and looks for what it asks for. Nothing is told to anybody yet, except that a
/// request was fetched.
pub async fn read(profile: &Profile, link: &str) -> Result<Asked, Failure> {
    let link = Link::read(link).map_err(refused)?;
    let (fetched, wallet_nonce) = match &link.source {
        Source::Signed(_) | Source::Plain(_) => (None, None),
        Source::At { uri, method } => {
            let (remote, path) = Remote::at(uri)?;
            let nonce = (*method == Method::Post).then(|| uuid::Uuid::new_v4().to_string());
            let form = nonce.as_ref().map(|nonce| format!("wallet_nonce={nonce}"));
            (Some(remote.text(&path, form, REQUEST_MEDIA).await?), nonce)
        }
    };
    let request = Request::read(&link, fetched.as_deref(), wallet_nonce.as_deref(), now()).map_err(refused)?;
    // Where the answer would go has to be a place that the wallet may talk to, before anybody is asked.
    Remote::at(&request.response_uri)?;
    let connection = profile.connection()?;
    let consents = consents(profile)?;
    let content: Vec<Held<'_>> = consents
        .iter()
        .map(|(.., credential)| Held { format: Format::LdpVc, types: CONSENT_TYPES, claims: credential.value() })
        .collect();
    let wants = find(&request.query, &content).ok_or(Code::NothingFits)?;
    let vouched = request.attestations.iter().find_map(|word| read_account(word, connection.speaker()));
    // The word is about one key: the one that signed the request.
    let vouched =
        vouched.filter(|word| matches!(&request.client, Client::Did(did) if did.as_str() == word.did.as_str()));
    let held = consents.into_iter().map(|(study, title, _)| (study, title)).collect();
    Ok(Asked { request, wants, held, organisation: vouched.map(|word| word.organisation_name) })
}

fn refused(refused: Refused) -> Failure {
    tracing::info!(%refused, "a request was refused");
    Failure::new(Code::NotValid).with("check", refused.check)
}

/// The consents that are live and recorded, by study, with the study's title.
fn consents(profile: &Profile) -> Result<Vec<(StudyId, String, Credential)>, Failure> {
    profile.read(|story| {
        let live = |(study, answer): (&StudyId, &crate::story::Answer)| {
            let sending = story.find(answer.grant.as_ref()?)?;
            let fits = answer.state(now().date()).allows_use() && sending.receipt.is_some();
            fits.then(|| Some((study.clone(), answer.request.title.clone(), answer.credential.clone()?)))?
        };
        story.answers.iter().filter_map(live).collect()
    })
}

impl Asked {
    /// Who asks, in the words that the activity keeps.
    fn who(&self) -> String {
        let request = &self.request;
        self.organisation.clone().or_else(|| request.name.clone()).unwrap_or_else(|| place(&request.response_uri))
    }

    /// As a screen shows it.
    pub fn view(&self) -> PresentationView {
        let request = &self.request;
        let wants = self.wants.iter().map(|want| WantView {
            required: want.required,
            credentials: want
                .credentials
                .iter()
                .map(|(id, found)| {
                    let study = |one: &Found| self.held.get(one.held);
                    AskedCredential {
                        id: id.clone(),
                        studies: found
                            .iter()
                            .filter_map(study)
                            .map(|(study, title)| StudyName { study: study.clone(), title: title.clone() })
                            .collect(),
                        asked: self
                            .asked_members(id, found.first().map(|one| one.claims.as_slice()).unwrap_or_default()),
                    }
                })
                .collect(),
        });
        PresentationView {
            organisation: self.organisation.clone(),
            name: request.name.clone(),
            client: request.client_id.clone(),
            goes_to: place(&request.response_uri),
            purpose: request.transaction.as_ref().map(|transaction| transaction.purpose.clone()),
            wants: wants.collect(),
        }
    }

    /// The members of `credentialSubject` that a query names. All others are told too: this form of proof has no parts.
    fn asked_members(&self, id: &str, claims: &[usize]) -> Vec<String> {
        let query = self.request.query.credentials.iter().find(|one| one.id == id);
        let path = |place: &usize| query.and_then(|query| query.claims.get(*place)).map(|claim| claim.path.as_slice());
        let mut members = Vec::new();
        for path in claims.iter().filter_map(path) {
            if let [Step::Member(first), Step::Member(name), ..] = path
                && first == "credentialSubject"
                && !members.contains(name)
            {
                members.push(name.clone());
            }
        }
        members
    }

    /// What was chosen, in the order of the wants: every want whole or, if it is optional, not at all.
    fn choose(&self, chosen: &[Shown]) -> Result<Vec<(String, StudyId)>, Failure> {
        let mut all = Vec::new();
        for want in &self.wants {
            let picks: Vec<_> = want.credentials.iter().map(|(id, found)| self.pick(id, found, chosen)).collect();
            match picks.iter().flatten().count() {
                0 if !want.required => {}
                count if count == picks.len() => all.extend(picks.into_iter().flatten()),
                _ => return Err(Code::NotPossible.into()),
            }
        }
        let known = chosen.iter().all(|one| all.iter().any(|(id, study)| *id == one.id && *study == one.study));
        if known && !all.is_empty() { Ok(all) } else { Err(Code::NothingChosen.into()) }
    }

    fn pick(&self, id: &str, found: &[Found], chosen: &[Shown]) -> Option<(String, StudyId)> {
        let one = chosen.iter().find(|one| one.id == id)?;
        let fits = found.iter().filter_map(|found| self.held.get(found.held)).any(|(study, _)| *study == one.study);
        fits.then(|| (one.id.clone(), one.study.clone()))
    }
}

/// The host of an address.
fn place(address: &str) -> String {
    url::Url::parse(address).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// What would be shown: one presentation a credential that was chosen, signed with the study's key.
pub async fn answer(profile: &Profile, asked: &Asked, chosen: &[Shown]) -> Result<Answer, Failure> {
    let (request, now) = (&asked.request, now());
    if request.expires.is_some_and(|expires| expires < now) {
        return Err(Failure::new(Code::NotValid).with("check", "expires"));
    }
    let connection = profile.connection()?;
    let hash = request.transaction.as_ref().map(Transaction::hash);
    let to = Audience { domain: &request.client_id, challenge: Some(&request.nonce), transaction: hash.as_deref() };
    let mut answer = Answer { state: request.state.clone(), ..Answer::default() };
    for (id, study) in asked.choose(chosen)? {
        let consent = shown(profile, &study)?;
        let key = profile.study_key(&connection, &study);
        let presentation = present_to(&key, &[consent.credential], to, now, now.plus_seconds(ANSWER_AGE)).await;
        let presentation = presentation.map_err(|_| Code::Internal)?;
        let record = json!({ "entry": consent.entry, "receipt": consent.receipt });
        answer.presentations.entry(id.clone()).or_default().push(presentation.value().clone());
        answer.records.entry(id).or_default().push(record);
    }
    Ok(answer)
}

/// Shows what was chosen.
pub async fn share(profile: &Profile, asked: &Asked, chosen: &[Shown]) -> Result<(), Failure> {
    let answer = answer(profile, asked, chosen).await?;
    let body = form(&answer, &asked.request.sealing).map_err(refused)?;
    let (remote, path) = Remote::at(&asked.request.response_uri)?;
    // What the verifier says afterwards concerns a browser, which this wallet is not.
    remote.text(&path, Some(body), "application/json").await?;
    for (_, study) in asked.choose(chosen)? {
        profile.record(Event::Presented { study, to: asked.who() })?;
    }
    Ok(())
}

/// Keeps everything. The verifier is told nothing, not even that somebody read its request and said no.
pub fn decline(profile: &Profile, asked: &Asked) -> Result<(), Failure> {
    profile.record(Event::NotPresented { to: asked.who() })
}

/// What an answer shows as the proof that researchers check. Without the entry and its receipt, which other wallets do not
/// know of, that check says so.
pub fn as_proof(answer: &Answer, id: &str) -> Option<crate::proof::Proof> {
    let presentation = answer.presentations.get(id)?.first()?.clone();
    let record = answer.records.get(id).and_then(|records| records.first());
    let text = |name: &str| record.and_then(|record| record[name].as_str()).unwrap_or_default().to_owned();
    Some(crate::proof::Proof {
        format: crate::proof::FORMAT.to_owned(),
        presentation,
        entry: text("entry"),
        receipt: text("receipt"),
    })
}
