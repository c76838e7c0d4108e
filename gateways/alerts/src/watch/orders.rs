//! What limits said of orders and executions, and the alerts that executions carry.

use super::{Watch, breach_severity};
use crate::fact::{Fact, Metric, Subject};
use crate::severity::Severity;
use tradewind_domain::event::{
    CorporateAction, DatedSettlement, Event, Execution, HitKind, HolderAction, Kind, LimitHit, LimitProbe,
    LimitSet, OrderCancel, OrderNew, OrderReplace, SettlementFail, TradeBust, execution_alerts,
};
use tradewind_domain::ids::{InstrumentId, NodeId};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::time::Date;
use tradewind_risk::limit_check::hits;
use tradewind_views::hit_count;

/// Hundredths of a percent in a whole.
const WHOLE: i128 = 10_000;

impl Watch {
    /// An order that was decided: what limits said, and its share in the reject rate.
    pub(super) fn on_order(&mut self, event: &Event, kind: Kind, out: &mut Vec<Fact>) {
        if kind == Kind::OrderNew {
            self.rate.on_order(event.head.recv_ns, event.is_rejected());
        }
        let hits = hit_count(event);
        if hits == 0 {
            return;
        }
        let (instrument, who) = match kind {
            Kind::OrderReplace => {
                let body: &OrderReplace = event.body();
                (body.instrument, body.cl_ord_id)
            }
            Kind::OrderCancel => {
                let body: &OrderCancel = event.body();
                (body.instrument, body.cl_ord_id)
            }
            _ => {
                let body: &OrderNew = event.body();
                (body.instrument, body.cl_ord_id)
            }
        };
        self.on_hits(event, hits, instrument, &format_args!("order {who}"), out);
    }

    /// Limits that spoke about an order or an execution.
    fn on_hits(
        &mut self,
        event: &Event,
        count: u16,
        instrument: InstrumentId,
        what: &dyn std::fmt::Display,
        out: &mut Vec<Fact>,
    ) {
        // What no limit found (an unknown symbol, say) is in the reject rate.
        for hit in hits(event, count).filter(|hit| !hit.limit.is_none()) {
            let (subject, by_instrument, worse) = self.limit_of(&hit, instrument);
            let code = RejectCode::from_number(hit.code).map_or("?", RejectCode::text);
            let use_bp = usage(hit.used, hit.hard);
            if hit.kind == HitKind::Refused as u8 {
                let text = format!("{what} refused: {code}");
                out.push(happened(Metric::LimitReject, subject, None, text));
                continue;
            }
            let is_breach = hit.kind == HitKind::Alerted as u8;
            self.used.insert((hit.limit.0, by_instrument.0));
            out.push(Fact::Level {
                metric: Metric::LimitUsage,
                subject: subject.clone(),
                value: use_bp,
                at_least: (!is_breach).then_some(Severity::Warning),
                text: format!("{what}: {} of the limit is used", percent(use_bp)),
            });
            if is_breach {
                let text = format!("{what} breaks it: {code}, {} is used", percent(use_bp));
                out.push(happened(Metric::LimitBreach, subject, worse, text));
            }
        }
    }

    /// A hit's limit: whom it is about, its instrument where it applies to each alone, how bad a breach of it is.
    fn limit_of(
        &self,
        hit: &LimitHit,
        instrument: InstrumentId,
    ) -> (Subject, InstrumentId, Option<Severity>) {
        let Some(limit) = self.names.limit(hit.limit.0) else {
            return (self.names.unknown_limit(hit.limit), InstrumentId::NONE, None);
        };
        let instrument = if limit.by_instrument {
            instrument
        } else {
            InstrumentId::NONE
        };
        let subject = self.names.limit_subject(limit, instrument.0);
        (
            subject,
            instrument,
            breach_severity(limit.limit_type, limit.action),
        )
    }

