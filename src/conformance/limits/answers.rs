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
        .filter(|hit| hit.kind == HitKind::Floor as u8)
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

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;
    use tradewind_domain::codes::{Level, LimitType};
    use tradewind_domain::event::{LimitSet, OrderNew, Valuation};
    use tradewind_domain::text::Text;

    /// Limits `a`, `b` and the emergency limits, with ids 0, 1 and 2.
    fn known() -> Known {
        let mut known = Known::default();
        for (at, label) in ["a", "b", EMERGENCY_LABEL].into_iter().enumerate() {
            let mut event = Event::empty();
            event.reset(Kind::LimitSet);
            *event.body_mut() = LimitSet {
                label: Text::new(label).unwrap(),
                limit: LimitId(at as u32),
                limit_type: LimitType::MaxOrderNotional as u8,
                ..LimitSet::zeroed()
            };
            known.observe(&event);
        }
        known
    }

    fn hit(kind: u8, limit: LimitId, code: RejectCode, level: Level) -> LimitHit {
        LimitHit {
            hard: 5_000_000_000_000_000,
            limit,
            code: code as u16,
            kind,
            level: level as u8,
            ..LimitHit::zeroed()
        }
    }

    fn event_with(kind: Kind, hits: &[LimitHit]) -> Event {
        let mut event = Event::empty();
        event.reset(kind);
        event.set_tail(bytemuck::cast_slice(hits));
        event
    }

    #[test]
    fn failures_stand_by_priority_then_narrow_to_broad_then_code_then_label() {
        use RejectCode as R;
        let refused = HitKind::Refused as u8;
        let hits = [
            hit(refused, LimitId(1), R::MaxOrderNotional, Level::Account),
            hit(refused, LimitId(0), R::MaxOrderNotional, Level::Account),
            hit(refused, LimitId(1), R::MaxOrderNotional, Level::Strategy),
            hit(refused, LimitId::NONE, R::TradingHalted, Level::Firm),
            hit(refused, LimitId(2), R::EmergencySingleLimit, Level::User),
            hit(HitKind::Warned as u8, LimitId(0), R::MaxOrderQty, Level::Account),
        ];
        let mut event = event_with(Kind::OrderNew, &hits);
        event.reject(R::TradingHalted);
        let mut got = Answer::new();
        let said = Verdict {
            hits: 6,
            ..Verdict::default()
        };
        verdict(&mut got, &event, &said, &known());
        let all = json!([
            "TRADING_HALTED",
            "EMERGENCY_SINGLE_LIMIT",
            "MAX_ORDER_NOTIONAL:b",
            "MAX_ORDER_NOTIONAL:a",
            "MAX_ORDER_NOTIONAL:b",
        ]);
        assert_eq!(got["all"], all);
        assert!(!got.contains_key("limit_id") && !got.contains_key("warn"));
    }

    #[test]
    fn a_limit_that_only_warned_is_named_where_the_order_was_taken() {
        let hits = [hit(
            HitKind::Warned as u8,
            LimitId(1),
            RejectCode::MaxOrderNotional,
            Level::Account,
        )];
        let event = event_with(Kind::OrderNew, &hits);
        let (mut got, said) = (
            Answer::new(),
            Verdict {
                hits: 1,
                ..Verdict::default()
            },
        );
        verdict(&mut got, &event, &said, &known());
        assert_eq!(Value::Object(got), json!({"warn": ["b"]}));
    }

    #[test]
    fn a_refusal_has_the_reason_of_its_message() {
        let mut event = event_with(Kind::OrderNew, &[]);
        *event.body_mut() = OrderNew::zeroed();
        event.reject(RejectCode::TooLateToCancel);
        let (mut order, mut cancel) = (Answer::new(), Answer::new());
        decision(&mut order, &event, FixReason::Order);
        decision(&mut cancel, &event, FixReason::Cancel);
        assert_eq!(order["fix_ord_rej_reason"], json!(99));
        assert_eq!(cancel["fix_cxl_rej_reason"], json!(0));
        assert_eq!(
            (&order["decision"], &order["reason"]),
            (&json!("REJECT"), &json!("TOO_LATE_TO_CANCEL"))
        );
    }

    #[test]
    fn a_valuation_tells_floors_warnings_and_breaches_apart() {
        let hits = [
            hit(
                HitKind::Floor as u8,
                LimitId(0),
                RejectCode::MaxOrderQty,
                Level::Account,
            ),
            hit(
                HitKind::Floor as u8,
                LimitId(1),
                RejectCode::MaxOrderQty,
                Level::Account,
            ),
            hit(
                HitKind::Alerted as u8,
                LimitId(1),
                RejectCode::MaxOrderQty,
                Level::Account,
            ),
        ];
        let mut event = event_with(Kind::Valuation, &hits);
        *event.body_mut() = Valuation::zeroed();
        let mut got = Answer::new();
        equity(&mut got, &event, &known());
        let expected = json!({"floor": {"a": "0.5", "b": "0.5"}, "breach": ["b"]});
        assert_eq!(Value::Object(got), expected);
    }

    #[test]
    fn an_execution_that_is_ignored_is_no_failure_and_any_other_refusal_is() {
        for (code, fails) in [
            (RejectCode::DuplicateExecId, false),
            (RejectCode::InvalidQty, true),
        ] {
            let mut event = event_with(Kind::VenueFill, &[]);
            event.reject(code);
            let mut got = Answer::new();
            side_effect(&mut got, &event);
            assert_eq!(got.contains_key(REFUSED), fails, "{code}");
        }
    }
}
