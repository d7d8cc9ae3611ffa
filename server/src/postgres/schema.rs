//! The tables, and how older ones are brought to the form of this version.

use super::Session;

/// Each step in its order; a step that was once released is never changed.
const STEPS: &[&str] = &[
    include_str!("schema.sql"),
    // A log that was moved to another store is not written here any more.
    "ALTER TABLE log_head ADD COLUMN moved boolean NOT NULL DEFAULT false",
];
/// One node at a time.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7092845117)";
const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS schema_versions \
    (version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now())";

/// Takes the steps that are missing, each wholly or not at all.
pub(super) async fn migrate(session: &mut Session) -> Result<(), tokio_postgres::Error> {
    let client = session.client();
    for (version, step) in (1_i32..).zip(STEPS) {
        client.batch_execute("BEGIN").await?;
        client.batch_execute(LOCK).await?;
        client.batch_execute(VERSIONS).await?;
        let there = client.query_opt("SELECT FROM schema_versions WHERE version = $1", &[&version]).await?;
        if there.is_none() {
            client.batch_execute(step).await?;
            client.execute("INSERT INTO schema_versions (version) VALUES ($1)", &[&version]).await?;
        }
        client.batch_execute("COMMIT").await?;
    }
    Ok(())
}
