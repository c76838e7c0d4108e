//! What the traders of the session learn from the journal: what was filled, and what was refused.
//!
//! A session that runs for hours would else drift from its accounts: sell what it never got, and send into a kill switch.

use crate::flow::{Listing, Trader};
use std::collections::BTreeMap;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{Event, Execution, InstrumentSet, Kind, NodeSet, OrderNew};
use tradewind_domain::ids::{InstrumentId, NodeId};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::time::UnixNanos;

/// Refusals that the next order of the account would meet as well.
const FOR_STATE: [RejectCode; 2] = [RejectCode::TradingHalted, RejectCode::ReduceOnly];

/// Whose records are whose.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    is_begun: bool,
    /// Indices of traders.
    nodes: BTreeMap<NodeId, usize>,
    /// Indices of listings.
    instruments: BTreeMap<InstrumentId, usize>,
}

impl Told {
    /// Takes the next record; `now_ns` is the session's own time.
    pub(crate) fn tell(
        &mut self,
        record: &Event,
        listings: &[Listing],
        traders: &mut [Trader],
        now_ns: UnixNanos,
    ) {
        if !self.is_begun {
            self.is_begun = true;
            traders.iter_mut().for_each(Trader::begin_to_tell);
        }
        match record.kind() {
            Some(Kind::OrderNew) if record.is_rejected() => self.refusal(record, traders, now_ns),
            _ if record.is_rejected() => {}
            Some(Kind::NodeSet | Kind::AccountSet) => {
                let set: &NodeSet = record.body();
                if let Some(at) = traders.iter().position(|trader| trader.code == set.code) {
                    self.nodes.insert(set.node, at);
                }
            }
            Some(Kind::InstrumentSet) => {
                let row = &record.body::<InstrumentSet>().row;
                if let Some(at) = listings
                    .iter()
                    .position(|listing| listing.row.symbol == row.symbol)
                {
                    self.instruments.insert(row.id, at);
                }
            }
            Some(Kind::VenueFill | Kind::TradeCapture) => self.fill(record.body(), listings, traders),
            _ => {}
        }
    }

    fn refusal(&self, record: &Event, traders: &mut [Trader], now_ns: UnixNanos) {
        let body: &OrderNew = record.body();
        let is_for_state = record.reject_code().is_some_and(|code| FOR_STATE.contains(&code));
        // By session: a refused order may name a node that is not its sender's.
        let own = traders.iter_mut().filter(|trader| trader.session == body.session);
        own.for_each(|trader| trader.tell_refusal(body.cl_ord_id, is_for_state, now_ns));
    }

    fn fill(&self, body: &Execution, listings: &[Listing], traders: &mut [Trader]) {
        let trader = self.nodes.get(&body.leaf).and_then(|&at| traders.get_mut(at));
        let (Some(trader), Some(&at)) = (trader, self.instruments.get(&body.instrument)) else {
            return;
        };
        let (Some(listing), Some(side)) = (listings.get(at), Side::from_code(body.side)) else {
            return;
        };
        trader.tell_fill(at, side, body.qty / listing.row.lot.max(1));
    }
}
