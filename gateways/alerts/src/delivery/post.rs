//! One POST over http or https, for all channels that speak it.
//!
//! # Invariants
//! - A delivery ends within the timeout, whatever the receiver does: looking up its name, connecting, TLS and the answer's head together.
//! - A status of 2xx is delivery. 408, 425, 429 and 5xx may come right later; any other refuses this notification for good,
//!   redirects too.
//! - Nothing of the receiver's answer but its status is read or shown, and the address is never shown: chats put secrets into it.
//!
//! Not here: what is posted.

use super::DeliveryError;
use std::time::Duration;
use ureq::Agent;
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// The shortest time that a delivery may take.
const TIMEOUT_MIN: Duration = Duration::from_millis(1);

/// What is wrong with the settings of a channel.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The address is none of http or https. It is not shown, as it may hold a secret.
    #[error("this is no address like http[s]://HOST[:PORT][/PATH]")]
    Url,
    /// The authorities' certificates cannot be used.
    #[error("no certificates of authorities in PEM form: {0}")]
    Authorities(String),
}

/// Who is trusted to vouch for a receiver that is spoken to over TLS.
#[derive(Clone, Debug, Default)]
pub struct Authorities {
    /// The certificates, and the PEM text that they came in; `None` for the public ones.
    own: Option<(Vec<Certificate<'static>>, Vec<u8>)>,
}

impl Authorities {
    /// The authorities of a PEM file, and no others. The default are the public ones.
    pub fn of_pem(pem: &[u8]) -> Result<Self, PostError> {
        let mut certificates = Vec::new();
        for item in parse_pem(pem) {
            match item {
                Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
                Ok(_) => {}
                Err(error) => return Err(PostError::Authorities(error.to_string())),
            }
        }
        if certificates.is_empty() {
            return Err(PostError::Authorities("there is none".into()));
        }
        Ok(Self {
            own: Some((certificates, pem.to_vec())),
        })
    }

    /// The PEM text; `None` for the public ones.
    pub(super) fn pem(&self) -> Option<&[u8]> {
        self.own.as_ref().map(|(_, pem)| pem.as_slice())
    }

    fn roots(&self) -> RootCerts {
        match &self.own {
            Some((certificates, _)) => RootCerts::from(certificates.clone()),
            None => RootCerts::WebPki,
        }
    }
}

/// See the module.
pub(super) struct Poster {
    agent: Agent,
    url: Uri,
}

impl Poster {
    pub(super) fn new(url: &str, timeout: Duration, authorities: &Authorities) -> Result<Self, PostError> {
        let tls = TlsConfig::builder().root_certs(authorities.roots()).build();
        let agent = Agent::config_builder()
            .timeout_global(Some(timeout.max(TIMEOUT_MIN)))
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("tradewind/", env!("CARGO_PKG_VERSION")))
            .max_idle_connections(0) // minutes may lie between two notifications
            .proxy(None)
            .tls_config(tls)
            .build();
        Ok(Self {
            agent: agent.into(),
            url: parse(url).ok_or(PostError::Url)?,
        })
    }

    /// Posts a body with these headers.
    pub(super) fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> Result<(), DeliveryError> {
        let mut request = self.agent.post(&self.url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        match request.send(body) {
            Ok(answer) => judge(answer.status().as_u16()),
            Err(error) => Err(DeliveryError::Failed(error.to_string())),
        }
    }
}

fn judge(status: u16) -> Result<(), DeliveryError> {
    let text = format!("status {status}");
    match status {
        200..=299 => Ok(()),
        408 | 425 | 429 | 500.. => Err(DeliveryError::Failed(text)),
        _ => Err(DeliveryError::Refused(text)),
    }
}

/// An address without user and password.
fn parse(url: &str) -> Option<Uri> {
    let uri: Uri = url.parse().ok()?;
    let authority = uri.authority()?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    let (host, port) = (authority.host(), authority.port_u16());
    let is_plain = !host.is_empty() && !authority.as_str().contains('@');
    let has_good_port = authority.as_str() == host || port.is_some_and(|port| port != 0);
    (is_http && is_plain && has_good_port).then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_http_or_https_without_a_user() {
        for url in [
            "http://hooks",
            "http://hooks:8080/a/b?c=d",
            "https://hooks/x",
            "http://[::1]:81/",
        ] {
            assert!(parse(url).is_some(), "{url}");
        }
        for url in [
            "",
            "hooks",
            "/x",
            "ftp://x/",
            "http://",
            "http://:1/",
            "http://u@h/",
            "http://h:0/",
            "http://h:99999/",
            "http://h/\r\nX: y",
        ] {
            assert!(parse(url).is_none(), "{url}");
        }
    }

    #[test]
    fn a_status_says_whether_to_try_again() {
        assert!(judge(204).is_ok());
        for status in [408, 425, 429, 500, 599] {
            assert!(matches!(judge(status), Err(DeliveryError::Failed(_))), "{status}");
        }
        for status in [301, 400, 401, 404, 410] {
            assert!(
                matches!(judge(status), Err(DeliveryError::Refused(_))),
                "{status}"
            );
        }
    }

    #[test]
    fn authorities_are_certificates() {
        for pem in [
            &b""[..],
            b"nothing",
            b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
        ] {
            assert!(Authorities::of_pem(pem).is_err());
        }
    }
}
