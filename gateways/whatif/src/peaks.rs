//! How much of each limit was used at most in the second world: what somebody looks at who sets limits.

use std::collections::BTreeMap;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{Event, Execution, Kind, OrderNew, OrderReplace, OrderView};
use tradewind_domain::ids::LimitId;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::time::UnixNanos;
use tradewind_risk::LimitCheck;
use tradewind_risk::limit_check::Occasion;

/// The moment at which most of a limit was used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peak {
    pub(crate) used: i128,
    pub(crate) hard: i128,
    pub(crate) code: RejectCode,
    pub(crate) at_ns: UnixNanos,
}

impl Peak {
    /// Used part of the limit in percent; infinite where a limit of nothing is used.
    pub(crate) fn percent(&self) -> f64 {
        match (self.used, self.hard) {
            (0, _) => 0.0,
            (_, hard) if hard <= 0 => f64::INFINITY,
            (used, hard) => used as f64 / hard as f64 * 100.0,
        }
    }
}

#[derive(Default)]
pub(crate) struct Peaks {
    /// By limit and the code that it refuses with: buying power speaks of cash and of what there is to sell.
    rows: BTreeMap<(LimitId, u16), Peak>,
}

impl Peaks {
    /// Takes an event that the second world has just processed.
    pub(crate) fn see(&mut self, event: &Event, limit: &LimitCheck) {
        let Some(occasion) = occasion(event, limit) else {
            return;
        };
        limit.uses(&occasion, |id, measure| {
            let now = Peak {
                used: measure.used,
                hard: measure.limit,
                code: measure.code,
                at_ns: event.head.recv_ns,
            };
            let row = self.rows.entry((id, measure.code as u16)).or_insert(now);
            if now.percent() > row.percent() {
                *row = now;
            }
        });
    }

    /// The peaks of a limit: none where it was never met, one for each code.
    pub(crate) fn of(&self, id: LimitId) -> impl Iterator<Item = &Peak> {
        self.rows.range((id, 0)..=(id, u16::MAX)).map(|(_, peak)| peak)
    }
}

/// What took effect, if the event is about an order or execution and did.
fn occasion(event: &Event, limit: &LimitCheck) -> Option<Occasion> {
    let kind = event.kind().filter(|_| !event.is_rejected())?;
    let is_buy = |side: u8| Side::from_code(side).is_some_and(Side::is_buy);
    let value = |view: &OrderView, qty: i64| i128::from(qty) * i128::from(view.unit);
    let now_ns = event.head.recv_ns;
    Some(match kind {
        Kind::OrderNew => {
            let body: &OrderNew = event.body();
            Occasion {
                leaf: body.leaf,
                instrument: body.instrument,
                wallet: body.view.wallet,
                is_buy: is_buy(body.side),
                qty: body.qty,
                order_value: value(&body.view, body.qty),
                now_ns,
            }
        }
        Kind::OrderReplace => {
            let body: &OrderReplace = event.body();
            Occasion {
                leaf: body.leaf,
                instrument: body.instrument,
                wallet: body.view.wallet,
                is_buy: limit.order(body.view.order_id)?.order_side().is_buy(),
                qty: body.qty,
                order_value: value(&body.view, body.qty),
                now_ns,
            }
        }
        Kind::VenueFill | Kind::TradeCapture => {
            let body: &Execution = event.body();
            Occasion {
                leaf: body.leaf,
                instrument: body.instrument,
                wallet: body.wallet,
                is_buy: is_buy(body.side),
                qty: 0,
                order_value: 0,
                now_ns,
            }
        }
        _ => return None,
    })
}
