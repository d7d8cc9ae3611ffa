//! PostgreSQL alone: the same entries as rows with their hash, and no log, no signature, no rule over them.

use super::{Outcome, grow};
use std::time::{Duration, Instant};
use tokio_postgres::{Client, NoTls};

/// Rows of one transaction, as many as a batch of the log has.
const BATCH: usize = 1_024;

type Row = (Vec<u8>, Vec<u8>);

async fn connect(url: &str) -> Outcome<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Inserts the entries twice: one transaction each, and in batches.
pub async fn insert(url: &str, count: usize, connections: usize) -> Outcome {
    let rows: Vec<Row> = grow::sign(0, count as u64)
        .into_iter()
        .map(|entry| (ledger::leaf_hash(entry.bytes()).as_bytes().to_vec(), entry.bytes().to_vec()))
        .collect();
    for batch in [1, BATCH] {
        let setup = connect(url).await?;
        setup
            .batch_execute(
                "drop table if exists entries; \
                 create table entries (index bigserial primary key, hash bytea unique not null, entry bytea not null)",
            )
            .await?;
        let mut lines: Vec<Vec<Vec<Row>>> = (0..connections).map(|_| Vec::new()).collect();
        for (number, chunk) in rows.chunks(batch).enumerate() {
            if let Some(line) = lines.get_mut(number % connections) {
                line.push(chunk.to_vec());
            }
        }
        let mut clients = Vec::new();
        for _ in 0..connections {
            clients.push(connect(url).await?);
        }
        let begun = Instant::now();
        let tasks: Vec<_> =
            clients.into_iter().zip(lines).map(|(client, line)| tokio::spawn(send(client, line))).collect();
        let mut latencies: Vec<Duration> = Vec::new();
        for task in tasks {
            latencies.extend(task.await??);
        }
        let took = begun.elapsed().as_secs_f64();
        latencies.sort_unstable();
        let there: i64 = setup.query_one("select count(*) from entries", &[]).await?.get(0);
        if there != count as i64 {
            return Err(format!("{there} of {count} rows are there").into());
        }
        let at = |percent: usize| latencies.get(latencies.len() * percent / 100).copied().unwrap_or_default();
        println!(
            "PostgreSQL alone: {:.0} rows/s; {connections} connections, {batch} in a transaction; p50 {:.1} ms, p99 {:.1} ms",
            count as f64 / took,
            at(50).as_secs_f64() * 1e3,
            at(99).as_secs_f64() * 1e3
        );
    }
    Ok(())
}

async fn send(client: Client, line: Vec<Vec<Row>>) -> Outcome<Vec<Duration>> {
    let one = client.prepare("insert into entries (hash, entry) values ($1, $2)").await?;
    let many =
        client.prepare("insert into entries (hash, entry) select * from unnest($1::bytea[], $2::bytea[])").await?;
    let mut latencies = Vec::with_capacity(line.len());
    for rows in line {
        let begun = Instant::now();
        match rows.as_slice() {
            [(hash, entry)] => client.execute(&one, &[hash, entry]).await?,
            rows => {
                let (hashes, entries): (Vec<&[u8]>, Vec<&[u8]>) =
                    rows.iter().map(|(hash, entry)| (hash.as_slice(), entry.as_slice())).unzip();
                client.execute(&many, &[&hashes, &entries]).await?
            }
        };
        latencies.push(begun.elapsed());
    }
    Ok(latencies)
}
