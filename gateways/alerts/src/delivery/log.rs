//! The log: one line a notification, to whatever writes lines.

use super::{Channel, DeliveryError};
use crate::notification::Notification;
use std::io::Write;

/// See the module.
pub struct LogChannel<W> {
    out: W,
}

impl<W: Write + Send> LogChannel<W> {
    /// Writes to `out`, one line with its end at a time.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write + Send> Channel for LogChannel<W> {
    fn name(&self) -> &str {
        "log"
    }

    fn deliver(&mut self, notification: &Notification) -> Result<(), DeliveryError> {
        let line = format!("{} {}\n", notification.at, notification.line());
        let written = self.out.write_all(line.as_bytes());
        written
            .and_then(|()| self.out.flush())
            .map_err(|error| DeliveryError::Failed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::notification;

    #[test]
    fn a_line_says_which_incident_how_bad_and_what() {
        let mut out = Vec::new();
        LogChannel::new(&mut out).deliver(&notification("7:1")).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.ends_with(
                "alert 7 WARNING level 1 opened: limit_usage FIRM/DAY: 81.00 % of the limit is used\n"
            ),
            "{text}"
        );
    }
}
