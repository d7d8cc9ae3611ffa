//! Where the database is, as the operator writes it.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// How long one server may take to answer a new connection, unless the address says otherwise.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How long a connection may be dead before that is noticed.
const DEAD_AFTER: Duration = Duration::from_secs(20);

/// Why an address can not be used. It never holds a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Not an address of a store.
    #[error("write the store as `embedded` or as postgres://USER@HOST1,HOST2/DATABASE")]
    Form,
    /// A parameter that is not known, or has a value that it can not have.
    #[error("the address of the database has a parameter or a value that is not known")]
    Parameter,
    /// `sslmode` would let somebody in between read or change everything.
    #[error("sslmode is `disable` or `verify-full`; what lies between them checks nothing")]
    WeakTls,
    /// A database elsewhere, and nothing said about TLS.
    #[error("a database on another machine needs sslmode=verify-full and sslrootcert=FILE, or sslmode=disable")]
    NoTls,
    /// A certificate can not be checked without the one that it hangs on.
    #[error("sslmode=verify-full needs sslrootcert=FILE")]
    NoRoot,
}

/// Where a log and its desk are kept.
#[derive(Debug, Clone, Default)]
pub enum StoreAddress {
    /// In files below the data folder.
    #[default]
    Embedded,
    /// In PostgreSQL.
    Postgres(Box<DatabaseAddress>),
}

impl FromStr for StoreAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text == "embedded" {
            return Ok(Self::Embedded);
        }
        text.parse().map(|address| Self::Postgres(Box::new(address)))
    }
}

/// The address of a PostgreSQL database on one server or several, of which the one that takes writes is meant.
#[derive(Clone)]
pub struct DatabaseAddress {
    pub(super) config: Config,
    /// The certificates that the server's must hang on; none without TLS.
    pub(super) root: Option<PathBuf>,
    /// The file that the password is in, if the address names one.
    passfile: Option<PathBuf>,
}

/// Without the password.
impl fmt::Display for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        for (place, (host, port)) in self.servers().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(f, "{comma}{host}:{port}")?;
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for DatabaseAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(AddressError::Form);
        }
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut mode, mut root, mut passfile, mut rest) = (None, None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let Some((name, value)) = url::form_urlencoded::parse(pair.as_bytes()).next() else { continue };
            match name.as_ref() {
                "sslmode" => mode = Some(value.into_owned()),
                "sslrootcert" => root = Some(PathBuf::from(value.as_ref())),
                "passfile" => passfile = Some(PathBuf::from(value.as_ref())),
                _ => rest.push(pair),
            }
        }
        // What the parser says of a wrong address can hold the password, so it is not passed on.
        let mut config: Config = format!("{base}?{}", rest.join("&")).parse().map_err(|_| AddressError::Parameter)?;
        if config.get_hosts().is_empty() || config.get_dbname().is_none() {
            return Err(AddressError::Form);
        }
        match (mode.as_deref(), &root) {
            (Some("disable"), _) => {}
            (Some("require" | "verify-ca" | "verify-full"), Some(_)) => {}
            (Some("require" | "verify-ca" | "verify-full"), None) => return Err(AddressError::NoRoot),
            (Some("allow" | "prefer"), _) => return Err(AddressError::WeakTls),
            (Some(_), _) => return Err(AddressError::Parameter),
            (None, Some(_)) => {}
            (None, None) if config.get_hosts().iter().all(is_local) => {}
            (None, None) => return Err(AddressError::NoTls),
        }
        let root = root.filter(|_| mode.as_deref() != Some("disable"));
        config.ssl_mode(if root.is_some() { SslMode::Require } else { SslMode::Disable });
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.keepalives_idle(DEAD_AFTER).tcp_user_timeout(DEAD_AFTER);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIME);
        }
        if config.get_application_name().is_none() {
            config.application_name("biobankd");
        }
        Ok(Self { config, root, passfile })
    }
}

impl DatabaseAddress {
    fn servers(&self) -> impl Iterator<Item = (String, u16)> {
        let ports = self.config.get_ports();
        self.config.get_hosts().iter().enumerate().map(move |(place, host)| {
            let port = ports.get(place).or(ports.first()).copied().unwrap_or(5432);
            (name(host), port)
        })
    }

