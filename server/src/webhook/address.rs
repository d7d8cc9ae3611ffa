//! Where a webhook may lead: out, over TLS, and never into the institution's own network.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// The longest address of a hook.
const MAX_URL: usize = 1_024;
/// How many addresses of one name are tried.
const MAX_ADDRESSES: usize = 8;

/// Which addresses a hook may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Public addresses over https.
    Public,
    /// These, and http to this machine: for demos and tests.
    Demo,
}

impl Reach {
    /// The address in a hook, if it may be used.
    pub(crate) fn check(self, text: &str) -> Option<Url> {
        if text.len() > MAX_URL {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        // Ports below 1024 belong to services that understand something else, and could take a request for it.
        let port = url.port_or_known_default()?;
        let host = url.host()?;
        let here = match host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => ip.is_loopback(),
        };
        let allowed = match (url.scheme(), self, here) {
            ("http", Self::Demo, true) => true,
            ("https", _, false) => match host {
                Host::Domain(name) => name.contains('.') && !name.ends_with('.'),
                Host::Ipv4(ip) => is_public(ip.into()),
                Host::Ipv6(ip) => is_public(ip.into()),
            },
            _ => false,
        };
        (bare && allowed && (port == 443 || port >= 1_024)).then_some(url)
    }
}

/// Looks names up, and gives only addresses that a hook may lead to. The connection is made to what was looked at
/// here, so a name can not change its mind in between.
impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = *self;
        Box::pin(async move {
            let local = reach == Self::Demo && name.as_str() == "localhost";
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found
                .filter(|address| if local { address.ip().is_loopback() } else { is_public(address.ip()) })
                .take(MAX_ADDRESSES)
                .collect();
            if allowed.is_empty() {
                return Err("the name has no public address".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address belongs to the public internet (the special-purpose registries of IANA, RFC 6890).
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let special = match ip.octets() {
        // This network, private, this machine, link-local (with the metadata services of clouds), private.
        [0 | 10 | 127, ..] | [169, 254, ..] | [172, 16..=31, ..] | [192, 168, ..] => true,
        // Shared with a provider, protocol assignments, 6to4 relays, benchmarks.
        [100, 64..=127, ..] | [192, 0, 0, _] | [192, 88, 99, _] | [198, 18 | 19, ..] => true,
        // Documentation.
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        // Multicast, reserved, broadcast.
        [224..=255, ..] => true,
        _ => false,
    };
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    match ip.segments() {
        // An IPv4 address in another dress is judged as what it is: mapped, translated (NAT64), 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Teredo and other protocol assignments, documentation.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // Only 2000::/3 is given out; everything else is this machine, local, multicast or nobody's.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for public in ["93.184.216.34", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "2606:4700::1111"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for special in [
            "0.0.0.0",
            "10.1.2.3",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:a00:1::",
            "2001::1",
            "2001:db8::1",
            "fe80::1",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "100::1",
        ] {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
    }

    #[test]
    fn a_hook_leads_out_over_tls() {
        let long = format!("https://holder.example/{}", "a".repeat(MAX_URL));
        for good in ["https://holder.example/hook?key=1", "https://holder.example:8443/", "https://93.184.216.34/hook"]
        {
            assert!(Reach::Public.check(good).is_some(), "{good}");
            assert!(Reach::Demo.check(good).is_some(), "{good}");
        }
        for bad in [
            "http://holder.example/hook",
            "https://localhost/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://10.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::ffff:192.168.0.1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://user@holder.example/",
            "https://user:word@holder.example/",
            "https://holder.example/#part",
            "https://holder.example:25/",
            "https://intranet/",
            "https://holder.example./",
            "ftp://holder.example/",
            "file:///etc/passwd",
            "holder.example",
            "",
            &long,
        ] {
            assert_eq!(Reach::Public.check(bad), None, "{bad}");
            assert_eq!(Reach::Demo.check(bad), None, "{bad}");
        }
        for here in ["http://127.0.0.1:8081/hook", "http://localhost:8081/", "http://[::1]:8081/"] {
            assert!(Reach::Demo.check(here).is_some(), "{here}");
            assert_eq!(Reach::Public.check(here), None, "{here}");
        }
        assert_eq!(Reach::Demo.check("http://192.168.0.2:8081/"), None, "this machine, and no other near it");
    }

    #[tokio::test]
    async fn a_name_of_this_machine_has_no_public_address() {
        assert!(Reach::Public.resolve("localhost".parse().unwrap()).await.is_err());
        let mut here = Reach::Demo.resolve("localhost".parse().unwrap()).await.unwrap();
        assert!(here.all(|address| address.ip().is_loopback()));
    }
}
