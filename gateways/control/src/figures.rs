//! How a running engine does, in one answer: stages, refusals, positions, profit, incidents, checks. For a terminal or a script that
//! looks every second.
//!
//! # Invariants
//! - Nothing is waited for: what is answered is what the replica holds, with the number and time of the last input in it. A replica that
//!   reads a long journal, or has failed, still answers.
//! - The replica's lock is held for [`SLICE`] positions at a time.

use crate::command::FiguresAsk;
use crate::desk::{Answered, Desk, value};
use serde_json::{Value, json};
use tradewind_domain::codes::Level;
use tradewind_domain::ids::HoldingId;
use tradewind_domain::time::Rfc3339;
use tradewind_views::live::Live;
use tradewind_views::query::current::{Decimal, Position, Profit};
use tradewind_views::restrictions;

/// What only the running engine knows: a JSON object with its `environment`, `stages`, `rejects` and `checks`.
pub type Gauges = Box<dyn Fn() -> Value + Send + Sync>;

/// Positions that are listed where nothing else is asked, and at most.
const LISTED: u32 = 50;
const LISTED_MAX: u32 = 1_000;
/// Positions that are read under one hold of the replica's lock.
const SLICE: usize = 1_024;
/// Holdings whose profit is brought up to date before it is read.
const REFRESHED: usize = 4_096;

impl Desk {
    pub(crate) fn figures(&self, ask: &FiguresAsk) -> Answered {
        let live = self.live();
        let (as_of, as_of_ns) = live.last();
        let (base, orders, states, pnl) = live.look(|held| {
            held.refresh(REFRESHED);
            let pnl: Vec<Profit> = held
                .groups()
                .filter_map(|key| held.profit(key))
                .filter(|row| row.group == Level::Firm.text())
                .collect();
            let (replica, check) = (held.replica(), held.replica().limit_check());
            let base = replica.registry().base_currency();
            let base = base.map(|row| row.code.to_string()).unwrap_or_default();
            (base, check.open_orders().count(), restrictions(replica), pnl)
        });
        let listed = ask.positions.unwrap_or(LISTED).min(LISTED_MAX) as usize;
        let (exposure, positions) = positions(live, listed);
        let mut answer = json!({
            "build": self.facts().build,
            "epoch": self.facts().epoch,
            "time": Rfc3339(self.clock().now_ns()).to_string(),
            "as_of": as_of,
            "as_of_time": Rfc3339(as_of_ns).to_string(),
            "replica_fault": live.fault(),
            "base_currency": base,
            "open_orders": orders,
            "restrictions": states,
            "pnl": pnl,
            "exposure": exposure,
            "positions": positions,
            "incidents": self.incidents().unwrap_or_default(),
        });
        if let (Some(gauges), Some(answer)) = (self.gauges(), answer.as_object_mut())
            && let Value::Object(known) = gauges()
        {
            answer.extend(known);
        }
        value(answer)
    }
}

/// Sums over open positions in base currency, and the largest of them.
fn positions(live: &Live, listed: usize) -> (Value, Vec<Position>) {
    let holdings: Vec<HoldingId> = live.look(|held| held.holdings().collect());
    let (mut long, mut short, mut unvalued) = (0_i128, 0_i128, 0_u64);
    let mut open: Vec<(u128, HoldingId)> = Vec::new();
    for slice in holdings.chunks(SLICE) {
        live.look(|held| {
            let rows = slice.iter().filter_map(|id| Some((*id, held.position(*id)?)));
            for (id, row) in rows.filter(|(_, row)| row.qty.0 != 0) {
                let value = row.value_base.map(|value| value.0);
                match value {
                    None => unvalued += 1,
                    Some(value) if value >= 0 => long = long.wrapping_add(value),
                    Some(value) => short = short.wrapping_sub(value),
                }
                open.push((value.map_or(u128::MAX, i128::unsigned_abs), id));
            }
        });
    }
    let exposure = json!({
        "open": open.len(), "unvalued": unvalued, "long": Decimal(long), "short": Decimal(short),
    });
    // The largest first; those without a value before them, since nobody knows how large they are.
    open.sort_unstable_by(|a, b| b.cmp(a));
    open.truncate(listed);
    let rows = live.look(|held| open.iter().filter_map(|(_, id)| held.position(*id)).collect());
    (exposure, rows)
}
