//! The messages themselves, made one after another in some tens of nanoseconds each.
//!
//! # Invariants
//! - No allocation after [`Stream::new`].
//! - Every order names the next pair of account and instrument in an order that jumps about, so that no cache line is near
//!   the one before; a pair is bought on one pass and sold on the next.

use super::firm::{self, Firm, QTY_TOO_LARGE, SESSION};
use super::script::{Action, Script, Step};
use bytemuck::Zeroable;
use tradewind_domain::codes::{OrderType, Side, TimeInForce};
use tradewind_domain::event::{
    Execution, Inbound, Kind, LastTrade, OrderCancel, OrderNew, Quote, VenueReport,
};
use tradewind_domain::ids::{OrderId, VenueId};
use tradewind_domain::text::{Symbol, Text};

/// Orders that one block may hold.
const BLOCK_ORDERS_MAX: usize = 256;
/// The venue of all executions and market data.
const VENUE: VenueId = VenueId(1);
/// Decimals of prices, as a wire writes them.
const PX_DP: u8 = 2;

/// An order of the block, for the messages that come after it.
#[derive(Clone, Copy, Default)]
struct Placed {
    id: OrderId,
    qty: i64,
    px: i64,
    side: u8,
}

/// Makes the messages of a run, one at a time.
pub struct Stream<'a> {
    firm: &'a Firm,
    steps: &'a [Step],
    at: usize,
    orders: [Placed; BLOCK_ORDERS_MAX],
    accepted: u64,
    walk: Walk,
    cl_ord_ids: Identifiers,
    exec_ids: Identifiers,
    ticks: u32,
}

impl<'a> Stream<'a> {
    pub(super) fn new(firm: &'a Firm, script: &'a Script, run_tag: u32) -> Self {
        Self {
            firm,
            steps: script.steps(),
            at: 0,
            orders: [Placed::default(); BLOCK_ORDERS_MAX],
            accepted: 0,
            walk: Walk::new(firm.pairs()),
            cl_ord_ids: Identifiers::new(b'C', run_tag),
            exec_ids: Identifiers::new(b'E', run_tag),
            ticks: 0,
        }
    }

    /// The next message, without a time stamp. It never ends: the caller counts.
    #[inline]
    pub fn next_message(&mut self) -> Inbound {
        let Step { action, order } = self.steps[self.at];
        self.at += 1;
        if self.at == self.steps.len() {
            self.at = 0;
        }
        let order = usize::from(order);
        match action {
            Action::New | Action::NewTooLarge | Action::NewUnknown => self.new_order(action, order),
            Action::Fill => self.fill(order, self.orders[order].qty),
            Action::FillHalf | Action::FillRest => self.fill(order, self.orders[order].qty / 2),
            Action::Cancel | Action::CancelLate => self.cancel(order),
            Action::Ack => self.report(Kind::VenueAck, order),
            Action::Cancelled => self.report(Kind::VenueCancelled, order),
            Action::VenueReject => self.report(Kind::VenueReject, order),
            Action::Quote => self.quote(),
            Action::Last => self.last_trade(),
        }
    }

    #[inline]
    fn new_order(&mut self, action: Action, order: usize) -> Inbound {
        let (pair, is_buy) = self.walk.next();
        let (account, instrument) = self.firm.pair(pair);
        let side = if is_buy { Side::Buy } else { Side::Sell };
        let usual = 100 * i64::from(1 + pair % 5);
        let qty = if action == Action::NewTooLarge {
            QTY_TOO_LARGE
        } else {
            usual
        };
        let px = firm::price_cents(instrument);
        if action == Action::New {
            self.accepted += 1;
            let id = OrderId::new(0, self.accepted);
            self.orders[order] = Placed {
                id,
                qty,
                px,
                side: side as u8,
            };
        }
        let body = OrderNew {
            cl_ord_id: self.cl_ord_ids.next(),
            qty,
            px,
            session: SESSION,
            side: side as u8,
            ord_type: OrderType::Limit as u8,
            tif: TimeInForce::Day as u8,
            px_dp: PX_DP,
            ..OrderNew::zeroed()
        };
        let symbol = match action {
            Action::NewUnknown => firm::name(b'X', instrument),
            _ => firm::symbol(instrument),
        };
        Inbound::new(Kind::OrderNew, &body).named(symbol, firm::account(account))
    }

    #[inline]
    fn fill(&mut self, order: usize, qty: i64) -> Inbound {
        let placed = self.orders[order];
        let body = Execution {
            exec_id: self.exec_ids.next(),
            order_id: placed.id,
            qty,
            px: placed.px,
            session: SESSION,
            venue: VENUE,
            side: placed.side,
            px_dp: PX_DP,
            ..Execution::zeroed()
        };
        Inbound::new(Kind::VenueFill, &body)
    }

    fn cancel(&mut self, order: usize) -> Inbound {
        let body = OrderCancel {
            cl_ord_id: self.cl_ord_ids.next(),
            order_id: self.orders[order].id,
            session: SESSION,
            ..OrderCancel::zeroed()
        };
        Inbound::new(Kind::OrderCancel, &body)
    }

