//! Answers of the engine in the words of the files: decisions, reasons, lists of failures, figures.

use super::units::{EMERGENCY_LABEL, figure_decimals};
use crate::conformance::compare::REFUSED;
use crate::conformance::decimals::Decimal;
use crate::conformance::known::Known;
use serde_json::{Map, Value, json};
use tradewind_domain::event::{
    Event, Execution, HitKind, Kind, LimitHit, LimitProbe, Verdict, execution_alerts,
};
use tradewind_domain::ids::LimitId;
use tradewind_domain::reject::RejectCode;
use tradewind_risk::limit_check::hits;

/// [`LimitHit::kind`] that reports a limit's floor rather than a finding.
const FLOOR: u8 = 4;

/// A step's answer by key.
pub(crate) type Answer = Map<String, Value>;

/// Which of the two reasons of FIX goes with a refusal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FixReason {
    /// OrdRejReason (103).
    Order,
    /// CxlRejReason (102).
    Cancel,
}

/// Writes a decision, and of a refusal its reasons.
pub(crate) fn decision(got: &mut Answer, event: &Event, fix: FixReason) {
    let mut put = |key: &str, value: Value| got.insert(key.to_owned(), value);
    let Some(code) = event.reject_code() else {
        put("decision", json!("ACCEPT"));
        return;
    };
    put("decision", json!("REJECT"));
    put("reason", json!(code.text()));
    match fix {
        FixReason::Order => put("fix_ord_rej_reason", json!(code.ord_rej_reason())),
        FixReason::Cancel => put("fix_cxl_rej_reason", json!(code.cxl_rej_reason())),
    };
}

/// Writes what the limits said to an order or replace.
pub(crate) fn verdict(got: &mut Answer, event: &Event, verdict: &Verdict, known: &Known) {
    let mut put = |key: &str, value: Value| got.insert(key.to_owned(), value);
    let hits: Vec<LimitHit> = hits(event, verdict.hits).collect();
    if event.is_rejected() {
        if let Some(label) = label(known, verdict.limit) {
            put("limit_id", json!(label));
        }
        put("all", failures(&hits, known));
        return;
    }
    let warnings = labels(&hits, HitKind::Warned as u8, known);
    if !warnings.is_empty() {
        put("warn", json!(warnings));
    }
}

/// The failures, first reported first: by priority, narrow to broad, code, label (LIMITS section 14).
fn failures(hits: &[LimitHit], known: &Known) -> Value {
    let mut failures: Vec<(u8, u8, &'static str, &str)> = hits
        .iter()
        .filter(|hit| hit.kind == HitKind::Refused as u8)
        .filter_map(|hit| {
            let code = RejectCode::from_number(hit.code)?;
            let level = if hit.limit.is_none() { 0 } else { hit.level };
            Some((
                code.priority(),
                level,
                code.text(),
                label(known, hit.limit).unwrap_or_default(),
            ))
        })
        .collect();
    failures.sort_unstable();
    let text = |(_, _, code, label): (u8, u8, &'static str, &str)| match label {
        "" => json!(code),
        label => json!(format!("{code}:{label}")),
    };
    failures.into_iter().map(text).collect()
}

fn labels<'a>(hits: &[LimitHit], kind: u8, known: &'a Known) -> Vec<&'a str> {
    let of_kind = hits.iter().filter(|hit| hit.kind == kind);
    of_kind.filter_map(|hit| label(known, hit.limit)).collect()
}

/// The label of a limit of the file.
fn label(known: &Known, limit: LimitId) -> Option<&str> {
    known.limit(limit).filter(|label| *label != EMERGENCY_LABEL)
}

/// Writes what the limits on equity said to a valuation: its tail holds nothing but their hits.
pub(crate) fn equity(got: &mut Answer, event: &Event, known: &Known) {
    let count = event.tail().len() / size_of::<LimitHit>();
    let hits: Vec<LimitHit> = hits(event, count as u16).collect();
    let floors: Map<String, Value> = hits
        .iter()
        .filter(|hit| hit.kind == FLOOR)
        .filter_map(|hit| Some((label(known, hit.limit)?.to_owned(), figure(hit.hard, 16))))
        .collect();
    let lists = [("warn", HitKind::Warned), ("breach", HitKind::Alerted)];
    for (key, kind) in lists {
        let labels = labels(&hits, kind as u8, known);
        if !labels.is_empty() {
            got.insert(key.to_owned(), json!(labels));
        }
    }
    if !floors.is_empty() {
        got.insert("floor".to_owned(), Value::Object(floors));
    }
}

/// Writes the alert of a fill. A late fill closes nothing, so it is no overfill.
pub(crate) fn fill(got: &mut Answer, event: &Event) {
    let alerts = event.body::<Execution>().alerts;
    let alert = if alerts & execution_alerts::LATE_FILL != 0 {
        "LATE_FILL"
    } else if alerts & execution_alerts::OVERFILL != 0 {
        "OVERFILL"
    } else {
        return;
    };
    got.insert("alert".to_owned(), json!(alert));
}

/// Writes that an input was refused that only has side effects. A repeated or unknown execution is ignored and counted, and the files
/// say nothing of it.
pub(crate) fn side_effect(got: &mut Answer, event: &Event) {
    use RejectCode as R;
    let ignored = [
        R::DuplicateExecId,
        R::OrphanFill,
        R::UnknownTrade,
        R::AlreadyBusted,
    ];
    let code = event.reject_code().filter(|code| !ignored.contains(code));
    if let (Some(code), Some(kind)) = (code, event.kind()) {
        refused(got, kind, code.text());
    }
}

/// Writes a refusal that no file expects.
pub(crate) fn refused(got: &mut Answer, kind: Kind, why: &str) {
    got.insert(REFUSED.to_owned(), json!(format!("{kind}: {why}")));
}

/// What a question about a limit was answered with.
pub(crate) enum Figures {
    /// What is used, and what must not be exceeded.
    Known(Decimal, Decimal),
    /// The engine does not say.
    Refused(String),
}

/// The answer to a question about a limit.
pub(crate) fn figures(event: &Event, known: &Known, label: &str) -> Figures {
    let body: &LimitProbe = event.body();
    if let Some(code) = event.reject_code() {
        return Figures::Refused(code.text().to_owned());
    }
    let decimals = known.limit_type(label).map(figure_decimals);
    let scaled = |raw| decimals.and_then(|decimals| Decimal::scaled(raw, decimals));
    match (scaled(body.used), scaled(body.hard)) {
        (Some(used), Some(hard)) => Figures::Known(used, hard),
        _ => Figures::Refused("a figure does not fit".to_owned()),
    }
}

/// A figure as files write it.
pub(crate) fn figure(raw: i128, decimals: u32) -> Value {
    match Decimal::scaled(raw, decimals) {
        Some(decimal) => json!(decimal),
        None => json!(format!("{raw} at 1e-{decimals}")),
    }
}
