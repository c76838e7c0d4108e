//! At most so many notifications a minute on a route; the rest are counted and told in one.

use crate::notification::{Cause, Notification};
use crate::severity::Severity;
use std::collections::VecDeque;
use tradewind_domain::time::{NANOS_PER_SEC, Rfc3339, UnixNanos};

/// Nanoseconds over which they are counted.
const WINDOW_NS: u64 = 60 * NANOS_PER_SEC;

/// One route's cap.
#[derive(Debug)]
pub(super) struct RateCap {
    per_minute: usize,
    sent: VecDeque<UnixNanos>,
    /// Held back, by severity.
    held: [u64; Severity::ALL.len()],
}

impl RateCap {
    pub(super) fn new(per_minute: u32) -> Self {
        Self {
            per_minute: (per_minute as usize).max(1),
            sent: VecDeque::new(),
            held: [0; Severity::ALL.len()],
        }
    }

    /// True where one more may go; else it is counted. While some are held back everything is, so that the sum comes first.
    pub(super) fn admit(&mut self, severity: Severity, now_ns: UnixNanos) -> bool {
        if self.held_count() == 0 && self.has_room(now_ns) {
            self.sent.push_back(now_ns);
            return true;
        }
        self.held[severity as usize - 1] += 1;
        false
    }

    fn has_room(&mut self, now_ns: UnixNanos) -> bool {
        while self
            .sent
            .front()
            .is_some_and(|sent_ns| sent_ns.saturating_add(WINDOW_NS) <= now_ns)
        {
            self.sent.pop_front();
        }
        self.sent.len() < self.per_minute
    }

    fn held_count(&self) -> u64 {
        self.held.iter().sum()
    }

    /// The sum of what was held back, once there is room for it.
    pub(super) fn summary(&mut self, route: &str, now_ns: UnixNanos) -> Option<Notification> {
        if self.held_count() == 0 || !self.has_room(now_ns) {
            return None;
        }
        self.sent.push_back(now_ns);
        let held = std::mem::take(&mut self.held);
        let parts = Severity::ALL
            .iter()
            .rev()
            .zip(held.iter().rev())
            .filter(|(_, count)| **count != 0);
        let text: Vec<String> = parts
            .clone()
            .map(|(severity, count)| format!("{count} {severity}"))
            .collect();
        let worst = parts
            .map(|(severity, _)| *severity)
            .next()
            .unwrap_or(Severity::Info);
        let at = Rfc3339(now_ns).to_string();
        Some(Notification {
            id: format!("summary:{route}:{now_ns}"),
            incident: 0,
            cause: Cause::Summary,
            level: 1,
            severity: worst,
            rule: "rate_cap".into(),
            scope: route.into(),
            instrument: String::new(),
            text: format!(
                "more than a route takes in a minute, not sent one by one: {}",
                text.join(", ")
            ),
            count: held.iter().sum(),
            opened_at: at.clone(),
            at,
            at_ns: now_ns,
            route: route.into(),
            muted: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixty_first_of_a_minute_is_summed_up() {
        let mut cap = RateCap::new(60);
        let admitted = (0..100).filter(|_| cap.admit(Severity::Warning, 0)).count();
        assert_eq!(admitted, 60);
        assert!(!cap.admit(Severity::Error, 59 * NANOS_PER_SEC));
        assert_eq!(cap.summary("error", 59 * NANOS_PER_SEC), None);
        let summary = cap.summary("error", 60 * NANOS_PER_SEC).unwrap();
        assert_eq!((summary.count, summary.severity), (41, Severity::Error));
        assert!(summary.text.ends_with("1 ERROR, 40 WARNING"), "{}", summary.text);
        assert!(cap.admit(Severity::Warning, 60 * NANOS_PER_SEC));
        assert_eq!(cap.summary("error", 200 * NANOS_PER_SEC), None);
    }
}
