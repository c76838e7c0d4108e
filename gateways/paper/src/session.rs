//! A made-up market session: quotes, last trades and order flow for the `demo` profile.
//!
//! Messages fall due at given rates whatever becomes of them (open loop), and carry their due time as `origin_ns`. Only the
//! caller's time decides how far the session has come; what it sends follows from its arguments, and from the records that it is told
//! where the caller tells any (see `told`).
//!
//! # Invariants
//! - The same arguments give the same messages in the same order, in whatever steps the time moves.
//! - Due times never go backwards. Stale orders, one of the deliberate mistakes, say that they are older.
//!
//! Not here: threads, rings and followers (the binary pumps).

use crate::flow::{Desk, Ids, Listing, Trader};
use crate::random::SplitMix;
use crate::told::Told;
use crate::venue::PAPER_VENUE;
use crate::walk::Walk;
use bytemuck::Zeroable;
use tradewind_config::{Account, DemoKeys, InstrumentRow, ReferenceData};
use tradewind_domain::codes::{AccountKind, InstrumentKind, Level, Side};
use tradewind_domain::event::{Event, Execution, Inbound, Kind, LastTrade, Quote};
use tradewind_domain::fixed::SCALE_DP;
use tradewind_domain::ids::{OrderId, SessionId};
use tradewind_domain::text::{Code, ExecId, Text};
use tradewind_domain::time::UnixNanos;
use tradewind_machine::source::SourceClass;

/// One order in so many has a deliberate mistake.
const MISTAKE_EVERY: u32 = 200;
/// The quote behind which a trade is reported that was made elsewhere, for an account that nobody knows: a person has to look at it.
const AWAY_AT: u64 = 5_000;
/// Its account.
const AWAY_ACCOUNT: &str = "S-MARGIN-9";
/// One quote in so many is followed by a last trade.
const TRADE_EVERY: u64 = 4;

/// Due times at a steady rate.
#[derive(Clone, Copy, Debug)]
struct Beat {
    start_ns: UnixNanos,
    per_s: u32,
    sent: u64,
}

impl Beat {
    /// When the next message is due; `u64::MAX` for never.
    fn next_ns(&self) -> UnixNanos {
        if self.per_s == 0 {
            return UnixNanos::MAX;
        }
        let after = (u128::from(self.sent) + 1) * 1_000_000_000 / u128::from(self.per_s);
        u64::try_from(after).map_or(UnixNanos::MAX, |after| self.start_ns.saturating_add(after))
    }
}

/// What was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionCounts {
    /// Quotes.
    pub quotes: u64,
    /// Last trades.
    pub trades: u64,
    /// New orders, those with mistakes included.
    pub orders: u64,
    /// Cancels.
    pub cancels: u64,
    /// Replaces.
    pub replaces: u64,
    /// Trades that were made elsewhere.
    pub away: u64,
}

/// The session.
#[derive(Clone, Debug)]
pub struct DemoSession {
    listings: Vec<Listing>,
    traders: Vec<Trader>,
    random: SplitMix,
    ids: Ids,
    quotes: Beat,
    orders: Beat,
    mistake_every: u32,
    counts: SessionCounts,
    told: Told,
}

impl DemoSession {
    /// A session of the reference data's first instruments and accounts (and the strategies below them), as many as `keys`
    /// says, that begins at `start_ns`. `token` goes into every ClOrdID: a number that no other run of the journal has.
    pub fn new(keys: &DemoKeys, reference: &ReferenceData, start_ns: UnixNanos, token: u64) -> Self {
        let chosen = |count: u32| if count == 0 { usize::MAX } else { count as usize };
        let rows: Vec<&InstrumentRow> = { reference.instruments.iter() }
            .take(chosen(keys.instruments))
            .collect();
        let accounts: Vec<&Account> = { reference.accounts.iter() }
            .take(chosen(keys.accounts))
            .collect();
        let listing = |row: &&InstrumentRow| Listing {
            row: row.row,
            walk: Walk::new(&row.row),
        };
        let beat = |per_s| Beat {
            start_ns,
            per_s,
            sent: 0,
        };
        let listings: Vec<Listing> = rows.iter().map(listing).collect();
        let traders = traders(reference, &accounts, &rows);
        Self {
            quotes: beat(if listings.is_empty() { 0 } else { keys.quotes_per_s }),
            orders: beat(if traders.is_empty() { 0 } else { keys.orders_per_s }),
            listings,
            traders,
            random: SplitMix::new(keys.seed),
            ids: Ids { token, given: 0 },
            mistake_every: MISTAKE_EVERY,
            counts: SessionCounts::default(),
            told: Told::default(),
        }
    }

