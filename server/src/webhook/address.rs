//! Where a webhook may lead: out, over TLS, and never into the institution's own network.

use identity::web::{addresses_of, is_public};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// The longest address of a hook.
const MAX_URL: usize = 1_024;

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
            let allowed =
                addresses_of(name.as_str(), move |ip| if local { ip.is_loopback() } else { is_public(ip) }).await?;
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
