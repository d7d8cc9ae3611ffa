//! The command line of `biobankd`.

use crate::joining::{Join, Member};
use crate::operate::Operation;
use crate::telling::LogForm;
use crate::trusting::Trust;
use clap::{Args, Parser, Subcommand};
use server::{
    Allowance, Allowances, Connections, Institution, Network, Options, PublicAddress, Rates, StoreAddress, TlsFiles,
};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Runs the services of one biobank over its ledger.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Arguments {
    /// What to do; without it the service runs.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How the service runs.
    #[command(flatten)]
    pub serve: Option<Serve>,
}

/// What `biobankd` can do.
#[derive(Subcommand)]
pub enum Command {
    /// Runs the service.
    Serve(Serve),
    /// Prints what the other institutions of a federation need to know of this one, as JSON.
    Member(Member),
    /// Makes the files by which the service takes part in a federation, from its next start on.
    Join(Join),
    /// Signs the next version of the list of trusted issuers, which the service hands out.
    Trust(Trust),
    /// Tends the folder of a biobank.
    #[command(flatten)]
    Operate(Operation),
}

/// How the service runs.
#[derive(Args)]
pub struct Serve {
    /// Folder for keys, log and desk; made if missing.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8480")]
    listen: SocketAddr,
    /// Where log and desk are: `embedded`, or postgres://USER@HOST1,HOST2/DATABASE, which several nodes may share.
    #[arg(long, value_name = "STORE", default_value = "embedded")]
    store: StoreAddress,
    /// Do not warn when commits of the database wait for no standby.
    #[arg(long)]
    allow_unreplicated: bool,
    /// Name of the institution, at the first start.
    #[arg(long, default_value = "Example Biobank")]
    name: String,
    /// Origin line of the log, at the first start.
    #[arg(long, default_value = "biobank.example/log")]
    origin: String,
    /// Fill an empty folder with demo studies, and write one-time codes to DIR/demo.json.
    #[arg(long)]
    demo: bool,
    /// Write a one-time code for an account of staff to a new file, for the first of them.
    #[arg(long, value_name = "FILE")]
    staff_code: Option<PathBuf>,
    /// Where everybody reaches the service, as in https://biobank.example: visas name it as their issuer, and the keys
    /// below it.
    #[arg(long, value_name = "URL")]
    address: Option<PublicAddress>,
    /// Certificate chain in PEM: the service speaks TLS. SIGHUP reads it again.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A proxy in front speaks TLS and adds the caller's address to X-Forwarded-For.
    #[arg(long)]
    behind_proxy: bool,
    /// Calls a second and at once, as in `caller.write=10:200`; `=0` is without a limit. WHO is `address` or `caller`,
    /// WHAT is `read`, `write` or `costly`. May be given again.
    #[arg(long, value_name = "WHO.WHAT=N[:BURST]", value_parser = limit)]
    limit: Vec<Limit>,
    /// Open connections, of all callers together.
    #[arg(long, value_name = "N", default_value_t = Connections::default().all)]
    connections: usize,
    /// Open connections of one address; counts without a proxy.
    #[arg(long, value_name = "N", default_value_t = Connections::default().of_one)]
    connections_of_one: usize,
    /// Form of the log on standard error. RUST_LOG says how much of it.
    #[arg(long, value_enum, default_value_t = LogForm::Text)]
    pub log: LogForm,
}

impl Serve {
    /// As the library takes it.
    pub fn options(self) -> Options {
        let institution = Institution { name: self.name, origin: self.origin };
        let tls = self.tls_cert.zip(self.tls_key).map(|(certificate, key)| TlsFiles { certificate, key });
        let mut rates = Rates::default();
        for limit in self.limit {
            *limit.place.of(&mut rates) = limit.allowance;
        }
        let connections = Connections { all: self.connections, of_one: self.connections_of_one };
        let (behind_proxy, address) = (self.behind_proxy, self.address);
        let network = Network { tls, behind_proxy, address, rates, connections, ..Network::default() };
        let staff_code = self.staff_code;
        let (store, allow_unreplicated) = (self.store, self.allow_unreplicated);
        Options {
            demo: self.demo,
            staff_code,
            network,
            store,
            allow_unreplicated,
            ..Options::new(self.data, self.listen, institution)
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Limit {
    place: Place,
    allowance: Allowance,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    of_caller: bool,
    what: fn(&mut Allowances) -> &mut Allowance,
}

impl Place {
    fn of(self, rates: &mut Rates) -> &mut Allowance {
        (self.what)(if self.of_caller { &mut rates.caller } else { &mut rates.address })
    }
}

fn limit(text: &str) -> Result<Limit, String> {
    let read = || {
        let (place, amount) = text.split_once('=')?;
        let (who, what) = place.split_once('.')?;
        let of_caller = match who {
            "caller" => true,
            "address" => false,
            _ => return None,
        };
        let what: fn(&mut Allowances) -> &mut Allowance = match what {
            "read" => |allowances| &mut allowances.read,
            "write" => |allowances| &mut allowances.write,
            "costly" => |allowances| &mut allowances.costly,
            _ => return None,
        };
        let (per_second, burst) = amount.split_once(':').unwrap_or((amount, amount));
        let allowance = Allowance { per_second: per_second.parse().ok()?, burst: burst.parse().ok()? };
        Some(Limit { place: Place { of_caller, what }, allowance })
    };
    read().ok_or_else(|| "write it as address.read=500:5000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(arguments: &[&str]) -> Result<Serve, clap::Error> {
        let parsed = Arguments::try_parse_from([&["biobankd"], arguments].concat())?;
        Ok(match parsed.command {
            Some(Command::Serve(serve)) => serve,
            None => parsed.serve.unwrap(),
            Some(_) => unreachable!("these tests only serve"),
        })
    }

    #[test]
    fn the_service_runs_with_and_without_its_word() {
        for arguments in [&["--data", "x", "--demo"][..], &["serve", "--data", "x", "--demo"]] {
            let options = serve(arguments).ok().unwrap().options();
            assert_eq!((options.data, options.demo), (PathBuf::from("x"), true));
        }
        assert!(serve(&[]).is_err(), "the folder has to be said");
        assert!(serve(&["--data", "x", "--tls-cert", "y"]).is_err(), "a certificate needs its key");
        let address = |text| serve(&["--data", "x", "--address", text]).map(|serve| serve.options().network.address);
        assert_eq!(address("https://biobank.example/").ok().flatten().unwrap().as_str(), "https://biobank.example");
        assert!(address("http://biobank.example").is_err(), "what visas name can be reached by TLS");
    }

    #[test]
    fn limits_are_read_or_refused() {
        let options = serve(&["--data", "x", "--limit", "caller.write=7:9", "--limit", "address.read=0"]);
        let rates = options.ok().unwrap().options().network.rates;
        assert_eq!(rates.caller.write, Allowance { per_second: 7, burst: 9 });
        assert_eq!(rates.address.read.per_second, 0);
        assert_eq!(rates.caller.costly, Rates::default().caller.costly);
        for wrong in
            ["", "caller.write", "caller=1", "caller.write=x", "caller.delete=1", "who.read=1", "caller.read=1:"]
        {
            assert!(serve(&["--data", "x", "--limit", wrong]).is_err(), "{wrong}");
        }
    }
}
