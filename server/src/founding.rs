//! What the institution says to its own log at each start: who it is, by which rules it works, which studies it has,
//! and who acts for it. What the log knows already is not said again.

use crate::Problem;
use crate::access;
use crate::biobank::{Biobank, StartError, io_error};
use crate::clock::now;
use crate::desk::{Account, AccountRole};
use crate::log::AppendError;
use consent::StudyId;
use identity::{Did, sha256, to_canonical};
use ledger::event::{InstitutionEvent, Label, MemberChange, PolicyVersion, Role, StudyVersion};
use ledger::{Entry, EntryHash, Hash, Key, Record, Rejected};
use std::io;
use std::path::Path;

/// The name under which the rules of access are published.
pub const ACCESS_RULES: &str = "access-rules";
/// The name under which the retention policy is published.
pub const RETENTION: &str = "retention";
/// The retention policy, unless the institution's folder has one of its own.
const RETENTION_TEXT: &str = include_str!("../policies/retention.txt");
/// The institution's own retention policy, in its folder.
const RETENTION_FILE: &str = "retention.txt";

/// Founds the log, or brings it up to what the folder says.
pub async fn found(biobank: &mut Biobank, dir: &Path) -> Result<(), StartError> {
    institution(biobank).await?;
    let retention = match std::fs::read_to_string(dir.join(RETENTION_FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => RETENTION_TEXT.to_owned(),
        Err(error) => return Err(io_error(&dir.join(RETENTION_FILE), error)),
    };
    policy(biobank, ACCESS_RULES, &crate::guard::policy_text()).await?;
    policy(biobank, RETENTION, &retention).await?;
    studies(biobank).await?;
    for (did, account) in biobank.desk.accounts()? {
        let Ok(did) = did.parse::<Did>() else { continue };
        enter(biobank, &did, &account).await.map_err(|problem| refused("accounts", problem))?;
    }
    Ok(())
}

/// Enters an account as a member, also with another role or organisation than the log knows of it. Whom the log calls
/// inactive stays so.
pub async fn enter(biobank: &Biobank, did: &Did, account: &Account) -> Result<(), Problem> {
    let (role, organisation) = (role(account.role), &account.organisation);
    let said = match access::records(biobank, &[Key::member(did)])?.into_values().next() {
        Some(Record::Member(known)) => {
            !known.active || (known.role, known.organisation.as_str()) == (role, organisation.as_str())
        }
        _ => false,
    };
    if !said {
        let organisation = organisation.parse::<Label>().map_err(|_| Problem::malformed())?;
        let said = MemberChange { active: true, member: did.clone(), organisation, role, time: now() };
        say(biobank, &InstitutionEvent::Member(said)).await?;
    }
    Ok(())
}

/// The role on the log of an account at the desk.
pub fn role(role: AccountRole) -> Role {
    match role {
        AccountRole::Staff => Role::Staff,
        AccountRole::Researcher => Role::Researcher,
        AccountRole::Committee => Role::Committee,
        AccountRole::Auditor => Role::Auditor,
        AccountRole::Member => Role::Member,
    }
}

/// The institution names itself, once. A log that another key speaks for is not this institution's.
async fn institution(biobank: &Biobank) -> Result<(), StartError> {
    let speaker = biobank.key.did();
    let keys = [Key::authority(), Key::member(&speaker)];
    let mut known = access::records(biobank, &keys).map_err(|problem| refused("log", problem))?;
    match (known.remove(&keys[0]), known.remove(&keys[1])) {
        (Some(Record::Authority(authority)), Some(Record::Member(member))) if authority.key == speaker => {
            // It was founded under this name, which goes on from key to key.
            if member.organisation == biobank.did.as_str() {
                Ok(())
            } else {
                Err(StartError::Successions(member.organisation))
            }
        }
        (Some(_), _) => Err(StartError::OtherInstitution),
        (None, _) => {
            let said = MemberChange {
                active: true,
                member: biobank.did.clone(),
                organisation: label(biobank.did.as_str())?,
                role: Role::Institution,
                time: now(),
            };
            say(biobank, &InstitutionEvent::Member(said)).await.map_err(|problem| refused("log", problem))?;
            Ok(())
        }
    }
}

async fn policy(biobank: &Biobank, name: &str, text: &str) -> Result<(), StartError> {
    let document = Hash::from(sha256(text.as_bytes()));
    let problem = |problem| refused("policies", problem);
    let version = match access::records(biobank, &[Key::policy(name)]).map_err(problem)?.into_values().next() {
        Some(Record::Policy(known)) if known.document == document => return Ok(()),
        Some(Record::Policy(known)) => known.version.saturating_add(1),
        _ => 1,
    };
    let said = PolicyVersion { document, policy: label(name)?, time: now(), version };
    say(biobank, &InstitutionEvent::Policy(said)).await.map_err(problem)?;
    Ok(())
}

/// Each study as it is listed. One whose text is not the one that the log holds under its version is taken off the
/// list: what donors read must be what the log says that they read. The service goes on for everybody else, because a
/// withdrawal must not wait for a slip in a file.
async fn studies(biobank: &mut Biobank) -> Result<(), StartError> {
    let problem = |problem| refused("studies", problem);
    let listed: Vec<StudyId> = biobank.studies.iter().map(|study| study.id.clone()).collect();
    let mut fits = Vec::with_capacity(listed.len());
    for study in &biobank.studies {
        let request = Hash::from(sha256(&to_canonical(study).map_err(|error| refused("studies.json", error))?));
        let known = access::study(biobank, &study.id).map_err(problem)?;
        let same = known.as_ref().map(|known| known.version == study.version && known.request == request);
        match (&known, same) {
            (Some(known), Some(true)) if known.open => fits.push(true),
            (Some(known), Some(false)) if study.version <= known.version => {
                let (study, version, recorded) = (&study.id, study.version, known.version);
                tracing::error!(%study, version, recorded, "another text than the record holds: give it a new version");
                fits.push(false);
            }
            _ => {
                let said = StudyVersion {
                    open: true,
                    organisation: label(&study.organisation.id)?,
                    request,
                    study: study.id.clone(),
                    time: now(),
                    version: study.version,
                };
                say(biobank, &InstitutionEvent::Study(said)).await.map_err(problem)?;
                fits.push(true);
            }
        }
    }
    let fits_too = fits.clone();
    keep(&mut biobank.studies, fits);
    keep(&mut biobank.signed_studies, fits_too);
    // What is no longer listed is closed: nobody new joins, and those who are in it stay.
    for (study, known) in access::studies(biobank).map_err(problem)? {
        if known.open && !listed.contains(&study) {
            let said = StudyVersion {
                open: false,
                organisation: label(&known.organisation)?,
                request: known.request,
                study,
                time: now(),
                version: known.version,
            };
            say(biobank, &InstitutionEvent::Study(said)).await.map_err(problem)?;
        }
    }
    Ok(())
}

fn keep<T>(items: &mut Vec<T>, which: Vec<bool>) {
    let mut which = which.into_iter();
    items.retain(|_| which.next().unwrap_or(false));
}

/// Signs what the institution says and appends it. Where another process of the same institution said the same a
/// moment ago, nothing is left to say.
pub async fn say(biobank: &Biobank, event: &InstitutionEvent) -> Result<Option<EntryHash>, Problem> {
    let entry = Entry::sign(&biobank.key, event).map_err(Problem::internal)?;
    let hash = entry.hash();
    match biobank.log.append(entry).await {
        Ok(_) => Ok(Some(hash)),
        Err(AppendError::Rejected(Rejected::NotNew(_))) => Ok(None),
        // The clock went back behind the last word on the matter, which stands until the clock is right again.
        Err(AppendError::Rejected(Rejected::Time)) => {
            tracing::error!("the clock is behind the record: what changed is entered at a later start");
            Ok(None)
        }
        Err(AppendError::Busy) => Err(Problem::busy()),
        Err(error) => Err(Problem::internal(error)),
    }
}

fn label(text: &str) -> Result<Label, StartError> {
    text.parse().map_err(|error| refused(text, error))
}

fn refused(what: &str, error: impl std::fmt::Debug) -> StartError {
    StartError::Io(what.to_owned(), io::Error::other(format!("{error:?}")))
}
