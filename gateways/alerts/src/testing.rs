//! What unit tests share.

use crate::notification::{Cause, Notification};
use crate::severity::Severity;

/// A notification with this id; the number before its colon is the incident's.
pub(crate) fn notification(id: &str) -> Notification {
    let digits = id.find(|c: char| !c.is_ascii_digit()).unwrap_or(id.len());
    Notification {
        id: id.into(),
        incident: id[..digits].parse().unwrap_or(0),
        cause: Cause::Opened,
        level: 1,
        severity: Severity::Warning,
        rule: "limit_usage".into(),
        scope: "FIRM/DAY".into(),
        instrument: String::new(),
        text: "81.00 % of the limit is used".into(),
        count: 1,
        opened_at: "2026-03-02T10:00:00.000000000Z".into(),
        at: "2026-03-02T10:00:00.000000000Z".into(),
        at_ns: 1_772_445_600_000_000_000,
        route: "warning".into(),
        muted: false,
    }
}
