//! Another key signs the biobank's log. The connection goes over to it only if the institution and the former key both
//! said so, and if what the new key signs contains all that the former key signed.

use crate::event::{Connection, Event};
use crate::profile::Profile;
use crate::sync::client_failure;
use bridge::{Code, Failure};
use ledger::client::{ClientError, LogClient};
use ledger::{KeyChange, LogKey, SignedCheckpoint, VerifierKey};

/// What leads from the key of a connection to the one that signs the log today, and the checkpoint that this one signed.
pub(crate) struct Succession {
    /// Checked; at least one.
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

impl Succession {
    /// Asks the log how its key came to be another one.
    pub async fn ask(client: &LogClient, connection: &Connection) -> Result<Self, Failure> {
        let trusted = key(connection)?;
        let info = client.log_info().await.map_err(client_failure)?;
        if info.did != connection.biobank {
            return Err(client_failure(ClientError::Statement));
        }
        let changes = info.changes_since(&trusted).map_err(client_failure)?;
        let newest = changes.last().map_or(&trusted, KeyChange::next);
        let seen = client.checkpoint(newest).await.map_err(client_failure)?;
        Ok(Self { changes, seen })
    }

    /// Whether the present log contains the last word of each former key.
    pub async fn check(&self, client: &LogClient) -> Result<(), ClientError> {
        for change in &self.changes {
            client.check_consistency(change.included().checkpoint(), &self.seen).await?;
        }
        Ok(())
    }
}

/// The event by which a connection goes over to the next key.
pub(crate) fn went_over(change: &KeyChange) -> Event {
    Event::LogKeyChanged { entry: change.included().entry(), vkey: change.next().to_string() }
}

/// The connection of somebody who keeps a copy of the whole log, under the key that signs the log now. What the former
/// key signed is compared with the present log here, and the copy once more when it is brought up to date.
pub(crate) async fn follow(profile: &Profile, connection: Connection) -> Result<Connection, Failure> {
    let client = LogClient::new(&connection.address).map_err(|_| Code::AddressNotAllowed)?;
    match client.checkpoint(&key(&connection)?).await {
        Err(error) if error.is_other_key() => {}
        Err(error) => return Err(client_failure(error)),
        Ok(_) => return Ok(connection),
    }
    let succession = Succession::ask(&client, &connection).await?;
    succession.check(&client).await.map_err(client_failure)?;
    for change in &succession.changes {
        profile.record(went_over(change))?;
    }
    profile.connection()
}
