//! What readers may ask of the limit check's state: orders, wallets, uses of limits. Only for replicas and tools: nobody
//! reads the live stage.

use super::LimitCheck;
use super::quarantine::QuarantineRow;
use super::question::{List, Scene};
use super::tables::TABLES;
use crate::dated::Bucket;
use crate::hierarchy::{NodeRow, PairRow, node_flags};
use crate::limits::{Ask, LimitRow, Measure, Priced, Question, Terms, charged};
use crate::orders::table::OrderRow;
use crate::wallets::WalletRow;
use tradewind_domain::codes::{LimitType, Side};
use tradewind_domain::event::{CorporateAction, TakenBack};
use tradewind_domain::ids::{
    CalendarId, InstrumentId, LimitId, NodeId, OrderId, OrderSlot, SessionId, VenueId, WalletId,
};
use tradewind_domain::text::ExecId;
use tradewind_domain::time::{DayNumber, UnixNanos};

/// A limit with the node it binds, for listings.
pub struct LimitUse<'a> {
    /// The limit.
    pub id: LimitId,
    /// Its row.
    pub row: &'a LimitRow,
    /// The node that it binds.
    pub node: &'a NodeRow,
    /// Trading date of the node's calendar.
    pub date: DayNumber,
}

/// An order or execution that took effect: the limits on its way are asked what is used now.
#[derive(Clone, Copy, Debug)]
pub struct Occasion {
    /// Narrowest node.
    pub leaf: NodeId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Wallet of the account; none where it has none.
    pub wallet: WalletId,
    /// Buys.
    pub is_buy: bool,
    /// Total quantity of the order at 1e-8; 0 for an execution, which no limit on a single order sees.
    pub qty: i64,
    /// Value of the whole order in base currency at 1e-16; 0 for an execution.
    pub order_value: i128,
    /// Time of the event.
    pub now_ns: UnixNanos,
}

impl LimitCheck {
    /// What is used of each limit that looks at the occasion, with the occasion in it.
    pub fn uses(&self, occasion: &Occasion, mut sink: impl FnMut(LimitId, Measure)) {
        let book = &self.book;
        let Some(instrument) = book.market.instrument(occasion.instrument) else {
            return;
        };
        let chain = book.hierarchy.chain(occasion.leaf, occasion.instrument);
        let side = if occasion.is_buy { Side::Buy } else { Side::Sell };
        let ask = Ask {
            qty: occasion.qty,
            replaces: true, // the order is booked: it adds nothing, and is no new one
            ..Ask::nothing(occasion.instrument, occasion.wallet, side, occasion.now_ns)
        };
        let priced = Priced {
            order_value: occasion.order_value,
            ..Priced::default()
        };
        let mut scene = Scene::new(book, &ask, &chain, instrument, &priced);
        // A rate looks at messages: an execution is none, and what it would find of one are messages that no rate was asked about.
        let is_message = occasion.qty != 0;
        for list in [List::Limits, List::Gates] {
            let is_asked = |terms: &Terms| is_message || !is_rate(terms);
            scene.each(
                list,
                is_asked,
                &mut |question: &Question<'_>, terms: &Terms, measure: Measure| {
                    let measure = match book.limits.get(terms.id) {
                        Some(row) if is_rate(terms) => {
                            let is_slow = question.node.flags & node_flags::SLOW != 0;
                            charged(row, &book.stamps, occasion.now_ns, is_slow, measure)
                        }
                        _ => measure,
                    };
                    let (used, limit) = measure.shown(terms.spec());
                    sink(
                        terms.id,
                        Measure {
                            used,
                            limit,
                            ..measure
                        },
                    );
                },
            );
        }
    }

    /// Executed trades that wait in quarantine, in no particular order.
    pub fn quarantined(&self) -> impl Iterator<Item = &QuarantineRow> {
        self.book.quarantine.waiting()
    }

    /// Executed trades that found no room in quarantine: they stand in the journal alone.
    pub fn quarantine_lost(&self) -> u64 {
        self.book.quarantine.lost
    }

    /// Open orders in acceptance order.
    pub fn open_orders(&self) -> impl Iterator<Item = (OrderSlot, &OrderRow)> {
        self.book.orders.open()
    }

    /// An order that is open or remembered.
    pub fn order(&self, order_id: OrderId) -> Option<&OrderRow> {
        self.book.orders.find(order_id).map(|(_, row)| row)
    }

    /// Corporate actions that are announced and have not taken effect.
    pub fn announced(&self) -> impl Iterator<Item = &CorporateAction> {
        self.book.announced.waiting()
    }

    /// An executed trade that is retained, busted or not, as it was booked last; `trade_date` 0 means the present one.
    pub fn trade(&self, venue: VenueId, trade_date: DayNumber, exec_id: &ExecId) -> Option<&TakenBack> {
        let found = self.book.retained(venue, trade_date, exec_id);
        found.map(|(_, row)| &row.trade)
    }

    /// All wallets.
    pub fn wallets(&self) -> impl Iterator<Item = (WalletId, &WalletRow)> {
        self.book
            .wallets
            .rows()
            .iter()
            .enumerate()
            .map(|(at, row)| (WalletId(at as u32), row))
    }

    /// Trades that have not settled, summed by holding and settlement date, in no particular order.
    pub fn unsettled(&self) -> impl Iterator<Item = &Bucket> {
        self.book.dated.all()
    }

    /// Trading date of a calendar; 0 before its first roll.
    pub fn date(&self, calendar: CalendarId) -> DayNumber {
        self.book.calendars.date(calendar)
    }

    /// All nodes.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &NodeRow)> {
        self.book.hierarchy.nodes()
    }

    /// The state that each instrument was given, as a code: 0 where it trades freely.
    pub fn instrument_states(&self) -> impl Iterator<Item = (InstrumentId, u8)> {
        (0..)
            .map(InstrumentId)
            .zip(self.book.instrument_states.iter().copied())
    }

    /// The state that each session was given, likewise.
    pub fn session_states(&self) -> impl Iterator<Item = (SessionId, u8)> {
        let states = self.book.sessions.iter().map(|row| row.state);
        (0..).map(SessionId).zip(states)
    }

    /// All pairs of node and instrument.
    pub fn pairs(&self) -> &[PairRow] {
        self.book.hierarchy.pairs()
    }

    /// All limits in force.
    pub fn limits(&self) -> impl Iterator<Item = LimitUse<'_>> {
        self.book.limits.all().filter_map(|(id, row)| {
            let node = self.book.hierarchy.node(row.node)?;
            Some(LimitUse {
                id,
                row,
                node,
                date: self.book.calendars.date(node.calendar),
            })
        })
    }

    /// True where an order is below a node: for followers that cancel a scope.
    pub fn is_within(&self, order: &OrderRow, node: NodeId) -> bool {
        self.book.hierarchy.is_within(order.leaf, node)
    }

    /// Share of each table with a configured capacity that is used, in percent, by the name of its setting.
    pub fn used_pct(&self) -> [(&'static str, u32); TABLES.len()] {
        self.book.used_pct()
    }
}

fn is_rate(terms: &Terms) -> bool {
    matches!(terms.limit_type, LimitType::OrderRate | LimitType::MsgRate)
}
