//! Where two records differ, said so that a person finds the field.

use tradewind_domain::event::{Event, HEAD_LEN};
use tradewind_domain::reject::RejectCode;

/// The first difference of what was decided: outcome, findings, facts, tail. `None` where all is equal byte for byte.
pub(super) fn difference(recorded: &Event, again: &Event) -> Option<String> {
    if recorded.head.kind != again.head.kind {
        return Some(format!(
            "kind {} is recorded, {} comes out",
            recorded.head.kind, again.head.kind
        ));
    }
    if recorded.head.outcome != again.head.outcome {
        let (was, is) = (outcome(recorded), outcome(again));
        return Some(format!("outcome {was} is recorded, {is} comes out"));
    }
    if recorded.head.notes != again.head.notes {
        let (was, is) = (recorded.head.notes, again.head.notes);
        return Some(format!("findings {was:#x} are recorded, {is:#x} come out"));
    }
    if let Some(at) = first_byte(recorded.body_bytes(), again.body_bytes()) {
        return Some(format!(
            "byte {} of the record (byte {at} of the body) differs",
            HEAD_LEN + at
        ));
    }
    first_byte(recorded.tail(), again.tail()).map(|at| format!("byte {at} of the tail differs"))
}

fn outcome(event: &Event) -> &'static str {
    if event.head.outcome == 0 {
        return "OK";
    }
    event
        .reject_code()
        .map_or("of an unknown number", RejectCode::text)
}

fn first_byte(a: &[u8], b: &[u8]) -> Option<usize> {
    let differs = a.iter().zip(b).position(|(a, b)| a != b);
    differs.or_else(|| (a.len() != b.len()).then_some(a.len().min(b.len())))
}

/// `seq/part` of a record.
pub(super) fn place(event: &Event) -> String {
    format!("{}/{}", event.head.seq, event.head.part)
}

/// Keeps the first finding.
#[derive(Default)]
pub(super) struct First(pub(super) Option<String>);

impl First {
    pub(super) fn note(&mut self, finding: impl FnOnce() -> String) {
        if self.0.is_none() {
            self.0 = Some(finding());
        }
    }

    /// Notes that two figures which must be equal are not.
    pub(super) fn equal(&mut self, what: impl FnOnce() -> String, a: (&str, i128), b: (&str, i128)) {
        if a.1 != b.1 {
            self.note(|| format!("{}: {} {}, {} {}", what(), a.0, a.1, b.0, b.1));
        }
    }
}
