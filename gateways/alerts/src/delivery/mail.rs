//! Mail over SMTP: one message a notification, to the people of its level.
//!
//! # Invariants
//! - A password never leaves in clear: without TLS nobody logs in, unless the server is on this host.
//! - A notification that goes out twice has the same Message-ID.
//! - An answer of 4xx may come right later, one of 5xx is final.
//!
//! Not here: queues and retries (the courier's), attachments. The timeout holds for each step of the conversation, not for the whole.

use super::post::Authorities;
use super::{Channel, DeliveryError};
use crate::notification::Notification;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Mailboxes};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};
use std::net::IpAddr;
use std::time::Duration;

/// Characters of a subject.
const SUBJECT_CHARS: usize = 150;

/// How the connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// It begins in clear and must be raised to TLS before anything is said.
    StartTls,
    /// TLS from the first byte.
    Wrapped,
    /// None.
    None,
}

/// How mail is sent, and to whom.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// `HOST:PORT`.
    pub server: String,
    /// How the connection is secured.
    pub tls: MailTls,
    /// User and password; `None` logs in nobody.
    pub login: Option<(String, String)>,
    /// Sender.
    pub from: String,
    /// Receivers by level, with commas between them; empty at levels 2 and 3 for those of level 1.
    pub to: [String; 3],
    /// For each step.
    pub timeout: Duration,
    /// Who vouches for the server.
    pub authorities: Authorities,
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The server is not `HOST:PORT`.
    #[error("{0:?} is not HOST:PORT")]
    Server(String),
    /// Not an address.
    #[error("{0:?} is no address of mail: {1}")]
    Address(String, String),
    /// Nobody would get it.
    #[error("there is no receiver")]
    NoReceiver,
    /// The password would be sent in clear.
    #[error("a user logs in over TLS only, unless the server is on this host")]
    PasswordInClear,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// See the module.
pub struct MailChannel {
    transport: SmtpTransport,
    from: Mailbox,
    to: [Mailboxes; 3],
    host: String,
}

impl MailChannel {
    /// A channel to this server.
    pub fn new(settings: &MailSettings) -> Result<Self, MailError> {
        let (host, port) =
            split(&settings.server).ok_or_else(|| MailError::Server(settings.server.clone()))?;
        if settings.tls == MailTls::None && settings.login.is_some() && !is_this_host(host) {
            return Err(MailError::PasswordInClear);
        }
        let mut builder = SmtpTransport::builder_dangerous(host) // what secures it is said on the next lines
            .port(port)
            .tls(tls(settings, host)?)
            .timeout(Some(settings.timeout));
        if let Some((user, password)) = &settings.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        let first = mailboxes(&settings.to[0])?.ok_or(MailError::NoReceiver)?;
        let second = mailboxes(&settings.to[1])?.unwrap_or_else(|| first.clone());
        let third = mailboxes(&settings.to[2])?.unwrap_or_else(|| first.clone());
        Ok(Self {
            transport: builder.build(),
            from: parse(&settings.from)?,
            to: [first, second, third],
            host: host.to_owned(),
        })
    }

    fn message(&self, n: &Notification) -> Result<Message, lettre::error::Error> {
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(subject(n))
            .message_id(Some(format!("<{}@{}>", message_id(n), self.host)))
            .header(ContentType::TEXT_PLAIN);
        let level = usize::from(n.level.clamp(1, 3)) - 1;
        for mailbox in self.to[level].iter() {
            builder = builder.to(mailbox.clone());
        }
        builder.body(body(n))
    }
}

impl Channel for MailChannel {
    fn name(&self) -> &str {
        "mail"
    }

    fn deliver(&mut self, notification: &Notification) -> Result<(), DeliveryError> {
        let message = self
            .message(notification)
            .map_err(|error| DeliveryError::Refused(error.to_string()))?;
        match self.transport.send(&message) {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(DeliveryError::Refused(error.to_string())),
            Err(error) => Err(DeliveryError::Failed(error.to_string())),
        }
    }
}

fn tls(settings: &MailSettings, host: &str) -> Result<Tls, MailError> {
    if settings.tls == MailTls::None {
        return Ok(Tls::None);
    }
    let wrong = |error: lettre::transport::smtp::Error| MailError::Tls(error.to_string());
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(pem) = settings.authorities.pem() {
        parameters = parameters
            .certificate_store(CertificateStore::None)
            .add_root_certificate(Certificate::from_pem(pem).map_err(wrong)?);
    }
    let parameters = parameters.build_rustls().map_err(wrong)?;
    Ok(match settings.tls {
        MailTls::Wrapped => Tls::Wrapper(parameters),
        MailTls::StartTls | MailTls::None => Tls::Required(parameters),
    })
}

