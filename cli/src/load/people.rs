//! The people of a load test: made for it, enrolled as everybody is, and speaking through signed entries.

use super::drive::{Expects, Job};
use super::wire::{Address, Request, Wire};
use consent::{StudyId, StudyRequest};
use identity::{Did, SigningKey, present, sha256, sign_jws, sign_request, to_canonical, verify_jws};
use ledger::{Act, ConsentEntry, ConsentEvent, EntryHash, Given, Hash, commit_subject};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The `typ` by which a study key says whose it is.
const STUDY_KEY_TYPE: &str = "study-key.v1+jws";
/// How long the answer to a challenge is valid, in seconds.
const ANSWER_AGE: i64 = 600;
/// How often a service that asks to wait is asked again.
const TRIES: usize = 100;
/// How often progress is told.
const PROGRESS: Duration = Duration::from_secs(2);

/// A donor in one study.
pub struct Subject {
    key: SigningKey,
    name: Hash,
    latest: Option<EntryHash>,
    said: usize,
}

/// Somebody with an account of staff, who lets others in.
pub struct Staff {
    address: Address,
    wire: Wire,
    /// Keys are derived from this one: a load test needs many, and keeps none.
    root: SigningKey,
    made: u64,
    auditors: u64,
    did: Did,
    name: String,
}

#[derive(Deserialize)]
struct LogInfo {
    did: Did,
    name: String,
}

#[derive(Deserialize)]
struct Coded {
    code: String,
}

#[derive(Deserialize)]
struct Challenged {
    challenge: String,
}

#[derive(Deserialize)]
struct Studies {
    studies: Vec<String>,
}

impl Staff {
    /// Takes up an account of staff with its one-time code.
    pub fn connect(address: &Address, code: &str) -> Result<Self, String> {
        let mut wire = Wire::open(address).map_err(|error| error.to_string())?;
        let info: LogInfo = read(&ask(&mut wire, &get("/v1/log"))?)?;
        let root = SigningKey::make();
        let (address, LogInfo { did, name }) = (address.clone(), info);
        let mut staff = Self { address, wire, root, made: 0, auditors: 0, did, name };
        let key = staff.key("staff", 0);
        staff.signed(&key, "POST", "/v1/pair", &json!({ "code": code.trim() }))?;
        Ok(staff)
    }

    fn key(&self, what: &str, number: u64) -> SigningKey {
        SigningKey::from_seed(sha256(&self.root.sign(format!("{what} {number}").as_bytes())))
    }

    fn signed(&mut self, key: &SigningKey, method: &'static str, path: &str, body: &Value) -> Result<Vec<u8>, String> {
        let mut again = 0;
        loop {
            // Signed anew each time: a request counts once.
            let request = self.sign(key, method, path, body.to_string().into_bytes());
            match ask_once(&mut self.wire, &request)? {
                Some(answer) => return Ok(answer),
                None if again == TRIES => return Err(format!("{path}: asked to wait too often")),
                None => again += 1,
            }
        }
    }

    /// A request that a key signs.
    pub fn sign(&mut self, key: &SigningKey, method: &'static str, path: &str, body: Vec<u8>) -> Request {
        self.made += 1;
        let (bare, query) = path.split_once('?').unwrap_or((path, ""));
        let (authority, nonce) = (&self.address.authority, format!("load-{:012}", self.made));
        let signed = sign_request(key, method, authority, bare, query, &body, wallet::now(), &nonce);
        let fields = format!(
            "content-type: application/json\r\nsignature-input: {}\r\nsignature: {}\r\ncontent-digest: {}\r\n",
            signed.signature_input, signed.signature, signed.content_digest
        );
        Request { method, path: path.to_owned(), fields, body }
    }

