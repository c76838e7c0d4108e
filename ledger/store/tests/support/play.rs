//! A journal of a small firm, written by hand: accepted events with their facts, as the stages would have left them.

use bytemuck::Zeroable;
use std::path::Path;
use tradewind_domain::codes::{InstrumentKind, Level, OrderState, OrderType, Side, TimeInForce};
use tradewind_domain::event::{
    Body, CurrencySet, EngineStarted, Event, Execution, InstrumentSet, Kind, LastTrade, NodeSet, OrderNew,
    OrderView, Quote, VenueReport, head_flags,
};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{
    AccountId, CalendarId, CurrencyId, HoldingId, InstrumentId, NodeId, OrderId, OrderSlot, SessionId,
    VenueId, WalletId,
};
use tradewind_domain::reference::Instrument;
use tradewind_domain::text::Text;
use tradewind_machine::journal::{
    Durability, Identity, Journal, JournalConfig, JournalHandle, JournalWriter,
};

/// Accounts of the firm.
pub(crate) const ACCOUNTS: u32 = 4;
/// Its instruments.
pub(crate) const INSTRUMENTS: u32 = 3;
/// 2 March 2026, 14:30 UTC.
const BEGIN_NS: u64 = 1_772_461_800_000_000_000;
const ONE: i64 = 100_000_000;

/// A journal that is written.
pub(crate) struct Play {
    writer: JournalWriter,
    handle: JournalHandle,
    event: Event,
    seq: u64,
    /// Makes the rounds of another journal different ones.
    flavour: i64,
}

fn config(data: &Path, id: u8) -> JournalConfig {
    JournalConfig {
        window_dir: data.to_path_buf(),
        segment_bytes: 4 << 20,
        window_bytes: 16 << 20,
        durability: Durability::Memory,
        reserve_bytes: 0,
        allow_unsafe_fs: true,
        identity: Some(Identity {
            id: [id; 16],
            hash_key: [7; 16],
        }),
        ..JournalConfig::new(data)
    }
}

impl Play {
    /// A new journal with its reference data. `id` names it.
    pub(crate) fn new(data: &Path, id: u8, flavour: i64) -> Self {
        let opened = Journal::open(config(data, id)).expect("a journal");
        let (writer, handle) = opened.start().expect("a running journal");
        let mut play = Self {
            writer,
            handle,
            event: Event::empty(),
            seq: 0,
            flavour,
        };
        play.reference();
        play
    }

    fn begin(&mut self, kind: Kind) {
        self.seq += 1;
        self.event.reset(kind);
        self.event.head.seq = self.seq;
        self.event.head.recv_ns = BEGIN_NS + self.seq * 1_000_000;
        self.event.head.flags = head_flags::LAST;
    }

    fn end(&mut self) {
        while self.writer.append(&self.event).is_err() {
            self.writer.commit(self.event.head.recv_ns).expect("a commit");
            std::thread::yield_now();
        }
    }

    /// Makes everything written so far visible.
    pub(crate) fn commit(&mut self) {
        self.writer
            .commit(BEGIN_NS + self.seq * 1_000_000)
            .expect("a commit");
    }

    fn reference(&mut self) {
        self.begin(Kind::EngineStarted);
        self.event.body_mut::<EngineStarted>().epoch = 1;
        self.end();
        self.begin(Kind::CurrencySet);
        *self.event.body_mut() = CurrencySet {
            code: Text::lossy("USD"),
            money_dp: 2,
            currency: CurrencyId(0),
            ..CurrencySet::zeroed()
        };
        self.end();
        let nodes = [("FIRM", Level::Firm), ("ORG", Level::Org)];
        for (at, (code, level)) in nodes.into_iter().enumerate() {
            self.node(Kind::NodeSet, at as u32, code, level, u32::MAX);
        }
        for account in 0..ACCOUNTS {
            let code = format!("ACC-{account}");
            self.node(Kind::AccountSet, 2 + account, &code, Level::Account, account);
        }
        for id in 0..INSTRUMENTS {
            self.begin(Kind::InstrumentSet);
            let body: &mut InstrumentSet = self.event.body_mut();
            body.row = Instrument {
                symbol: Text::lossy(format!("SYM{id}")),
                sector: Text::lossy(if id == 0 { "TECH" } else { "ENERGY" }),
                id: InstrumentId(id),
                kind: InstrumentKind::Equity as u8,
                ..Instrument::default_linear()
            };
            self.end();
        }
        self.commit();
    }

    fn node(&mut self, kind: Kind, id: u32, code: &str, level: Level, account: u32) {
        self.begin(kind);
        *self.event.body_mut() = NodeSet {
            code: Text::lossy(code),
            author: Text::lossy("ada"),
            level: level as u8,
            node: NodeId(id),
            parent: if id == 0 {
                NodeId::NONE
            } else {
                NodeId(id.min(2) - 1)
            },
            account: AccountId(account),
            currency: CurrencyId(0),
            ..NodeSet::zeroed()
        };
        self.end();
    }