fn split(server: &str) -> Option<(&str, u16)> {
    let (host, port) = server.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port.parse().ok().filter(|port| *port != 0)?;
    (!host.is_empty()).then_some((host, port))
}

fn is_this_host(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn parse(text: &str) -> Result<Mailbox, MailError> {
    text.trim()
        .parse()
        .map_err(|error: lettre::address::AddressError| MailError::Address(text.into(), error.to_string()))
}

/// `None` where the text is empty.
fn mailboxes(text: &str) -> Result<Option<Mailboxes>, MailError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let list: Result<Vec<Mailbox>, MailError> = text.split(',').map(parse).collect();
    Ok(Some(Mailboxes::from_iter(list?)))
}

/// The notification's id, with what a Message-ID may hold.
fn message_id(n: &Notification) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '.' };
    format!("{}.{}", n.id.chars().map(plain).collect::<String>(), n.at_ns)
}

fn subject(n: &Notification) -> String {
    let line = format!("[{}] {} {}: {}", n.severity, n.rule, n.scope, n.text);
    line.chars()
        .filter(|c| !c.is_control())
        .take(SUBJECT_CHARS)
        .collect()
}

fn body(n: &Notification) -> String {
    let rows = [
        ("severity", n.severity.to_string()),
        ("rule", n.rule.clone()),
        ("scope", n.scope.clone()),
        ("instrument", n.instrument.clone()),
        ("incident", n.incident.to_string()),
        ("level", n.level.to_string()),
        ("count", n.count.to_string()),
        ("opened", n.opened_at.clone()),
        ("at", n.at.clone()),
    ];
    let mut text = format!("{}\r\n\r\n", n.line());
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("{name:<11}{value}\r\n"));
    }
    text.push_str(&format!(
        "\r\ntradewind alerts ack {} --comment \"...\"\r\n",
        n.incident
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::notification;

    fn settings() -> MailSettings {
        MailSettings {
            server: "mail.example:587".into(),
            tls: MailTls::StartTls,
            login: None,
            from: "Tradewind <alerts@example>".into(),
            to: [
                "desk@example, Risk <risk@example>".into(),
                String::new(),
                "head@example".into(),
            ],
            timeout: Duration::from_secs(1),
            authorities: Authorities::default(),
        }
    }

    #[test]
    fn each_level_has_its_people_and_the_first_stand_in() {
        let channel = MailChannel::new(&settings()).unwrap();
        for (level, to) in [
            (1, "To: desk@example, Risk <risk@example>"),
            (2, "To: desk@example, Risk <risk@example>"),
            (3, "To: head@example"),
        ] {
            let n = Notification {
                level,
                ..notification("7:1")
            };
            let message = String::from_utf8(channel.message(&n).unwrap().formatted()).unwrap();
            assert!(message.lines().any(|line| line == to), "{message}");
        }
    }

    #[test]
    fn what_happened_cannot_write_headers() {
        let n = Notification {
            text: "x\r\nBcc: all@example\r\n\r\nbody".into(),
            scope: "ü".repeat(200),
            ..notification("7:1")
        };
        let message = MailChannel::new(&settings()).unwrap().message(&n).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(!head.to_lowercase().contains("bcc"), "{head}");
    }

    #[test]
    fn the_same_notification_has_the_same_message_id() {
        let channel = MailChannel::new(&settings()).unwrap();
        let id = |n: &Notification| {
            let text = String::from_utf8(channel.message(n).unwrap().formatted()).unwrap();
            text.lines()
                .find(|line| line.starts_with("Message-ID"))
                .unwrap()
                .to_owned()
        };
        assert_eq!(id(&notification("7:1")), id(&notification("7:1")));
        assert_ne!(id(&notification("7:1")), id(&notification("7:2")));
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let with = |change: fn(&mut MailSettings)| {
            let mut settings = settings();
            change(&mut settings);
            MailChannel::new(&settings).err().expect("refused")
        };
        assert!(matches!(
            with(|s| s.server = "mail.example".into()),
            MailError::Server(_)
        ));
        assert!(matches!(
            with(|s| s.server = "mail.example:0".into()),
            MailError::Server(_)
        ));
        assert!(matches!(
            with(|s| s.from = "nobody".into()),
            MailError::Address(..)
        ));
        assert!(matches!(with(|s| s.to[0] = String::new()), MailError::NoReceiver));
        assert!(matches!(
            with(|s| s.to[1] = "a@b,,".into()),
            MailError::Address(..)
        ));
        let in_clear = |s: &mut MailSettings| {
            s.tls = MailTls::None;
            s.login = Some(("u".into(), "p".into()));
        };
        assert!(matches!(with(in_clear), MailError::PasswordInClear));
    }
}
