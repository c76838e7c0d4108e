//! Delivery: how notifications leave. A channel delivers one; a courier runs a channel on a thread of its own with retry,
//! circuit breaker and bounded queue; the outbox decides what goes where, once.

mod breaker;
mod courier;
mod dead_letters;
mod mail;
mod mailbox;
mod outbox;
mod post;
mod rate_cap;
mod sent;
mod template;
mod templated;
mod webhook;

pub use courier::{Courier, QUEUE_MAX};
pub use dead_letters::{DEAD_LETTER_BYTES_MAX, DEAD_LETTERS_FILE};
pub use mail::{MailChannel, MailError, MailSettings, MailTls};
pub use mailbox::{ATTEMPTS_MAX, GIVE_UP_NS, Mailbox, Outcome, RETRY_DELAYS_NS};
pub use outbox::{Outbox, OutboxSettings, Undelivered};
pub use post::{Authorities, PostError};
pub use sent::SENT_FILE;
pub use template::{SHORT_CHARS, Template, TemplateError};
pub use templated::TemplatedChannel;
pub use webhook::{SIGNATURE_HEADER, WebhookChannel, signature};

use crate::notification::Notification;

/// Somewhere notifications go.
pub trait Channel: Send {
    /// Its name in routes.
    fn name(&self) -> &str;

    /// Delivers one notification. May block up to a time of its own; a courier's thread waits for it and nobody else.
    fn deliver(&mut self, notification: &Notification) -> Result<(), DeliveryError>;
}

/// Why a notification was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// It may be taken later.
    #[error("not delivered: {0}")]
    Failed(String),
    /// It will never be taken.
    #[error("refused: {0}")]
    Refused(String),
}