    /// With one deliberate mistake in so many orders; 0 for none.
    pub fn with_mistake_every(mut self, orders: u32) -> Self {
        self.mistake_every = orders;
        self
    }

    /// The session of each account or strategy that sends orders.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, Code)> + '_ {
        self.traders.iter().map(|trader| (trader.session, trader.code))
    }

    /// When the next message is due; `u64::MAX` for never.
    pub fn next_due_ns(&self) -> UnixNanos {
        self.quotes.next_ns().min(self.orders.next_ns())
    }

    /// What was sent so far.
    pub fn counts(&self) -> SessionCounts {
        self.counts
    }

    /// Tells the traders what a record of the journal says of them. Records are given in their order, from the journal's start.
    pub fn tell(&mut self, record: &Event) {
        let now_ns = self.orders.next_ns();
        self.told.tell(record, &self.listings, &mut self.traders, now_ns);
    }

    /// Gives every message that is due at `now_ns` or before, in order, with the ring that it belongs into.
    pub fn next_before(&mut self, now_ns: UnixNanos, out: &mut dyn FnMut(SourceClass, Inbound)) {
        loop {
            let (quote_ns, order_ns) = (self.quotes.next_ns(), self.orders.next_ns());
            let due_ns = quote_ns.min(order_ns);
            if due_ns > now_ns || due_ns == UnixNanos::MAX {
                return;
            }
            if quote_ns <= order_ns {
                self.market(quote_ns, out);
            } else {
                self.flow(order_ns, out);
            }
        }
    }

    /// A quote, and now and then a trade at one of its prices. Each instrument in turn opens with both.
    fn market(&mut self, due_ns: UnixNanos, out: &mut dyn FnMut(SourceClass, Inbound)) {
        let count = self.listings.len() as u64;
        let is_opening = self.quotes.sent < count;
        let at = if is_opening {
            self.quotes.sent
        } else {
            self.random.below(count)
        };
        self.quotes.sent += 1;
        let Some(listing) = self.listings.get_mut(at as usize) else {
            return;
        };
        listing.walk.step(&mut self.random);
        { self.traders.iter_mut() }.for_each(|trader| trader.look(at as usize, &listing.walk));
        let random = &mut self.random;
        let mut displayed = || listing.qty(listing.usual_lots().saturating_mul(random.between(1, 8)));
        let body = Quote {
            bid: listing.walk.bid(),
            bid_qty: displayed(),
            ask: listing.walk.ask(),
            ask_qty: displayed(),
            venue_seq: self.quotes.sent,
            venue: PAPER_VENUE,
            px_dp: SCALE_DP as u8,
            qty_dp: SCALE_DP as u8,
            ..Quote::zeroed()
        };
        let name = |message: Inbound| message.named(listing.row.symbol, Code::EMPTY).at(due_ns);
        self.counts.quotes += 1;
        out(SourceClass::Market, name(Inbound::new(Kind::Quote, &body)));
        if is_opening || random.chance(1, TRADE_EVERY) {
            let (px, side) = if random.chance(1, 2) {
                (body.ask, Side::Buy)
            } else {
                (body.bid, Side::Sell)
            };
            let trade = LastTrade {
                px,
                qty: listing.qty((listing.usual_lots() / 4).max(1)),
                trade_id: self.quotes.sent,
                venue: PAPER_VENUE,
                px_dp: SCALE_DP as u8,
                qty_dp: SCALE_DP as u8,
                aggressor: side as u8,
                ..LastTrade::zeroed()
            };
            self.counts.trades += 1;
            out(SourceClass::Market, name(Inbound::new(Kind::LastTrade, &trade)));
        }
        if self.quotes.sent == AWAY_AT {
            let trade = Execution {
                exec_id: ExecId::lossy(format!("AWAY-{:x}", self.ids.token)),
                order_id: OrderId::NONE,
                qty: listing.qty(listing.usual_lots()),
                px: body.bid,
                side: Side::Buy as u8,
                px_dp: SCALE_DP as u8,
                qty_dp: SCALE_DP as u8,
                ..Execution::zeroed()
            };
            let message = Inbound::new(Kind::TradeCapture, &trade);
            let account = Code::lossy(AWAY_ACCOUNT);
            self.counts.away += 1;
            out(
                SourceClass::Priority,
                message.named(listing.row.symbol, account).at(due_ns),
            );
        }
    }

    /// A new order; then, by chance, a cancel and a replace of the same trader.
    fn flow(&mut self, due_ns: UnixNanos, out: &mut dyn FnMut(SourceClass, Inbound)) {
        self.orders.sent += 1;
        let count = self.traders.len();
        let first = self.random.below(count as u64) as usize;
        let mut in_turn = (first..first + count).map(|at| at % count);
        let Some(at) = in_turn.find(|&at| !self.traders[at].rests(due_ns)) else {
            return;
        };
        let trader = &mut self.traders[at];
        let mistake_every = u64::from(self.mistake_every);
        let is_mistaken = mistake_every != 0 && self.random.chance(1, mistake_every);
        let (replaces, cancels) = (self.random.chance(12, 100), self.random.chance(25, 100));
        let mut desk = Desk {
            listings: &self.listings,
            random: &mut self.random,
            ids: &mut self.ids,
            now_ns: due_ns,
        };
        let mut send = |message: Option<Inbound>, count: &mut u64| {
            if let Some(message) = message {
                *count += 1;
                out(SourceClass::Order, message);
            }
        };
        if replaces {
            send(trader.replace(&mut desk), &mut self.counts.replaces);
        }
        send(trader.order(&mut desk, is_mistaken), &mut self.counts.orders);
        if cancels || trader.has_too_many() {
            send(trader.cancel(&mut desk), &mut self.counts.cancels);
        }
    }
}