    /// Lets as many donors in as are needed for so many subjects, each into every study that is listed.
    pub async fn enrol(&mut self, wanted: usize) -> Result<Vec<Subject>, String> {
        let listed: Studies = read(&ask(&mut self.wire, &get("/v1/studies"))?)?;
        let study = |signed: &String| {
            let jws = verify_jws(signed).ok()?;
            serde_json::from_slice::<StudyRequest>(&jws.payload).ok().map(|study| study.id)
        };
        let studies: Vec<StudyId> = listed.studies.iter().filter_map(study).collect();
        if studies.is_empty() {
            return Err("the biobank lists no study, so nobody can consent to one".to_owned());
        }
        let (mut subjects, mut told) = (Vec::with_capacity(wanted), Instant::now());
        for number in 0.. {
            if subjects.len() >= wanted {
                break;
            }
            let donor = self.donor(number).await?;
            for study in studies.iter().take(wanted - subjects.len()) {
                subjects.push(self.join(&donor, study, subjects.len() as u64)?);
            }
            if told.elapsed() >= PROGRESS {
                told = Instant::now();
                eprintln!("consentctl: {} of {wanted} registered", subjects.len());
            }
        }
        Ok(subjects)
    }

    async fn donor(&mut self, number: u64) -> Result<SigningKey, String> {
        let staff = self.key("staff", 0);
        let invited: Coded = read(&self.signed(&staff, "POST", "/v1/invitations", &json!({}))?)?;
        let asked = post("/v1/enrolment/challenge", &json!({ "code": invited.code }));
        let challenged: Challenged = read(&ask(&mut self.wire, &asked)?)?;
        let (key, now) = (self.key("donor", number), wallet::now());
        let answer =
            present(&key, &[], Some(&challenged.challenge), self.did.as_str(), now, now.plus_seconds(ANSWER_AGE));
        let answer = answer.await.map_err(|error| error.to_string())?;
        let request = json!({ "code": invited.code, "presentation": answer.value() });
        ask(&mut self.wire, &post("/v1/enrolment", &request))?;
        Ok(key)
    }

    fn join(&mut self, donor: &SigningKey, study: &StudyId, number: u64) -> Result<Subject, String> {
        let (key, salt) = (self.key("subject", number), sha256(&self.root.sign(format!("salt {number}").as_bytes())));
        let binding = to_canonical(&json!({ "donor": donor.did(), "study": study })).map_err(|e| e.to_string())?;
        let binding = sign_jws(&key, STUDY_KEY_TYPE, &binding);
        let request = json!({ "study": study, "salt": hex::encode(salt), "binding": binding });
        self.signed(donor, "POST", "/v1/study-keys", &request)?;
        let name = commit_subject(&salt, &donor.did(), study);
        Ok(Subject { key, name, latest: None, said: 0 })
    }

    /// Auditors, who may ask for every decision.
    pub fn auditors(&mut self, count: usize) -> Result<Vec<SigningKey>, String> {
        let staff = self.key("staff", 0);
        let wanted = json!({ "role": "auditor", "organisation": self.did, "organisationName": self.name });
        while self.auditors < count as u64 {
            let made: Coded = read(&self.signed(&staff, "POST", "/v1/pairing-codes", &wanted)?)?;
            let key = self.key("auditor", self.auditors);
            self.signed(&key, "POST", "/v1/pair", &json!({ "code": made.code }))?;
            self.auditors += 1;
        }
        Ok((0..count as u64).map(|number| self.key("auditor", number)).collect())
    }
}

impl Subject {
    /// The next thing that the donor says: yes at first, and then changes, pauses and goes on, again and again.
    pub fn say(&mut self) -> ConsentEntry {
        let given = || Given { credential: self.some("credential"), policy: self.some("policy"), until: None };
        let act = match self.said {
            0 => Act::Grant(given()),
            said => match said % 3 {
                1 => Act::Change(given()),
                2 => Act::Suspend { until: None },
                _ => Act::Resume,
            },
        };
        let (notice, time) = (self.some("notice"), wallet::now());
        let event = ConsentEvent { subject: self.name, previous: self.latest, notice, time, act };
        let entry = ConsentEntry::sign(&self.key, &event);
        self.latest = Some(entry.hash());
        self.said += 1;
        entry
    }

