//! FLATTEN: the positions below a killed node are closed at the market, on the word of a person (LIMITS section 7).
//!
//! Each holding with a position becomes one market order in the command's group, of the account itself, or of the strategy
//! where a strategy is flattened. Such an order is asked only whether it can be priced, has room, and would trade against an order of ours: the node
//! is killed, and its limits are no reason to keep what it must be rid of. What cannot go out is recorded as refused, with its
//! reason.
//!
//! # Invariants
//! - Nothing is closed twice: a node with an open order below it, the orders of a FLATTEN included, is not flattened.
//! - Only the engine can make such an order: it is a part of a group, and what comes from a wire is none.
//!
//! Deliberately absent: ever doing this by itself (LIMITS section 7), and orders at a price.

use super::book::Book;
use super::findings::Findings;
use crate::hierarchy::{Chain, NIL};
use crate::limits::{Ask, Priced};
use bytemuck::Zeroable;
use tradewind_domain::codes::{ControlState, Level, OrderType, Side, TimeInForce};
use tradewind_domain::event::{Control, Event, Kind, OrderNew};
use tradewind_domain::ids::{NodeId, Seq, SessionId};
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::text::ClOrdId;
use tradewind_domain::time::UnixNanos;

/// Where the closing of positions stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closing {
    /// The node that is flattened.
    target: NodeId,
    /// The node whose pairs are looked at, and the next of them; [`NIL`] behind the last.
    node: NodeId,
    pair: u32,
    /// Number and time of the command, and its parts so far.
    seq: Seq,
    now_ns: UnixNanos,
    part: u32,
}

impl Closing {
    /// Before the first position.
    pub(super) fn begin(event: &Event, book: &Book) -> Self {
        let target = event.body::<Control>().node;
        Self {
            target,
            node: NodeId(0),
            pair: book.pairs_to_close(NodeId(0), target),
            seq: event.head.seq,
            now_ns: event.head.recv_ns,
            part: event.head.part,
        }
    }

    /// Looks at one more pair or node, and writes the order that closes its position. `None` at the end; `Some(false)` where
    /// there was nothing to close.
    pub(super) fn next(&mut self, book: &Book, findings: &mut Findings, out: &mut Event) -> Option<bool> {
        if let Some(row) = book.hierarchy.pair(self.pair) {
            let pair = std::mem::replace(&mut self.pair, row.next_of_node);
            if row.flow.position == 0 {
                return Some(false);
            }
            self.part += 1;
            return Some(book.write_closing(pair, self, findings, out));
        }
        self.node = NodeId(self.node.0 + 1);
        self.pair = book.pairs_to_close(self.node, self.target);
        (self.node.0 < book.hierarchy.nodes_used()).then_some(false)
    }

    /// Moves behind an order that was recorded.
    pub(super) fn pass(&mut self, event: &Event, book: &Book) {
        let order: &OrderNew = event.body();
        let pair = book.hierarchy.find_pair(order.leaf, order.instrument);
        self.node = order.leaf;
        self.pair = book.hierarchy.pair(pair).map_or(NIL, |row| row.next_of_node);
        self.part = event.head.part;
    }
}

impl Book {
    /// Decides whether a node may be flattened: it is killed, and nothing is open below it.
    pub(super) fn decide_flatten(&self, event: &mut Event) {
        let control: Control = *event.body();
        let state = self.node_state(control.node);
        let others = [
            !control.instrument.is_none(),
            !control.session.is_none(),
            !control.venue.is_none(),
        ];
        let code = Note::first(event.head.notes).or(match self.hierarchy.node(control.node) {
            _ if others.contains(&true) || control.author.is_empty() => Some(RejectCode::InvalidValue),
            None => Some(RejectCode::UnknownNode),
            Some(_) if state != ControlState::Kill as u8 => Some(RejectCode::NotKilled),
            Some(node) if node.flow.open_count != 0 => Some(RejectCode::OpenOrders),
            Some(_) => None,
        });
        if let Some(code) = code {
            event.reject(code);
        }
        let body: &mut Control = event.body_mut();
        (body.state_before, body.state_after) = (state, state);
    }

