//! A firm with as many accounts as wanted and limits on every level, and the events that its stage is given: already normalized, so
//! that the limit check is measured and nothing else.

use bytemuck::Zeroable;
use tradewind_domain::codes::{
    AccountKind, Level, LimitAction, LimitType, OrderState, OrderType, Side, TimeInForce,
};
use tradewind_domain::event::{
    Body, Capacities, CashMove, CurrencySet, EngineStarted, Event, Execution, InstrumentSet, Kind, LastTrade,
    LimitSet, NodeSet, OrderNew, Timer, TimerKind, Valuation, VenueReport,
};
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::ids::{AccountId, CalendarId, CurrencyId, InstrumentId, LimitId, NodeId, SessionId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::text::{ClOrdId, Code, ExecId, Text};
use tradewind_machine::stage::{Expansion, Stage};
use tradewind_risk::LimitCheck;

/// Levels with limits: account, user, desk, organisation, firm.
pub(super) const LEVELS: u32 = 5;
const INSTRUMENTS: u32 = 100;
/// The instrument that every account holds, where the plan says so.
const HELD: InstrumentId = InstrumentId(0);
const USERS_OF_A_DESK: u32 = 20;
const ACCOUNTS_OF_A_USER: u32 = 10;
const START_NS: u64 = 1_772_461_800_000_000_000;
const PX: i64 = 100 * ONE;
/// Base value at 1e-16.
const VALUE: i128 = ONE as i128 * ONE as i128;

/// What the firm is made of.
#[derive(Clone, Copy, Debug)]
pub struct FirmConfig {
    /// Accounts.
    pub accounts: u32,
    /// Limits that look at each order: 12 of different types, or a multiple of it.
    pub limits: u32,
    /// Every account holds one instrument, and has exposure limits.
    pub everyone_holds: bool,
}

/// A stage with its firm.
pub struct Firm {
    stage: LimitCheck,
    config: FirmConfig,
    seq: u64,
    orders: u64,
    random: u64,
    limits_set: u32,
    limits_of_an_order: u32,
    first_account: u32,
}

/// Types of the twelve limits, by level: the account's own first, the firm's last. Figures are far above what is traded, but for a
/// single order.
const TWELVE: [(Level, LimitType, i128, [i64; 6]); 12] = [
    (
        Level::Account,
        LimitType::MaxOrderQty,
        1_000 * ONE as i128,
        [0; 6],
    ),
    (Level::Account, LimitType::PositionLong, 1 << 60, [0; 6]),
    (Level::Account, LimitType::BuyingPower, 0, [0, 1, 0, 0, 0, 0]),
    (Level::User, LimitType::MaxOrderNotional, 100_000 * VALUE, [0; 6]),
    (
        Level::User,
        LimitType::OrderRate,
        1_000_000_000,
        [1, 1, 1_000_000_000, 0, 0, 0],
    ),
    (Level::User, LimitType::MaxOpenOrders, 1_000_000, [0; 6]),
    (
        Level::Desk,
        LimitType::DailyNotional,
        1_000_000_000_000 * VALUE,
        [0; 6],
    ),
    (
        Level::Desk,
        LimitType::OpenNotional,
        1_000_000_000_000 * VALUE,
        [0; 6],
    ),
    (Level::Org, LimitType::DailyQty, 1 << 100, [0; 6]),
    (
        Level::Org,
        LimitType::PriceCollar,
        0,
        [10 * ONE, 0, 86_400_000, 0, ONE, 0],
    ),
    (
        Level::Firm,
        LimitType::GrossExposure,
        1_000_000_000_000 * VALUE,
        [0; 6],
    ),
    (Level::Firm, LimitType::PositionShort, 1 << 60, [0; 6]),
];

impl Firm {
    /// Builds the tables and sets every limit.
    pub fn new(config: &FirmConfig) -> Self {
        let capacities = capacities(config);
        let mut firm = Self {
            stage: LimitCheck::new(&capacities, b"0123456789abcdef"),
            config: *config,
            seq: 0,
            orders: 0,
            random: 0x9e37_79b9_7f4a_7c15,
            limits_set: 0,
            limits_of_an_order: 0,
            first_account: 0,
        };
        firm.reference(&capacities);
        firm.hierarchy();
        firm.fund();
        firm
    }

    pub(super) fn stage(&mut self) -> &mut LimitCheck {
        &mut self.stage
    }

    pub(super) fn limits_per_order(&self) -> u32 {
        self.limits_of_an_order
    }

    pub(super) fn limits_in_force(&self) -> u64 {
        u64::from(self.limits_set)
    }

    /// Pairs that a trade of the held instrument touches.
    pub(super) fn pairs_of_mark(&self) -> u64 {
        let pairs = self.stage.pairs().iter();
        pairs.filter(|pair| pair.instrument == HELD).count() as u64
    }

    fn reference(&mut self, capacities: &Capacities) {
        self.send(
            Kind::EngineStarted,
            &EngineStarted {
                epoch: 1,
                market_slip_bps: 500,
                ref_max_age_ms: u32::MAX,
                capacities: *capacities,
                ..EngineStarted::zeroed()
            },
        );
        self.send(
            Kind::Timer,
            &Timer {
                timer: TimerKind::DayRoll as u8,
                calendar: CalendarId::UTC,
                date: 20_514,
                ..Timer::zeroed()
            },
        );
        self.send(
            Kind::CurrencySet,
            &CurrencySet {
                code: Text::lossy("USD"),
                money_dp: 2,
                ..CurrencySet::zeroed()
            },
        );
        for id in 0..INSTRUMENTS {
            let row = Instrument {
                id: InstrumentId(id),
                configured_mark: PX,
                adv: ONE,
                ..Instrument::default_linear()
            };
            self.send(
                Kind::InstrumentSet,
                &InstrumentSet {
                    row,
                    ..InstrumentSet::zeroed()
                },
            );
        }
    }

    /// Firm, organisation, desks, users, accounts: broad to narrow, each followed by its limits.
    fn hierarchy(&mut self) {
        let users = self.config.accounts.div_ceil(ACCOUNTS_OF_A_USER);
        let desks = users.div_ceil(USERS_OF_A_DESK);
        self.node(0, u32::MAX, Level::Firm, AccountId::NONE);
        self.node(1, 0, Level::Org, AccountId::NONE);
        let (first_desk, first_user) = (2, 2 + desks);
        self.first_account = first_user + users;
        for desk in 0..desks {
            self.node(first_desk + desk, 1, Level::Desk, AccountId::NONE);
        }
        for user in 0..users {
            let desk = first_desk + user / USERS_OF_A_DESK;
            self.node(first_user + user, desk, Level::User, AccountId::NONE);
        }
        for account in 0..self.config.accounts {
            let user = first_user + account / ACCOUNTS_OF_A_USER;
            let node = self.first_account + account;
            self.node(node, user, Level::Account, AccountId(account));
        }
        let copies = self.config.limits / TWELVE.len() as u32;
        self.limits_of_an_order = copies * TWELVE.len() as u32;
    }

    fn node(&mut self, node: u32, parent: u32, level: Level, account: AccountId) {
        let is_account = level == Level::Account;
        self.send(
            if is_account {
                Kind::AccountSet
            } else {
                Kind::NodeSet
            },
            &NodeSet {
                level: level as u8,
                kind: if is_account { AccountKind::Margin as u8 } else { 0 },
                calendar: CalendarId::UTC,
                node: NodeId(node),
                parent: NodeId(parent),
                account,
                ..NodeSet::zeroed()
            },
        );
        for copy in 0..self.config.limits / TWELVE.len() as u32 {
            for (_, limit_type, hard, params) in TWELVE.iter().filter(|row| row.0 == level) {
                self.limit(node, *limit_type, *hard + i128::from(copy), *params);
            }
        }
        if is_account && self.config.everyone_holds {
            self.limit(node, LimitType::GrossExposure, 1_000_000_000_000 * VALUE, [0; 6]);
        }
    }

    fn limit(&mut self, node: u32, limit_type: LimitType, hard: i128, params: [i64; 6]) {
        let limit = self.limits_set;
        self.limits_set += 1;
        let hard = match limit_type {
            LimitType::BuyingPower | LimitType::PriceCollar => 0,
            LimitType::OrderRate => 1_000_000_000,
            _ => hard,
        };
        self.send(
            Kind::LimitSet,
            &LimitSet {
                hard,
                params,
                label: Code::lossy(limit.to_string()),
                limit_type: limit_type as u8,
                action: LimitAction::Reject as u8,
                limit: LimitId(limit),
                node: NodeId(node),
                filter_instrument: InstrumentId::NONE,
                ..LimitSet::zeroed()
            },
        );
    }

    /// Cash and equity for every account, and what everyone holds.
    fn fund(&mut self) {
        for account in 0..self.config.accounts {
            let leaf = NodeId(self.first_account + account);
            let amount = Money::from_raw(1_000_000_000 * i128::from(ONE));
            self.send(
                Kind::Deposit,
                &CashMove {
                    reference: ExecId::lossy(format!("d{account}")),
                    amount,
                    account: AccountId(account),
                    leaf,
                    currency: CurrencyId(0),
                    ..CashMove::zeroed()
                },
            );
            if self.config.everyone_holds {
                self.hold(account, leaf);
            }
        }
        self.send(
            Kind::Valuation,
            &Valuation {
                equity: Money::from_raw(1_000_000_000_000 * i128::from(ONE)),
                node: NodeId(0),
                ..Valuation::zeroed()
            },
        );
    }

    fn hold(&mut self, account: u32, leaf: NodeId) {
        self.send(
            Kind::TradeCapture,
            &Execution {
                exec_id: ExecId::lossy(format!("h{account}")),
                qty: ONE,
                px: PX,
                side: Side::Buy as u8,
                leaf,
                account: AccountId(account),
                instrument: HELD,
                currency: CurrencyId(0),
                calendar: CalendarId::UTC,
                ..Execution::zeroed()
            },
        );
    }

    /// Runs an event of the preparation, and what it sets off.
    fn send<T: Body>(&mut self, kind: Kind, body: &T) {
        let mut event = Event::empty();
        event.reset(kind);
        *event.body_mut() = *body;
        self.stamp(&mut event);
        self.stage.process(&mut event);
        assert!(
            !event.is_rejected(),
            "Invariant: the preparation is accepted: {kind} {}",
            event.head.outcome
        );
        let mut out = Event::empty();
        while self.stage.expand(&mut out) != Expansion::Done {}
    }

    fn stamp(&mut self, event: &mut Event) {
        self.seq += 1;
        (event.head.seq, event.head.recv_ns) = (self.seq, START_NS + self.seq * 1_000);
    }

    fn draw(&mut self, below: u32) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (((self.random >> 32) * u64::from(below)) >> 32) as u32
    }

    /// An order of a random account for one of its instruments.
    pub(super) fn new_order(&mut self, event: &mut Event, too_large: bool) {
        let account = self.draw(self.config.accounts);
        // An account trades a few instruments, not all.
        let instrument = (account + self.draw(4)) % INSTRUMENTS;
        self.orders += 1;
        let qty = if too_large { 5_000 * ONE } else { ONE };
        event.reset(Kind::OrderNew);
        *event.body_mut() = OrderNew {
            cl_ord_id: ClOrdId::lossy(format!("b{}", self.orders)),
            qty,
            px: PX,
            session: SessionId(1),
            side: Side::Buy as u8,
            ord_type: OrderType::Limit as u8,
            tif: TimeInForce::Day as u8,
            qty_dp: 8,
            px_dp: 8,
            leaf: NodeId(self.first_account + account),
            account: AccountId(account),
            instrument: InstrumentId(instrument),
            currency: CurrencyId(0),
            calendar: CalendarId::UTC,
            ..OrderNew::zeroed()
        };
        self.stamp(event);
    }

    /// A trade of the instrument that everyone holds, at another price each time.
    pub(super) fn last_trade(&mut self, event: &mut Event) {
        event.reset(Kind::LastTrade);
        let px = PX + i64::from(self.draw(100)) * ONE / 100;
        *event.body_mut() = LastTrade {
            instrument: HELD,
            px,
            qty: ONE,
            ..LastTrade::zeroed()
        };
        self.stamp(event);
    }

    /// Holds the outcomes to what was meant: a figure of orders that fared otherwise would say nothing.
    pub(super) fn expect(&self, batch: &[Box<Event>], rejected: bool) {
        for event in batch {
            let is_rejected = event.is_rejected();
            assert_eq!(is_rejected, rejected, "outcome {}", event.head.outcome);
        }
    }

    /// The venue fills what was accepted: each order becomes the report of its fill.
    pub(super) fn fills(&mut self, batch: &mut [Box<Event>]) {
        for event in batch {
            let order: OrderNew = *event.body();
            event.reset(Kind::VenueFill);
            *event.body_mut() = Execution {
                exec_id: ExecId::lossy(format!("x{}", order.view.order_id.counter())),
                order_id: order.view.order_id,
                qty: order.qty,
                px: PX,
                ..Execution::zeroed()
            };
            self.stamp(event);
        }
    }

    /// The venue cancels what was accepted.
    pub(super) fn close(&mut self, batch: &mut [Box<Event>], out: &mut Event) {
        for event in batch.iter_mut().filter(|event| !event.is_rejected()) {
            let order: OrderNew = *event.body();
            event.reset(Kind::VenueCancelled);
            *event.body_mut() = VenueReport {
                order_id: order.view.order_id,
                status: OrderState::Cancelled as u8,
                ..VenueReport::zeroed()
            };
            self.stamp(event);
            self.stage.process(event);
            while self.stage.expand(out) != Expansion::Done {}
        }
    }
}

/// Room for the firm: tables as large as such a firm would configure them.
fn capacities(config: &FirmConfig) -> Capacities {
    let users = config.accounts.div_ceil(ACCOUNTS_OF_A_USER);
    let nodes = config.accounts + users + users.div_ceil(USERS_OF_A_DESK) + 2;
    let copies = config.limits / TWELVE.len() as u32;
    Capacities {
        instruments: INSTRUMENTS,
        nodes,
        open_orders: 65_536,
        closed_orders: 65_536,
        node_instruments: config.accounts * 6 + users * 16 + 65_536,
        holdings: config.accounts * 6,
        wallets: config.accounts,
        limits: (config.accounts + users) * (3 * copies + 1) + users * 3 * copies + 1_024,
        cl_ord_ids: 16_777_216,
        exec_ids: 4_194_304,
        ..Capacities::default()
    }
}
