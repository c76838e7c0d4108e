//! The channels that the settings ask for, with their secrets read from files.

use crate::log::{Level, Line};
use anyhow::Context;
use std::io::Read;
use std::time::Duration;
use tradewind_alerts::delivery::{
    Authorities, Channel, DeliveryError, MailChannel, MailSettings, MailTls, Template, TemplatedChannel,
    WebhookChannel,
};
use tradewind_alerts::{Notification, Severity};
use tradewind_config::AlertsKeys;

/// The longest file of a secret, an address or certificates that is read, bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// All of them; the log is always there.
pub(super) fn all(keys: &AlertsKeys) -> anyhow::Result<Vec<Box<dyn Channel>>> {
    let authorities = authorities(keys)?;
    let made = [
        Some(Box::new(LogChannel) as Box<dyn Channel>),
        webhook(keys, &authorities)?,
        chat(keys, &authorities)?,
        sms(keys, &authorities)?,
        mail(keys, &authorities)?,
    ];
    Ok(made.into_iter().flatten().collect())
}

/// What of the settings makes no channel.
pub(super) fn problems(keys: &AlertsKeys) -> Vec<anyhow::Error> {
    let authorities = match authorities(keys) {
        Ok(authorities) => authorities,
        Err(error) => return vec![error],
    };
    let make = [webhook, chat, sms, mail];
    make.into_iter()
        .filter_map(|make| make(keys, &authorities).err())
        .collect()
}

fn authorities(keys: &AlertsKeys) -> anyhow::Result<Authorities> {
    match &*keys.ca_file {
        "" => Ok(Authorities::default()),
        path => Authorities::of_pem(&read("alerts.ca_file", path)?).context("alerts.ca_file"),
    }
}

fn webhook(keys: &AlertsKeys, authorities: &Authorities) -> anyhow::Result<Option<Box<dyn Channel>>> {
    if keys.webhook_url.is_empty() {
        return Ok(None);
    }
    let secret = match &*keys.webhook_secret_file {
        "" => None,
        path => Some(secret("alerts.webhook_secret_file", path)?.into_bytes()),
    };
    let channel = WebhookChannel::new(&keys.webhook_url, secret, timeout(keys), authorities)
        .context("alerts.webhook_url")?;
    Ok(Some(Box::new(channel)))
}

fn chat(keys: &AlertsKeys, authorities: &Authorities) -> anyhow::Result<Option<Box<dyn Channel>>> {
    if keys.chat_url_file.is_empty() {
        return Ok(None);
    }
    let url = secret("alerts.chat_url_file", &keys.chat_url_file)?;
    let body = Template::parse(&keys.chat_body).context("alerts.chat_body")?;
    let channel = TemplatedChannel::new("chat", &url, body, None, timeout(keys), authorities)
        .context("alerts.chat_url_file")?;
    Ok(Some(Box::new(channel)))
}

fn sms(keys: &AlertsKeys, authorities: &Authorities) -> anyhow::Result<Option<Box<dyn Channel>>> {
    if keys.sms_url.is_empty() {
        return Ok(None);
    }
    let authorization = match &*keys.sms_authorization_file {
        "" => None,
        path => Some(secret("alerts.sms_authorization_file", path)?),
    };
    let body = Template::parse(&keys.sms_body).context("alerts.sms_body")?;
    let channel = TemplatedChannel::new(
        "sms",
        &keys.sms_url,
        body,
        authorization,
        timeout(keys),
        authorities,
    )
    .context("alerts.sms_url")?;
    Ok(Some(Box::new(channel)))
}

fn mail(keys: &AlertsKeys, authorities: &Authorities) -> anyhow::Result<Option<Box<dyn Channel>>> {
    if keys.mail_server.is_empty() {
        return Ok(None);
    }
    let login = match &*keys.mail_user {
        "" => None,
        user => {
            let password = secret("alerts.mail_password_file", &keys.mail_password_file)?;
            Some((user.to_owned(), password))
        }
    };
    let channel = MailChannel::new(&MailSettings {
        server: keys.mail_server.clone(),
        tls: match &*keys.mail_tls {
            "none" => MailTls::None,
            "tls" => MailTls::Wrapped,
            _ => MailTls::StartTls, // the settings take nothing else
        },
        login,
        from: keys.mail_from.clone(),
        to: [
            keys.mail_to.clone(),
            keys.mail_to_level2.clone(),
            keys.mail_to_level3.clone(),
        ],
        timeout: timeout(keys),
        authorities: authorities.clone(),
    })
    .context("alerts.mail_*")?;
    Ok(Some(Box::new(channel)))
}

fn timeout(keys: &AlertsKeys) -> Duration {
    Duration::from_millis(u64::from(keys.timeout_ms))
}

fn read(key: &str, path: &str) -> anyhow::Result<Vec<u8>> {
    let unreadable = || format!("{key} {path:?} cannot be read");
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(unreadable)?;
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .with_context(unreadable)?;
    anyhow::ensure!(
        bytes.len() as u64 <= FILE_BYTES_MAX,
        "{key} {path:?} is larger than {FILE_BYTES_MAX} bytes"
    );
    Ok(bytes)
}

/// The first line of a file.
fn secret(key: &str, path: &str) -> anyhow::Result<String> {
    let text = String::from_utf8(read(key, path)?)
        .ok()
        .with_context(|| format!("{key} {path:?} holds no text"))?;
    let line = text.lines().next().unwrap_or_default().trim();
    anyhow::ensure!(!line.is_empty(), "{key} {path:?} is empty");
    anyhow::ensure!(
        !line.chars().any(char::is_control),
        "{key} {path:?} holds control characters"
    );
    Ok(line.to_owned())
}

/// A line of the log for each notification.
struct LogChannel;

impl Channel for LogChannel {
    fn name(&self) -> &str {
        "log"
    }

    fn deliver(&mut self, notification: &Notification) -> Result<(), DeliveryError> {
        let level = match notification.severity {
            Severity::Info => Level::Info,
            Severity::Warning => Level::Warn,
            Severity::Error | Severity::Critical => Level::Error,
        };
        let members = serde_json::to_value(notification).unwrap_or_default(); // text and numbers
        let line = Line::new(level, "alert", notification.line())
            .dated()
            .with("alert", members);
        match line.put() {
            true => Ok(()),
            false => Err(DeliveryError::Failed("the log is full".to_owned())),
        }
    }
}