    /// The configuration with a password: of the address, or else of the file that the address or `PGPASSFILE` names.
    pub(super) fn with_password(&self) -> std::io::Result<Config> {
        let mut config = self.config.clone();
        if config.get_password().is_some() {
            return Ok(config);
        }
        let named = || std::env::var_os("PGPASSFILE").map(PathBuf::from);
        let Some(path) = self.passfile.clone().or_else(named) else { return Ok(config) };
        let text = read_private(&path)?;
        let (database, user) = (config.get_dbname().unwrap_or_default(), config.get_user().unwrap_or_default());
        let found = text.lines().find_map(|line| {
            self.servers().find_map(|(host, port)| password_of(line, [&host, &port.to_string(), database, user]))
        });
        if let Some(password) = found {
            config.password(password);
        }
        Ok(config)
    }
}

fn name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Reads a file that only its owner can read.
fn read_private(path: &Path) -> std::io::Result<String> {
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path)?.permissions()) & 0o077 != 0 {
        return Err(std::io::Error::other("the password file can be read by others: chmod 600"));
    }
    std::fs::read_to_string(path)
}

/// The password in a line `host:port:database:user:password`, if the rest of the line fits. `*` fits everything, and a
/// backslash takes the meaning from a colon and from itself.
fn password_of(line: &str, wanted: [&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let (mut fields, mut field, mut escaped) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            c if escaped => {
                field.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            ':' if fields.len() < 4 => fields.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    let fits = fields.len() == 4 && fields.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
    fits.then_some(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DatabaseAddress, AddressError> {
        text.parse()
    }

    #[test]
    fn addresses_are_read_and_never_show_their_password() {
        let address = read("postgres://bio:s3cret@a.example:5433,b.example/log?sslmode=disable").unwrap();
        for shown in [address.to_string(), format!("{address:?}")] {
            assert!(!shown.contains("s3cret"), "{shown}");
        }
        assert_eq!(
            read("postgres://u@127.0.0.1:6000,localhost:6001/log").unwrap().to_string(),
            "postgres://127.0.0.1:6000,localhost:6001/log"
        );
        for text in ["postgres://u:s3cret@h/d?x=1&sslmode=disable", "postgres://u:s3cret@h:port/d?sslmode=disable"] {
            let error = read(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3cret"));
        }
        assert!(matches!("embedded".parse(), Ok(StoreAddress::Embedded)));
        for text in ["", "mysql://x/y", "postgres://", "host=localhost dbname=x"] {
            assert_eq!(text.parse::<StoreAddress>().unwrap_err(), AddressError::Form, "{text}");
        }
    }

    #[test]
    fn nothing_goes_over_a_network_without_a_word_on_tls() {
        let error = |query: &str| read(&format!("postgres://u@db.example/log{query}")).err();
        assert_eq!(error(""), Some(AddressError::NoTls));
        assert_eq!(error("?sslmode=prefer"), Some(AddressError::WeakTls));
        assert_eq!(error("?sslmode=verify-full"), Some(AddressError::NoRoot));
        assert_eq!(error("?sslmode=require"), Some(AddressError::NoRoot));
        assert_eq!(error("?sslmode=no"), Some(AddressError::Parameter));
        assert_eq!(error("?sslmode=disable"), None);
        assert_eq!(error("?sslrootcert=%2Fetc%2Fca.pem"), None);
        let checked = read("postgres://u@db.example/log?sslmode=require&sslrootcert=%2Fetc%2Fca.pem").unwrap();
        assert_eq!(checked.root.as_deref(), Some(Path::new("/etc/ca.pem")));
        assert_eq!(checked.config.get_ssl_mode(), SslMode::Require);
        let local = read("postgres://u@127.0.0.1/log").unwrap();
        assert_eq!((local.root, local.config.get_ssl_mode()), (None, SslMode::Disable));
    }

    #[test]
    fn passwords_come_from_the_line_that_fits() {
        let wanted = ["db.example", "5432", "log", "bio"];
        assert_eq!(password_of("db.example:5432:log:bio:a:b", wanted), Some("a:b".into()));
        assert_eq!(password_of(r"*:*:*:bio:p\:w\\", wanted), Some(r"p:w\".into()));
        for line in ["", "#*:*:*:*:x", "db.example:5433:log:bio:x", "db.example:5432:log", "*:*:*:other:x"] {
            assert_eq!(password_of(line, wanted), None, "{line}");
        }
    }
}