    /// Rounds of five records each: an order, its acknowledgement, its fill, a quote, a trade of the market.
    pub(crate) fn rounds(&mut self, numbers: std::ops::Range<u64>) {
        for n in numbers {
            self.round(n);
        }
        self.commit();
    }

    fn round(&mut self, n: u64) {
        let (account, instrument) = (n as u32 % ACCOUNTS, n as u32 % INSTRUMENTS);
        let side = if n.is_multiple_of(3) {
            Side::Sell
        } else {
            Side::Buy
        };
        let (qty, px) = (
            (1 + n as i64 % 9) * ONE,
            (100 + n as i64 % 50 + self.flavour) * ONE,
        );
        let money = i128::from(qty / ONE) * i128::from(px);
        let day = tradewind_domain::time::utc_day(BEGIN_NS + self.seq * 1_000_000);
        let view = OrderView {
            order_id: OrderId::new(0, n + 1),
            slot: OrderSlot(0),
            holding: HoldingId(account * INSTRUMENTS + instrument),
            wallet: WalletId(account),
            trade_day: day,
            state_after: OrderState::PendingNew as u8,
            leaves: qty,
            cash: Money::from_raw(money),
            ..OrderView::zeroed()
        };
        self.begin(Kind::OrderNew);
        *self.event.body_mut() = OrderNew {
            cl_ord_id: Text::lossy(format!("C{n}")),
            qty,
            px,
            session: SessionId(1),
            side: side as u8,
            ord_type: OrderType::Limit as u8,
            tif: TimeInForce::Day as u8,
            leaf: NodeId(2 + account),
            account: AccountId(account),
            instrument: InstrumentId(instrument),
            currency: CurrencyId(0),
            calendar: CalendarId::UTC,
            view,
            ..OrderNew::zeroed()
        };
        self.end();
        self.begin(Kind::VenueAck);
        *self.event.body_mut() = VenueReport {
            order_id: view.order_id,
            venue_order_id: Text::lossy(format!("V{n}")),
            account: AccountId(account),
            instrument: InstrumentId(instrument),
            currency: CurrencyId(0),
            view: OrderView {
                state_after: OrderState::Working as u8,
                cash: Money::ZERO,
                ..view
            },
            ..VenueReport::zeroed()
        };
        self.end();
        self.begin(Kind::VenueFill);
        *self.event.body_mut() = Execution {
            exec_id: Text::lossy(format!("X{n}")),
            order_id: view.order_id,
            qty,
            px,
            // Each fifth is a rebate.
            fee: Money::from_raw(i128::from(ONE) / if n.is_multiple_of(5) { -100 } else { 100 }),
            venue: VenueId(1),
            side: side as u8,
            leaf: NodeId(2 + account),
            account: AccountId(account),
            instrument: InstrumentId(instrument),
            currency: CurrencyId(0),
            calendar: CalendarId::UTC,
            state_after: OrderState::Filled as u8,
            holding: view.holding,
            wallet: view.wallet,
            principal: Money::from_raw(money),
            cash_released: Money::from_raw(money),
            cost_delta: Money::from_raw(money),
            realised: Money::from_raw(i128::from(n as i64 % 7 - 3) * i128::from(ONE)),
            cum: qty,
            trade_day: day,
            ..Execution::zeroed()
        };
        self.end();
        self.begin(Kind::Quote);
        *self.event.body_mut() = Quote {
            bid: px - ONE,
            bid_qty: ONE,
            ask: px + ONE,
            ask_qty: ONE,
            instrument: InstrumentId(instrument),
            ..Quote::zeroed()
        };
        self.end();
        self.begin(Kind::LastTrade);
        *self.event.body_mut() = LastTrade {
            px,
            qty: ONE,
            instrument: InstrumentId(instrument),
            ..LastTrade::zeroed()
        };
        self.end();
    }

    /// One record with this body, made visible. Gives its number.
    pub(crate) fn put<T: Body>(&mut self, kind: Kind, body: T) -> u64 {
        self.begin(kind);
        *self.event.body_mut() = body;
        self.end();
        self.commit();
        self.seq
    }

    /// A group whose end is missing, as a crash leaves it.
    pub(crate) fn open_group(&mut self) {
        self.begin(Kind::Timer);
        self.event.head.flags = 0;
        self.end();
        self.commit();
    }

    /// Number of the last record.
    pub(crate) fn last_seq(&self) -> u64 {
        self.seq
    }

    /// Ends the journal in good order.
    pub(crate) fn stop(self) {
        drop(self.writer);
        self.handle.stop().expect("a journal that ends well");
    }
}
