//! PostgreSQL servers of a test: started by it in a folder of its own, and killed by it.
#![allow(dead_code, clippy::unwrap_used, clippy::print_stderr, reason = "each test takes what it needs")]

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio_postgres::{Client, Config, NoTls};

/// Set where a test that could not run must count as failed.
const NEEDED: &str = "POSTGRES_NEEDED";
const USER: &str = "biobank";
const PASSWORD: &str = "not a secret";

/// Servers, the first of them the primary.
pub struct Cluster {
    pub dir: TempDir,
    pub servers: Vec<Server>,
    programs: PathBuf,
}

/// One server.
pub struct Server {
    pub name: String,
    pub port: u16,
    data: PathBuf,
    process: Option<Child>,
}

/// The folder of PostgreSQL's programs; none if there is no PostgreSQL.
fn programs() -> Option<PathBuf> {
    let named = std::env::var_os("POSTGRES_BIN").map(PathBuf::from);
    let mut found: Vec<PathBuf> = named.into_iter().collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        found.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    found.sort();
    found.into_iter().rev().find(|bin| bin.join("initdb").exists())
}

/// As root the programs run as their own user, which PostgreSQL insists on.
fn command(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The processes that a process began.
fn children(parent: u32) -> Vec<String> {
    let is_child = |id: &String| {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        status.lines().any(|line| line.strip_prefix("PPid:").is_some_and(|of| of.trim() == parent.to_string()))
    };
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_child).collect()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Cluster {
    /// A primary and `standbys` servers that follow it, of which each commit waits for one. None, and a line that says
    /// so, where there is no PostgreSQL.
    pub async fn start(standbys: usize) -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(std::env::var_os(NEEDED).is_none(), "PostgreSQL is missing: install the package postgresql");
            eprintln!("SKIPPED: there is no PostgreSQL on this machine");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        #[cfg(unix)]
        if is_root() {
            fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        let home = dir.path().join("servers");
        fs::create_dir(&home).unwrap();
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&home));
        }
        let password = home.join("password");
        fs::write(&password, PASSWORD).unwrap();
        let mut cluster = Self { dir, servers: Vec::new(), programs };
        let mut primary = cluster.server(1);
        run(command(&cluster.programs.join("initdb"))
            .arg("-D")
            .arg(&primary.data)
            .args(["-U", USER, "-A", "scram-sha-256"])
            .args(["--encoding=UTF8", "--locale=C", "--no-sync", "--pwfile"])
            .arg(&password));
        let names = if standbys > 0 { "ANY 1 (s1, s2, s3)" } else { "" };
        let settings = "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nshared_buffers = '32MB'\n\
             wal_keep_size = '256MB'\nmax_wal_size = '512MB'\n";
        let path = primary.data.join("postgresql.conf");
        let before = fs::read_to_string(&path).unwrap();
        fs::write(&path, before + settings).unwrap();
        primary.start(&cluster.programs);
        primary.wait().await;
        cluster.servers.push(primary);
        for number in 2..2 + standbys {
            let mut standby = cluster.server(number);
            let from = cluster.follow(0, &standby.name);
            run(command(&cluster.programs.join("pg_basebackup")).arg("-D").arg(&standby.data).args([
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "--no-sync",
                "-d",
                &from,
            ]));
            standby.start(&cluster.programs);
            standby.wait().await;
            cluster.servers.push(standby);
        }
        for server in &cluster.servers {
            // Each of them, so that whichever is primary waits for another one.
            let client = server.client().await;
            let sql = format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'");
            client.batch_execute(&sql).await.unwrap();
            client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        }
        Some(cluster)
    }

    fn server(&self, number: usize) -> Server {
        let name = format!("s{number}");
        Server { port: free_port(), data: self.dir.path().join("servers").join(&name), name, process: None }
    }

    /// How a standby reaches server number `at`.
    fn follow(&self, at: usize, name: &str) -> String {
        let port = self.servers[at].port;
        format!("host=127.0.0.1 port={port} user={USER} password='{PASSWORD}' application_name={name}")
    }

    /// A new, empty database, as `--store` takes it: all servers, with the password in a file.
    pub async fn database(&self, name: &str) -> String {
        let client = self.primary().client().await;
        client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        self.address(name)
    }

    /// The address of a database of this name.
    pub fn address(&self, name: &str) -> String {
        let passfile = self.dir.path().join("passfile");
        fs::write(&passfile, format!("127.0.0.1:*:*:{USER}:{PASSWORD}\n")).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&passfile, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let hosts: Vec<String> = self.servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
        format!("postgres://{USER}@{}/{name}?passfile={}", hosts.join(","), passfile.display())
    }

    /// The first server that runs.
    pub fn primary(&self) -> &Server {
        self.servers.iter().find(|server| server.process.is_some()).unwrap()
    }

    /// Takes power from a server: its process ends at once, with everything that it began.
    pub fn kill(&mut self, at: usize) {
        let mut process = self.servers[at].process.take().unwrap();
        let begun = children(process.id());
        process.kill().unwrap();
        // Some have noticed already that they are alone, and are gone.
        let _ = Command::new("kill").arg("-9").args(begun).stderr(Stdio::null()).status();
        process.wait().unwrap();
    }

    /// Starts a server that was killed.
    pub async fn restart(&mut self, at: usize) {
        let programs = self.programs.clone();
        // What a killed process leaves behind holds its shared memory for a moment.
        for _ in 0..40 {
            self.servers[at].start(&programs);
            tokio::time::sleep(Duration::from_millis(250)).await;
            if self.servers[at].process.as_mut().unwrap().try_wait().unwrap().is_none() {
                break;
            }
        }
        self.servers[at].wait().await;
    }

    /// Makes the standby that received most the primary, as an operator would, and lets the others follow it.
    pub async fn promote(&mut self) -> usize {
        let mut best: Option<(String, usize)> = None;
        for (at, server) in self.servers.iter().enumerate().filter(|(_, server)| server.process.is_some()) {
            let client = server.client().await;
            let sql = "SELECT lpad(split_part(l, '/', 1), 8, '0') || lpad(split_part(l, '/', 2), 8, '0') \
                FROM (SELECT pg_last_wal_receive_lsn()::text AS l) AS received";
            let received: String = client.query_one(sql, &[]).await.unwrap().get(0);
            if best.as_ref().is_none_or(|(most, _)| received > *most) {
                best = Some((received, at));
            }
        }
        let (_, chosen) = best.unwrap();
        let client = self.servers[chosen].client().await;
        assert!(client.query_one("SELECT pg_promote(true, 60)", &[]).await.unwrap().get::<_, bool>(0));
        for (_, server) in
            self.servers.iter().enumerate().filter(|(at, server)| *at != chosen && server.process.is_some())
        {
            let follow = self.follow(chosen, &server.name).replace('\'', "''");
            let client = server.client().await;
            client.batch_execute(&format!("ALTER SYSTEM SET primary_conninfo = '{follow}'")).await.unwrap();
            client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        }
        chosen
    }
}

impl Server {
    fn start(&mut self, programs: &Path) {
        let log = fs::File::options().create(true).append(true).open(self.data.with_extension("log")).unwrap();
        let mut command = command(&programs.join("postgres"));
        command.arg("-D").arg(&self.data).args([
            "-p",
            &self.port.to_string(),
            "-c",
            &format!("cluster_name={}", self.name),
        ]);
        self.process = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    async fn wait(&self) {
        for _ in 0..300 {
            if self.try_client().await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let log = fs::read_to_string(self.data.with_extension("log")).unwrap_or_default();
        assert!(self.try_client().await.is_ok(), "{} does not start: {log}", self.name);
    }

    /// A connection of the test's own to this very server.
    pub async fn client(&self) -> Client {
        self.try_client().await.unwrap()
    }

    async fn try_client(&self) -> Result<Client, tokio_postgres::Error> {
        self.database("postgres").await
    }

    /// A connection of the test's own to a database of this very server.
    pub async fn database(&self, name: &str) -> Result<Client, tokio_postgres::Error> {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).user(USER).password(PASSWORD).dbname(name);
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in self.servers.iter_mut().filter_map(|server| server.process.as_mut()) {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