    /// A hash of nothing in particular: the log takes hashes, and asks nobody for what is behind them.
    fn some(&self, what: &str) -> Hash {
        Hash::from(sha256(format!("{what} {} {}", self.said, self.name).as_bytes()))
    }
}

/// So many entries of these subjects in requests of `batch`, in lines: all that one subject says is in one line.
pub fn say(subjects: &mut [Subject], entries: usize, lines: usize, batch: usize, path: &str) -> Vec<Vec<Job>> {
    let mut waiting: Vec<Vec<ConsentEntry>> = (0..lines).map(|_| Vec::new()).collect();
    let of = |number: usize, count: usize| number % count % lines;
    let count = subjects.len();
    for number in 0..entries {
        if let (Some(line), Some(subject)) = (waiting.get_mut(of(number, count)), subjects.get_mut(number % count)) {
            line.push(subject.say());
        }
    }
    waiting.iter().map(|entries| entries.chunks(batch).map(|chunk| job(chunk, path)).collect()).collect()
}

fn job(entries: &[ConsentEntry], path: &str) -> Job {
    let request = Request { method: "POST", path: path.to_owned(), ..Request::default() };
    if let [entry] = entries {
        return Job { request: Request { body: entry.bytes().to_vec(), ..request }, expects: Expects::Entry };
    }
    let texts: Vec<_> = entries.iter().map(|entry| String::from_utf8_lossy(entry.bytes())).collect();
    let body = json!(texts).to_string().into_bytes();
    let fields = "content-type: application/json\r\n".to_owned();
    Job { request: Request { body, fields, ..request }, expects: Expects::Entries(entries.len()) }
}

/// A request for something that anybody may read.
pub fn get(path: &str) -> Request {
    Request { method: "GET", path: path.to_owned(), ..Request::default() }
}

fn post(path: &str, body: &Value) -> Request {
    let fields = "content-type: application/json\r\n".to_owned();
    Request { method: "POST", path: path.to_owned(), fields, body: body.to_string().into_bytes() }
}

/// Asks until there is an answer.
pub fn ask(wire: &mut Wire, request: &Request) -> Result<Vec<u8>, String> {
    for _ in 0..TRIES {
        if let Some(answer) = ask_once(wire, request)? {
            return Ok(answer);
        }
    }
    Err(format!("{}: asked to wait too often", request.path))
}

/// Asks once, and waits if the service asks for it.
fn ask_once(wire: &mut Wire, request: &Request) -> Result<Option<Vec<u8>>, String> {
    let answer = wire.call(request).map_err(|error| format!("{}: {error}", request.path))?;
    match answer.status {
        200..=299 => Ok(Some(answer.body)),
        429 | 503 => {
            std::thread::sleep(Duration::from_secs(answer.retry_after.unwrap_or(1).min(10)));
            Ok(None)
        }
        status => {
            let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            Err(format!("{}: {status} {}", request.path, said["code"].as_str().unwrap_or_default()))
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("an answer can not be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::State;

    #[test]
    fn what_donors_say_is_within_the_rules_and_in_order() {
        let subject = |seed: u8| {
            let key = SigningKey::from_seed([seed; 32]);
            Subject { key, name: Hash::from_bytes([seed; 32]), latest: None, said: 0 }
        };
        let mut subjects: Vec<Subject> = (1..=5).map(subject).collect();
        let lines = say(&mut subjects, 97, 2, 4, "/v1/entries");
        let (mut state, mut index) = (State::new(), 0);
        for job in lines.iter().flatten() {
            let texts: Vec<String> = match job.expects {
                Expects::Entry => vec![String::from_utf8(job.request.body.clone()).unwrap()],
                _ => serde_json::from_slice(&job.request.body).unwrap(),
            };
            for text in texts {
                let entry = ledger::Entry::parse(text.as_bytes()).unwrap();
                state.apply(index, &entry).unwrap();
                index += 1;
            }
        }
        assert_eq!((index, state.subjects().count()), (97, 5));
    }
}