    fn report(&mut self, kind: Kind, order: usize) -> Inbound {
        let placed = self.orders[order];
        let body = VenueReport {
            order_id: placed.id,
            venue_order_id: self.exec_ids.next(),
            qty: placed.qty,
            px: placed.px,
            venue: VENUE,
            px_dp: PX_DP,
            side: placed.side,
            session: SESSION,
            ..VenueReport::zeroed()
        };
        Inbound::new(kind, &body)
    }

    /// The instrument whose turn it is, its price, and a wobble of at most three cents.
    #[inline]
    fn tick(&mut self) -> (Symbol, i64, i64) {
        self.ticks = self.ticks.wrapping_add(1);
        let instrument = self.ticks.wrapping_mul(0x9e37_79b1) % self.firm.instruments();
        let wobble = i64::from(self.ticks / 8 % 7) - 3;
        (
            firm::symbol(instrument),
            firm::price_cents(instrument) + wobble,
            wobble,
        )
    }

    #[inline]
    fn quote(&mut self) -> Inbound {
        let (symbol, px, wobble) = self.tick();
        let body = Quote {
            bid: px - 1,
            bid_qty: 500 + 100 * wobble,
            ask: px + 1,
            ask_qty: 500 - 100 * wobble,
            venue_seq: u64::from(self.ticks),
            venue: VENUE,
            px_dp: PX_DP,
            ..Quote::zeroed()
        };
        Inbound::new(Kind::Quote, &body).named(symbol, Text::EMPTY)
    }

    fn last_trade(&mut self) -> Inbound {
        let (symbol, px, _) = self.tick();
        let body = LastTrade {
            px,
            qty: 100,
            trade_id: u64::from(self.ticks),
            venue: VENUE,
            px_dp: PX_DP,
            ..LastTrade::zeroed()
        };
        Inbound::new(Kind::LastTrade, &body).named(symbol, Text::EMPTY)
    }
}

/// Visits all pairs again and again, far jumps apart, each on alternating sides.
struct Walk {
    pairs: u32,
    stride: u32,
    at: u32,
    in_pass: u32,
    odd_pass: bool,
}

impl Walk {
    fn new(pairs: u32) -> Self {
        // About the golden section of the pairs, and without a common factor, so that one pass meets each pair once.
        let near = (u64::from(pairs) * 618_034 / 1_000_000).max(1) as u32;
        let stride = (near..).find(|&stride| gcd(stride, pairs) == 1).unwrap_or(1);
        Self {
            pairs,
            stride: stride % pairs,
            at: 0,
            in_pass: 0,
            odd_pass: false,
        }
    }

    /// The next pair, and whether it is bought.
    #[inline]
    fn next(&mut self) -> (u32, bool) {
        let pair = self.at;
        let is_buy = self.in_pass.is_multiple_of(2) != self.odd_pass;
        self.at += self.stride;
        if self.at >= self.pairs {
            self.at -= self.pairs;
        }
        self.in_pass += 1;
        if self.in_pass == self.pairs {
            self.in_pass = 0;
            self.odd_pass = !self.odd_pass;
        }
        (pair, is_buy)
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Identifiers that count up: a letter, the run's tag, a dash and fifteen digits.
struct Identifiers {
    bytes: [u8; 40],
}

impl Identifiers {
    /// Where the digits end.
    const END: usize = 25;
    const DIGITS_AT: usize = 10;

    fn new(letter: u8, run_tag: u32) -> Self {
        let mut bytes = [0; 40];
        bytes[..Self::END]
            .copy_from_slice(format!("{}{run_tag:08x}-{:015}", char::from(letter), 0).as_bytes());
        Self { bytes }
    }

    #[inline]
    fn next(&mut self) -> Text<40> {
        for byte in self.bytes[Self::DIGITS_AT..Self::END].iter_mut().rev() {
            if *byte < b'9' {
                *byte += 1;
                break;
            }
            *byte = b'0';
        }
        bytemuck::cast(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_meets_each_pair_once_and_the_next_trades_it_back() {
        for pairs in [1, 2, 5, 100, 4_000, 4_096] {
            let mut walk = Walk::new(pairs);
            let mut sides = vec![Vec::new(); pairs as usize];
            for _ in 0..4 * pairs {
                let (pair, is_buy) = walk.next();
                sides[pair as usize].push(is_buy);
            }
            assert!(
                sides.iter().all(|s| s.len() == 4 && s[0] != s[1] && s[0] == s[2]),
                "{pairs}"
            );
        }
    }

    #[test]
    fn identifiers_count_up_over_every_digit() {
        let mut ids = Identifiers::new(b'C', 0xbeef);
        assert_eq!(ids.next().as_str(), "C0000beef-000000000000001");
        (2..=999).for_each(|_| _ = ids.next());
        assert_eq!(ids.next(), Text::new("C0000beef-000000000001000").unwrap());
    }
}