/// Accounts, then the strategies below them, each with a session from 1.
fn traders(reference: &ReferenceData, accounts: &[&Account], rows: &[&InstrumentRow]) -> Vec<Trader> {
    let own = accounts.iter().map(|account| (account.code, *account));
    let strategies = { reference.nodes.iter() }.filter_map(|node| {
        let account = accounts.iter().find(|account| account.code == node.parent)?;
        (node.level == Level::Strategy).then_some((node.code, *account))
    });
    let numbered = own.chain(strategies).zip(1..);
    let restricted: Vec<_> = reference.restricted.iter().map(|line| line.instrument).collect();
    numbered
        .map(|((code, account), session)| {
            let listings = interests(reference, account, rows);
            Trader::new(
                code,
                SessionId(session),
                account.kind == AccountKind::Cash,
                &listings,
                |listing| restricted.contains(&rows[listing].row.symbol),
            )
        })
        .filter(|trader| trader.trades_something())
        .collect()
}

/// Instruments in the currencies that the account has money in, paid for in full where it is a cash account; with one currency, those of its
/// own calendar where there are any.
fn interests(reference: &ReferenceData, account: &Account, rows: &[&InstrumentRow]) -> Vec<usize> {
    let deposits = { reference.deposits.iter() }.filter(|deposit| deposit.account == account.code);
    let currencies: Vec<Text<8>> = deposits
        .map(|deposit| deposit.currency)
        .chain([account.currency])
        .collect();
    let is_of_one = currencies.iter().all(|currency| *currency == account.currency);
    let all: Vec<usize> = { rows.iter().enumerate() }
        .filter(|(_, row)| currencies.contains(&row.currency))
        .filter(|(_, row)| account.kind == AccountKind::Margin || is_paid_in_full(row))
        .map(|(at, _)| at)
        .collect();
    let own: Vec<usize> = { all.iter().copied() }
        .filter(|&at| rows[at].calendar == account.calendar)
        .collect();
    if is_of_one && !own.is_empty() { own } else { all }
}

fn is_paid_in_full(row: &InstrumentRow) -> bool {
    let on_margin = [InstrumentKind::Future, InstrumentKind::Inverse].map(|kind| kind as u8);
    !on_margin.contains(&row.row.kind)
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
