//! The webhook: one POST of JSON a notification, signed where there is a secret.

use super::post::{Authorities, PostError, Poster};
use super::{Channel, DeliveryError};
use crate::notification::Notification;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::time::Duration;

/// Header with the signature: `sha256=` and 64 hexadecimal digits.
pub const SIGNATURE_HEADER: &str = "X-Tradewind-Signature";

/// See the module.
pub struct WebhookChannel {
    poster: Poster,
    secret: Option<Vec<u8>>,
}

impl WebhookChannel {
    /// Posts to `url`; signs with `secret` where there is one.
    pub fn new(
        url: &str,
        secret: Option<Vec<u8>>,
        timeout: Duration,
        authorities: &Authorities,
    ) -> Result<Self, PostError> {
        Ok(Self {
            poster: Poster::new(url, timeout, authorities)?,
            secret,
        })
    }
}

impl Channel for WebhookChannel {
    fn name(&self) -> &str {
        "webhook"
    }

    fn deliver(&mut self, notification: &Notification) -> Result<(), DeliveryError> {
        let body =
            serde_json::to_vec(notification).map_err(|error| DeliveryError::Refused(error.to_string()))?;
        let signature = self.secret.as_ref().map(|secret| signature(secret, &body));
        let mut headers = vec![
            ("Content-Type", "application/json"),
            ("Idempotency-Key", notification.id.as_str()),
        ];
        if let Some(signature) = &signature {
            headers.push((SIGNATURE_HEADER, signature));
        }
        self.poster.post(&headers, &body)
    }
}

/// The signature of a body: `sha256=` and the HMAC-SHA256 in hexadecimal.
pub fn signature(secret: &[u8], body: &[u8]) -> String {
    let mut text = String::from("sha256=");
    // HMAC takes keys of any length, so this never fails; without a key nothing would match.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) {
        mac.update(body);
        for byte in mac.finalize().into_bytes() {
            text.push_str(&format!("{byte:02x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn the_signature_is_that_of_the_standard() {
        assert_eq!(
            signature(b"Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
