//! One connection, and what is made sure of before it is used.

use super::DatabaseError;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{AsyncMessage, Client, Config, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A commit that waits for a standby must never be cut short by a time limit, because PostgreSQL then says that it
/// worked. A connection whose other end is gone must not hold a lock.
const SETTINGS: &str = "SET statement_timeout = 0; SET lock_timeout = 0; \
    SET idle_in_transaction_session_timeout = '20s'; SET client_connection_check_interval = '5s'";
const QUESTIONS: &str = "SELECT current_setting('fsync'), current_setting('full_page_writes'), \
    current_setting('synchronous_commit'), current_setting('synchronous_standby_names'), \
    current_setting('server_version_num')::int";
/// The first version with everything that is used here.
const OLDEST: i32 = 150_000;

/// A connection.
pub struct Session {
    client: Client,
    statements: HashMap<&'static str, Statement>,
    warned: Arc<AtomicBool>,
}

/// What the server said about how safe its commits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Safety {
    /// Whether a commit waits for another server.
    pub replicated: bool,
}

impl Session {
    /// Connects to the server that takes writes.
    ///
    /// After a crash of the server it shows commits that never reached a standby, and that would be gone if the server
    /// were lost next. So a first write of our own is waited for: what was written before it is where it is, then.
    pub async fn open(config: &Config, tls: MakeRustlsConnect) -> Result<(Self, Safety), DatabaseError> {
        let (client, mut connection) = config.connect(tls).await.map_err(|error| DatabaseError::lost(&error))?;
        let warned = Arc::new(AtomicBool::new(false));
        let warn = warned.clone();
        tokio::spawn(async move {
            while let Some(message) = std::future::poll_fn(|context| connection.poll_message(context)).await {
                match message {
                    Ok(AsyncMessage::Notice(notice)) if notice.severity() == "WARNING" => {
                        warn.store(true, Ordering::Release);
                        tracing::warn!(notice = notice.message(), "the database warns");
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::debug!(%error, "a connection to the database ended");
                        break;
                    }
                }
            }
        });
        let mut session = Self { client, statements: HashMap::new(), warned };
        let safety = session.make_sure().await?;
        Ok((session, safety))
    }

    async fn make_sure(&mut self) -> Result<Safety, DatabaseError> {
        let lost = |error: tokio_postgres::Error| DatabaseError::lost(&error);
        self.client.batch_execute(SETTINGS).await.map_err(lost)?;
        let row = self.client.query_one(QUESTIONS, &[]).await.map_err(lost)?;
        let text = |at: usize| row.try_get::<_, String>(at).map_err(lost);
        let (fsync, full_pages, commit, standbys) = (text(0)?, text(1)?, text(2)?, text(3)?);
        let version: i32 = row.try_get(4).map_err(lost)?;
        if version < OLDEST {
            return Err(DatabaseError::Refused("PostgreSQL 15 or newer is needed".into()));
        }
        for (name, value) in [("fsync", &fsync), ("full_page_writes", &full_pages), ("synchronous_commit", &commit)] {
            if value == "off" {
                return Err(DatabaseError::Refused(format!("{name} is off: what is acknowledged could be lost")));
            }
        }
        self.client.query_one("SELECT pg_logical_emit_message(true, 'biobankd', '')::text", &[]).await.map_err(lost)?;
        if self.is_spoilt() {
            return Err(DatabaseError::Lost("the database does not replicate".into()));
        }
        Ok(Safety { replicated: !standbys.is_empty() && commit != "local" })
    }

    /// Whether the connection ended, or the server warned of something. The one thing that it warns of is a commit
    /// that it stopped waiting for: such a commit is on no other server yet, and must not count.
    pub fn is_spoilt(&self) -> bool {
        self.client.is_closed() || self.warned.load(Ordering::Acquire)
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A statement, prepared once a connection.
    pub async fn prepare(&mut self, sql: &'static str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }
}

/// Whether asking again, perhaps elsewhere, can help: the connection broke, the server ends, recovers or has become a
/// standby, or another transaction was in the way.
pub fn passes(error: &tokio_postgres::Error) -> bool {
    let broken = || std::error::Error::source(error).is_some_and(|cause| cause.is::<std::io::Error>());
    let Some(code) = error.code() else { return error.is_closed() || broken() };
    code.code().starts_with("08")
        || [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
        ]
        .contains(code)
}

/// What went wrong, for the log of the operator: the details of the database can hold values, so they are left out.
pub fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error().map(|db: &DbError| (db.code().code(), db.message())) {
        Some((code, message)) => format!("{message} ({code})"),
        None => match std::error::Error::source(error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}
