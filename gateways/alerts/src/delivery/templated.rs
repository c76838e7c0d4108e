//! Chats and text messages: a POST of a body that the receiver's operator has given a form.

use super::post::{Authorities, PostError, Poster};
use super::template::Template;
use super::{Channel, DeliveryError};
use crate::notification::Notification;
use std::time::Duration;

/// See the module.
pub struct TemplatedChannel {
    name: &'static str,
    poster: Poster,
    body: Template,
    authorization: Option<String>,
}

impl TemplatedChannel {
    /// Posts `body` to `url` under the name that routes know, with a header Authorization where there is a value for it.
    pub fn new(
        name: &'static str,
        url: &str,
        body: Template,
        authorization: Option<String>,
        timeout: Duration,
        authorities: &Authorities,
    ) -> Result<Self, PostError> {
        Ok(Self {
            name,
            poster: Poster::new(url, timeout, authorities)?,
            body,
            authorization,
        })
    }
}

impl Channel for TemplatedChannel {
    fn name(&self) -> &str {
        self.name
    }

    fn deliver(&mut self, notification: &Notification) -> Result<(), DeliveryError> {
        let mut headers = vec![
            ("Content-Type", self.body.content_type()),
            ("Idempotency-Key", notification.id.as_str()),
        ];
        if let Some(value) = &self.authorization {
            headers.push(("Authorization", value));
        }
        self.poster
            .post(&headers, self.body.fill(notification).as_bytes())
    }
}