    /// A trade that did not settle on its date.
    pub(super) fn on_fail(&mut self, body: &SettlementFail, out: &mut Vec<Fact>) {
        let subject = self.names.node_subject(body.leaf, body.instrument);
        self.failed.remove(&(body.holding, body.settle_date_before));
        self.failed
            .insert((body.holding, body.settle_date), subject.clone());
        out.push(Fact::Level {
            metric: Metric::SettlementFail,
            subject,
            value: i64::from(body.age_days),
            at_least: None,
            text: format!(
                "trade {} was to settle on {} and is to settle on {}",
                body.exec_id,
                Date(body.failed_from),
                Date(body.settle_date)
            ),
        });
    }

    /// A settlement that overdraws, or that ends a fail.
    pub(super) fn on_settlement(&mut self, body: &DatedSettlement, out: &mut Vec<Fact>) {
        if let Some(subject) = self.failed.remove(&(body.holding, body.settle_date)) {
            out.push(Fact::Level {
                metric: Metric::SettlementFail,
                subject,
                value: 0,
                at_least: None,
                text: "what had failed has settled".into(),
            });
        }
        if body.alerts & execution_alerts::OVERDRAFT != 0 {
            let subject = self.names.node_subject(body.leaf, body.instrument);
            let text = format!(
                "the settlement of {} for {} trades overdraws the cash account",
                Date(body.settle_date),
                body.trades
            );
            out.push(happened(Metric::Overdraft, subject, None, text));
        }
    }

    /// Alerts that the limit check wrote on a booked execution.
    pub(super) fn on_execution_alerts(&mut self, event: &Event, out: &mut Vec<Fact>) {
        let body: &Execution = event.body();
        if body.alerts == 0 {
            return;
        }
        let subject = self.names.node_subject(body.leaf, body.instrument);
        let marks = [
            (
                execution_alerts::LATE_FILL,
                Metric::LateFill,
                "fills an order that was closed",
            ),
            (
                execution_alerts::OVERFILL,
                Metric::Overfill,
                "fills more than was open",
            ),
            (
                execution_alerts::OVERDRAFT,
                Metric::Overdraft,
                "overdraws the cash account",
            ),
            (
                execution_alerts::TAKING_BACK_WAITS,
                Metric::Quarantined,
                "is booked: a bust or correction came before it, and is booked with it or waits in quarantine",
            ),
            (
                execution_alerts::SETTLED_EARLY,
                Metric::Capacity,
                "settled at once: there is no room for its settlement date (capacity.unsettled)",
            ),
        ];
        for (bit, metric, what) in marks.into_iter().filter(|(bit, _, _)| body.alerts & bit != 0) {
            debug_assert!(bit != execution_alerts::BREACH);
            let text = format!("execution {} of order {} {what}", body.exec_id, body.order_id);
            out.push(happened(metric, subject.clone(), None, text));
        }
        let count = hit_count(event);
        self.on_hits(
            event,
            count,
            body.instrument,
            &format_args!("execution {}", body.exec_id),
            out,
        );
    }

    /// A bust or correction that was booked: what it leaves may be overdrawn, or beyond a limit.
    pub(super) fn on_taking_back_alerts(&mut self, event: &Event, out: &mut Vec<Fact>) {
        let Some(taken) = event.taken_back() else { return };
        let (what, exec_id, alerts) = if event.kind() == Some(Kind::TradeBust) {
            let bust: &TradeBust = event.body();
            ("bust", bust.exec_ref_id, bust.alerts)
        } else {
            let new: &Execution = event.body();
            ("correction", new.exec_id, new.alerts)
        };
        if alerts & execution_alerts::OVERDRAFT != 0 {
            let subject = self.names.node_subject(taken.leaf, taken.instrument);
            let text = format!("the {what} of execution {exec_id} overdraws the cash account");
            out.push(happened(Metric::Overdraft, subject, None, text));
        }
        let what = format!("the {what} of execution {exec_id}");
        self.on_hits(event, hit_count(event), taken.instrument, &what, out);
    }

