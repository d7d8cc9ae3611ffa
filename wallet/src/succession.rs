//! Another key signs the biobank's log, or the biobank speaks by another. The connection goes over to it only if the
//! institution and the key of the log both said so, and if the log of today contains all that the former key signed.

use crate::event::{Connection, Event};
use crate::profile::Profile;
use crate::sync::client_failure;
use bridge::{Code, Failure};
use identity::Did;
use ledger::client::{ClientError, LogClient};
use ledger::{KeyChange, Keys, LogKey, Next, SignedCheckpoint, VerifierKey};

/// What leads from the keys of a connection to those of today, and the present checkpoint.
pub(crate) struct Succession {
    /// Checked.
    pub changes: Vec<KeyChange>,
    /// The present checkpoint.
    pub seen: SignedCheckpoint,
}

/// The key of a connection's log.
pub(crate) fn key(connection: &Connection) -> Result<VerifierKey, Failure> {
    connection.vkey.parse().map_err(|_| Code::Storage.into())
}

/// The keys that the log had before.
pub(crate) fn former(connection: &Connection) -> Result<Vec<VerifierKey>, Failure> {
    connection.former.iter().map(|key| key.parse().map_err(|_| Code::Storage.into())).collect()
}

/// All keys by which a note of this log may have been signed.
pub(crate) fn keys(connection: &Connection) -> Result<Vec<LogKey>, Failure> {
    Ok(std::iter::once(key(connection)?).chain(former(connection)?).map(LogKey::from).collect())
}

/// Whether the biobank speaks by the key that a connection knows, as it says itself. Whoever lies about it can only make
/// a wallet ask.
pub(crate) fn is_known(connection: &Connection, signer: Option<&Did>) -> bool {
    signer.is_none_or(|signer| signer == connection.speaker())
}

impl Succession {
    /// Asks the log how its keys came to be others.
    pub async fn ask(client: &LogClient, connection: &Connection) -> Result<Self, Failure> {
        let mut keys = Keys { log: key(connection)?, institution: connection.speaker().clone() };
        let info = client.log_info().await.map_err(client_failure)?;
        if info.did != connection.biobank {
            return Err(client_failure(ClientError::Statement));
        }
        let changes = info.changes_since(&keys).map_err(client_failure)?;
        changes.iter().for_each(|change| keys.go_over(change));
        let seen = client.checkpoint(&keys.log).await.map_err(client_failure)?;
        Ok(Self { changes, seen })
    }

    /// Whether the present log contains what was signed at each change.
    pub async fn check(&self, client: &LogClient) -> Result<(), ClientError> {
        for change in &self.changes {
            client.check_consistency(change.included().checkpoint(), &self.seen).await?;
        }
        Ok(())
    }
}

/// The event by which a connection goes over to the next key.
pub(crate) fn went_over(change: &KeyChange) -> Event {
    let entry = change.included().entry();
    match change.next() {
        Next::Log(key) => Event::LogKeyChanged { entry, vkey: key.to_string() },
        Next::Institution(did) => Event::BiobankKeyChanged { entry, speaker: did.clone() },
    }
}

/// The connection of somebody who keeps a copy of the whole log, under the keys of now. What was signed at each change is
/// compared with the present log here, and the copy once more when it is brought up to date.
pub(crate) async fn follow(
    profile: &Profile,
    connection: Connection,
    signer: Option<&Did>,
) -> Result<Connection, Failure> {
    let client = LogClient::new(&connection.address).map_err(|_| Code::AddressNotAllowed)?;
    match client.checkpoint(&key(&connection)?).await {
        Err(error) if error.is_other_key() => {}
        Err(error) => return Err(client_failure(error)),
        Ok(_) if is_known(&connection, signer) => return Ok(connection),
        Ok(_) => {}
    }
    let succession = Succession::ask(&client, &connection).await?;
    succession.check(&client).await.map_err(client_failure)?;
    for change in &succession.changes {
        profile.record(went_over(change))?;
    }
    profile.connection()
}