    /// The most severe state of a node and all above it.
    fn node_state(&self, node: NodeId) -> u8 {
        let chain = self
            .hierarchy
            .chain_from(node, NIL, tradewind_domain::ids::InstrumentId::NONE);
        let states = chain.levels().filter_map(|(node, _)| self.hierarchy.node(node));
        states
            .map(crate::hierarchy::NodeRow::control_state)
            .max()
            .unwrap_or(0)
    }

    /// The first pair of a node whose positions are closed with a target: of accounts below it, or the strategy itself.
    fn pairs_to_close(&self, node: NodeId, target: NodeId) -> u32 {
        let Some(row) = self.hierarchy.node(node) else {
            return NIL;
        };
        let is_account = row.level == Level::Account as u8 && self.hierarchy.is_within(node, target);
        let is_strategy = node == target && row.level == Level::Strategy as u8;
        if is_account || is_strategy {
            row.first_pair
        } else {
            NIL
        }
    }

    /// Writes and decides the order that closes a pair's position. False for an instrument that is not known.
    fn write_closing(&self, pair: u32, closing: &Closing, findings: &mut Findings, out: &mut Event) -> bool {
        let Some(row) = self.hierarchy.pair(pair) else {
            return false;
        };
        let (Some(node), Some(instrument)) = (
            self.hierarchy.node(row.node),
            self.market.instrument(row.instrument),
        ) else {
            return false;
        };
        let side = if row.flow.position > 0 {
            Side::Sell
        } else {
            Side::Buy
        };
        out.reset(Kind::OrderNew);
        (out.head.seq, out.head.part) = (closing.seq, closing.part);
        out.head.recv_ns = closing.now_ns;
        *out.body_mut() = OrderNew {
            cl_ord_id: name_of(closing.seq, closing.part),
            qty: i64::try_from(row.flow.position.unsigned_abs()).unwrap_or(i64::MAX),
            session: SessionId::NONE,
            side: side as u8,
            ord_type: OrderType::Market as u8,
            tif: TimeInForce::Day as u8,
            qty_dp: 8,
            px_dp: 8,
            leaf: row.node,
            account: node.account,
            instrument: row.instrument,
            currency: instrument.currency,
            calendar: instrument.calendar,
            ..OrderNew::zeroed()
        };
        self.decide_new(out, findings);
        true
    }

    /// All that is asked about an order of a FLATTEN; true where it has a price.
    pub(super) fn check_closing(
        &self,
        ask: &Ask,
        chain: &Chain,
        priced: &mut Priced,
        findings: &mut Findings,
    ) -> bool {
        if self.meets_own_order(ask, chain) {
            findings.refuse(RejectCode::SelfTrade);
        }
        let result = match self.market.instrument(ask.instrument) {
            Some(instrument) => self.price(ask, chain, instrument, priced),
            None => Err(RejectCode::UnknownSymbol),
        };
        result.map_err(|code| findings.refuse(code)).is_ok()
    }
}

/// `FLATTEN-<seq>-<part>`.
fn name_of(seq: Seq, part: u32) -> ClOrdId {
    let mut bytes = [0; 40];
    let mut at = bytes.len();
    let mut put = |text: &[u8]| {
        at -= text.len();
        bytes[at..at + text.len()].copy_from_slice(text);
    };
    for number in [u64::from(part), seq] {
        let mut rest = number;
        loop {
            put(&[b'0' + (rest % 10) as u8]);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        put(b"-");
    }
    // 20 and 10 digits at most, two dashes and the word: 39 bytes.
    put(b"FLATTEN");
    ClOrdId::lossy(&bytes[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_named_by_command_and_part() {
        assert_eq!(name_of(17, 3).as_str(), "FLATTEN-17-3");
        let longest = name_of(u64::MAX, u32::MAX);
        assert_eq!(longest.as_str(), "FLATTEN-18446744073709551615-4294967295");
    }
}