    /// A holder's part of a corporate action that overdraws.
    pub(super) fn on_holder(&mut self, event: &Event, kind: Kind, out: &mut Vec<Fact>) {
        let (node, instrument, alerts) = if matches!(kind, Kind::HolderSplit | Kind::HolderDividend) {
            let body: &CorporateAction = event.body();
            (body.node, body.instrument, body.alerts)
        } else {
            let body: &HolderAction = event.body();
            (body.node, body.instrument, body.alerts)
        };
        if alerts & execution_alerts::OVERDRAFT != 0 {
            let subject = self.names.node_subject(node, instrument);
            let text = format!("a {kind} overdraws the cash account");
            out.push(happened(Metric::Overdraft, subject, None, text));
        }
    }

    /// A limit that was taken away is not used any more.
    pub(super) fn on_limit_set(&mut self, event: &Event, out: &mut Vec<Fact>) {
        let set: &LimitSet = event.body();
        if set.removed == 0 {
            return;
        }
        let names = &self.names;
        let Some(limit) = names.limit(set.limit.0) else {
            return;
        };
        let mut cleared = Vec::new();
        self.used.retain(|&(id, instrument)| {
            if id == set.limit.0 {
                cleared.push(instrument);
            }
            id != set.limit.0
        });
        for instrument in cleared {
            out.push(Fact::Level {
                metric: Metric::LimitUsage,
                subject: names.limit_subject(limit, instrument),
                value: 0,
                at_least: None,
                text: "the limit was removed".into(),
            });
        }
    }

    /// The answer to a question about a limit is a figure of its use, where the question was not about an order.
    pub(super) fn on_limit_probe(&mut self, probe: &LimitProbe, out: &mut Vec<Fact>) {
        let Some(limit) = self.names.limit(probe.limit.0) else {
            return;
        };
        let of_its_node = probe.leaf.is_none() || probe.leaf == limit.node || limit.node == NodeId::NONE;
        if probe.qty != 0 || !of_its_node || (limit.by_instrument && probe.instrument.is_none()) {
            return;
        }
        let instrument = if limit.by_instrument {
            probe.instrument
        } else {
            InstrumentId::NONE
        };
        let use_bp = usage(probe.used, probe.hard);
        if use_bp > 0 {
            self.used.insert((probe.limit.0, instrument.0));
        }
        out.push(Fact::Level {
            metric: Metric::LimitUsage,
            subject: self.names.limit_subject(limit, instrument.0),
            value: use_bp,
            at_least: None,
            text: format!("{} of the limit is used", percent(use_bp)),
        });
    }
}

fn happened(metric: Metric, subject: Subject, severity: Option<Severity>, text: String) -> Fact {
    Fact::Event {
        metric,
        subject,
        severity,
        text,
    }
}

/// Use in hundredths of a percent, rounded down. Anything of a limit of nothing is all of it.
fn usage(used: i128, hard: i128) -> i64 {
    if used <= 0 {
        return 0;
    }
    if hard <= 0 {
        return WHOLE as i64;
    }
    let share = match used.checked_mul(WHOLE) {
        Some(scaled) => scaled / hard,
        None => used / (hard / WHOLE).max(1),
    };
    i64::try_from(share).unwrap_or(i64::MAX)
}

fn percent(basis_points: i64) -> String {
    format!("{}.{:02} %", basis_points / 100, basis_points % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_is_rounded_down_and_overflows_nothing() {
        for (used, hard, expected) in [
            (81, 100, 8_100),
            (79_999, 100_000, 7_999),
            (1, 0, 10_000),
            (-5, 10, 0),
            (i128::MAX, 1, i64::MAX),
            (i128::MAX / 2, i128::MAX, 4_999),
        ] {
            let found = usage(used, hard);
            assert!((found - expected).abs() <= 1, "{used} of {hard}: {found}");
        }
        assert_eq!(percent(8_105), "81.05 %");
    }
}
