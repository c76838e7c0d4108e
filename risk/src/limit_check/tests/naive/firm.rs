//! A random firm: two organisations, four users, six accounts and three strategies, eight instruments, and limits of all types on
//! random nodes.

use super::super::world::{World, dec};
use super::history::{History, Node};
use crate::calendar::calendar_set;
use bytemuck::Zeroable;
use tradewind_domain::codes::{AccountKind, InstrumentKind, Level, LimitAction, LimitType};
use tradewind_domain::event::{Capacities, CurrencySet, FxRate, InstrumentSet, Kind, LimitSet, NodeSet};
use tradewind_domain::fixed::{NOTIONAL_ONE, ONE};
use tradewind_domain::ids::{AccountId, CalendarId, CurrencyId, InstrumentId, LimitId, NodeId};
use tradewind_domain::reference::{CalendarDay, Instrument, instrument_flags};
use tradewind_domain::text::{Code, Symbol, Text};
use tradewind_domain::time::NANOS_PER_DAY;

/// The second calendar: days roll on their own.
pub(super) const OTHER: u16 = 1;
/// The calendar that trades in instrument 2 settle by.
pub(super) const SETTLE: u16 = 2;
/// Days of that calendar, weekends among them: more than any stream rolls.
const SETTLE_DAYS: u32 = 320;
/// The trading date that the test's world begins with.
pub(super) const FIRST_DATE: u32 = 20_514;

/// Random numbers by splitmix64: a seed is a stream, on every machine and for ever.
pub(super) struct Rng(pub(super) u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(super) fn range(&mut self, from: i64, to: i64) -> i64 {
        from + self.below((to - from) as u64) as i64
    }

    pub(super) fn one_in(&mut self, odds: u64) -> bool {
        self.below(odds) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

const fn node(parent: Option<u32>, level: Level, calendar: u16, account: Option<u32>, is_cash: bool) -> Node {
    Node {
        parent,
        level: level as u8,
        calendar,
        account,
        is_cash,
    }
}

/// The nodes; the first six are those of the test's world.
const NODES: &[Node] = &[
    node(None, Level::Firm, 0, None, false),
    node(Some(0), Level::Org, 0, None, false),
    node(Some(1), Level::User, 0, None, false),
    node(Some(2), Level::Account, 0, Some(0), true),
    node(Some(2), Level::Account, 0, Some(1), false),
    node(Some(3), Level::Strategy, 0, Some(0), false),
    node(Some(0), Level::Org, OTHER, None, false),
    node(Some(1), Level::Desk, 0, None, false),
    node(Some(1), Level::Desk, 0, None, false),
    node(Some(6), Level::Desk, OTHER, None, false),
    node(Some(7), Level::User, 0, None, false),
    node(Some(8), Level::User, 0, None, false),
    node(Some(9), Level::User, OTHER, None, false),
    node(Some(10), Level::Account, 0, Some(2), true),
    node(Some(10), Level::Account, 0, Some(3), false),
    node(Some(11), Level::Account, 0, Some(4), false),
    node(Some(12), Level::Account, OTHER, Some(5), true),
    node(Some(14), Level::Strategy, 0, Some(3), false),
    node(Some(15), Level::Strategy, 0, Some(4), false),
];

/// Where orders come from.
pub(super) const LEAVES: &[u32] = &[3, 4, 5, 13, 14, 15, 16, 17, 18];
pub(super) const ACCOUNTS: &[u32] = &[3, 4, 13, 14, 15, 16];
const STRATEGIES: &[u32] = &[5, 17, 18];
const USERS: &[u32] = &[2, 10, 11, 12];

/// Room for a stream; small, because every stream makes its own stages.
pub(in crate::limit_check::tests) fn capacities() -> Capacities {
    Capacities {
        instruments: 16,
        nodes: 32,
        open_orders: 4_096,
        closed_orders: 8_192,
        node_instruments: 1_024,
        holdings: 256,
        wallets: 64,
        limits: 512,
        cl_ord_ids: 1 << 14,
        exec_ids: 1 << 14,
        sessions: 8,
        limit_stamps: 1 << 16,
        restricted: 256,
        repeats: 8_192,
        executions: 8_192,
        quarantine: 64,
        unsettled: 64,
        lots: 64,
    }
}

/// Builds the firm in the world and in the history alike.
pub(super) fn build() -> (World, History) {
    let mut world = World::with(capacities());
    let mut history = History::default();
    history.rolls.push((0, 0, FIRST_DATE));
    history.rolls.push((0, OTHER, FIRST_DATE + 3));
    world.roll(CalendarId(OTHER), FIRST_DATE + 3);
    add_settlement(&mut world, &mut history);
    add_currencies(&mut world, &mut history);
    add_nodes(&mut world, &mut history);
    for row in instruments() {
        world.send(
            Kind::InstrumentSet,
            &InstrumentSet {
                row,
                ..InstrumentSet::zeroed()
            },
        );
        if row.configured_mark != 0 {
            history.marks.push((row.id.index(), row.configured_mark));
        }
        history.instruments.push(row);
    }
    // The last prices that the world begins with are those of its first two instruments.
    for instrument in 0..2 {
        world.last(instrument, "10");
        history.lasts.push((instrument as usize, dec("10"), world.now_ns));
    }
    (history.at, history.now_ns) = (1, world.now_ns);
    (world, history)
}

/// Monday to Friday.
pub(super) fn is_business_day(date: u32) -> bool {
    (1..=5).contains(&((date + 4) % 7))
}

fn add_settlement(world: &mut World, history: &mut History) {
    let dates = (FIRST_DATE - 7..FIRST_DATE + SETTLE_DAYS).filter(|&date| is_business_day(date));
    let days: Vec<CalendarDay> = dates
        .map(|date| {
            let begins = u64::from(date) * NANOS_PER_DAY;
            CalendarDay {
                roll_ns: begins,
                open_ns: begins,
                close_ns: begins,
                date,
                reserved: 0,
            }
        })
        .collect();
    for chunk in days.chunks(8) {
        world.send(Kind::CalendarSet, &calendar_set(CalendarId(SETTLE), chunk));
    }
    history.rolls.push((0, SETTLE, FIRST_DATE));
    world.roll(CalendarId(SETTLE), FIRST_DATE);
}

fn add_currencies(world: &mut World, history: &mut History) {
    history.rates.push((0, ONE));
    for (id, code, money_dp, rate) in [(1u16, "EUR", 2u8, "1.1"), (2, "BTC", 8, "8000")] {
        let body = CurrencySet {
            code: Text::new(code).unwrap(),
            money_dp,
            currency: CurrencyId(id),
            ..CurrencySet::zeroed()
        };
        world.send(Kind::CurrencySet, &body);
        let rate_of = FxRate {
            rate: dec(rate),
            currency: CurrencyId(id),
            ..FxRate::zeroed()
        };
        world.send(Kind::FxRate, &rate_of);
        history.rates.push((id, dec(rate)));
    }
}

fn add_nodes(world: &mut World, history: &mut History) {
    for (id, node) in NODES.iter().enumerate() {
        history.nodes.push(*node);
        if id < 6 {
            continue; // the world has them
        }
        let is_account = node.level == Level::Account as u8;
        let kind = match (is_account, node.is_cash) {
            (false, _) => 0,
            (true, true) => AccountKind::Cash as u8,
            (true, false) => AccountKind::Margin as u8,
        };
        let body = NodeSet {
            level: node.level,
            kind,
            calendar: CalendarId(node.calendar),
            node: NodeId(id as u32),
            parent: NodeId(node.parent.unwrap()),
            account: node.account.map_or(AccountId::NONE, AccountId),
            ..NodeSet::zeroed()
        };
        world.send(
            if is_account {
                Kind::AccountSet
            } else {
                Kind::NodeSet
            },
            &body,
        );
    }
}

/// Shares in two currencies, futures, an inverse contract, a coin, a binary contract; the first two are those of the world.
fn instruments() -> Vec<Instrument> {
    let share = |id: u32, sector: &str| Instrument {
        id: InstrumentId(id),
        sector: Symbol::new(sector).unwrap(),
        avg_order_qty: dec("40"),
        adv: dec("9000"),
        money_dp: 2,
        ..Instrument::default_linear()
    };
    let unclassified = |id| share(id, "");
    vec![
        unclassified(0),
        Instrument {
            settle_days: 1,
            ..unclassified(1)
        },
        Instrument {
            currency: CurrencyId(1),
            configured_mark: dec("9"),
            settle_days: 2,
            settle_calendar: CalendarId(SETTLE),
            ..share(2, "TECH")
        },
        Instrument {
            kind: InstrumentKind::Future as u8,
            mult: 50 * ONE,
            im_buy: dec("60"),
            im_sell: dec("75"),
            configured_mark: dec("10"),
            ..share(3, "ENERGY")
        },
        Instrument {
            kind: InstrumentKind::Inverse as u8,
            mult: 100 * ONE,
            currency: CurrencyId(2),
            money_dp: 8,
            configured_mark: dec("8000"),
            ..share(4, "TECH")
        },
        Instrument {
            kind: InstrumentKind::Crypto as u8,
            lot: dec("0.001"),
            configured_mark: dec("30"),
            ..share(5, "ENERGY")
        },
        Instrument {
            kind: InstrumentKind::Binary as u8,
            configured_mark: dec("0.4"),
            ..share(6, "EVENTS")
        },
        Instrument {
            flags: instrument_flags::EASY_TO_BORROW,
            ..share(7, "TECH")
        },
    ]
}

/// A limit of a type with random figures, somewhere where the type makes sense.
pub(super) fn random_limit(rng: &mut Rng, id: u32, limit_type: LimitType) -> LimitSet {
    let value = |rng: &mut Rng, from: i64, to: i64| i128::from(rng.range(from, to)) * NOTIONAL_ONE;
    let qty = |rng: &mut Rng, from: i64, to: i64| i128::from(rng.range(from, to)) * i128::from(ONE);
    let any_node = rng.below(NODES.len() as u64) as u32;
    let mut filters = true;
    let (mut node, mut soft, mut params) = (any_node, 80, [0i64; 6]);
    let hard = match limit_type {
        LimitType::MaxOrderQty => qty(rng, 80, 400),
        LimitType::MaxOrderNotional => value(rng, 1_500, 30_000),
        LimitType::FatFinger => qty(rng, 2, 6),
        LimitType::AdvOrder => qty(rng, 1, 4),
        LimitType::AdvDay => qty(rng, 5, 60),
        LimitType::PriceCollar => {
            params = collar(rng);
            0
        }
        LimitType::Permission => {
            params = [
                rng.pick(&[0, 5, 7]),
                rng.pick(&[0, 0, 0b11110, 0b10110]),
                rng.pick(&[0, 0, 0b111110, 0b101110]),
                0,
                0,
                0,
            ];
            0
        }
        LimitType::StaleOrder => {
            params[0] = rng.range(300, 5_000);
            0
        }
        LimitType::DupContent => {
            (params[0], params[1]) = (rng.range(500, 20_000), rng.range(1, 4));
            0
        }
        LimitType::OrderRate | LimitType::MsgRate => {
            (filters, soft) = (false, 0);
            params = rng.pick(&[
                [1_000, 0, 1, 0, 0, 0],
                [5_000, 1, 2, 0, 0, 0],
                [20_000, 1, 4, 0, 0, 0],
            ]);
            i128::from(rng.range(4, 40))
        }
        LimitType::RepeatedExec => {
            (filters, soft, node) = (false, 0, rng.pick(STRATEGIES));
            params[0] = rng.range(500, 20_000);
            i128::from(rng.range(3, 8))
        }
        LimitType::ShortSale => {
            node = rng.pick(ACCOUNTS);
            0
        }
        LimitType::SelfTrade => {
            (params[0], node) = (rng.range(0, 4), rng.pick(&[2, 3, 7, 10, 11, 16]));
            0
        }
        LimitType::MaxOpenOrders => i128::from(rng.range(6, 40)),
        LimitType::OpenNotional => value(rng, 5_000, 90_000),
        LimitType::DailyNotional => {
            params[0] = rng.range(0, 3);
            value(rng, 15_000, 400_000)
        }
        LimitType::DailyQty => {
            params[0] = rng.range(0, 3);
            qty(rng, 1_000, 9_000)
        }
        LimitType::OrderToTrade => {
            (filters, params[0]) = (false, rng.range(5, 40));
            i128::from(rng.range(2, 9))
        }
        LimitType::PositionLong | LimitType::PositionShort => qty(rng, 150, 2_500),
        LimitType::LongExposure
        | LimitType::ShortExposure
        | LimitType::NetExposure
        | LimitType::GrossExposure => value(rng, 4_000, 120_000),
        LimitType::Concentration | LimitType::Sector | LimitType::Margin => qty(rng, 10, 120),
        LimitType::Leverage => qty(rng, 1, 4),
        LimitType::BuyingPower => {
            (filters, node) = (false, rng.pick(ACCOUNTS));
            let (credit_line, fee_bps) = (dec("2000") * rng.range(0, 3), rng.range(0, 30));
            let in_base = i64::from(fee_bps % 3 == 1);
            params = [credit_line, fee_bps, rng.range(0, 2), in_base, 0, 0];
            0
        }
        LimitType::RiskPerTrade => {
            node = rng.pick(STRATEGIES);
            qty(rng, 1, 20)
        }
        LimitType::DailyLoss => {
            filters = false;
            params = [rng.range(1, 4), rng.range(0, 2), rng.range(0, 2), 0, 0, 0];
            value(rng, 2_000, 9_000)
        }
        LimitType::MaxDdStatic => {
            (filters, node) = (false, rng.pick(ACCOUNTS));
            params = [dec("50000"), rng.range(1, 4), rng.range(0, 2), 0, 0, 0];
            value(rng, 5_000, 20_000)
        }
        LimitType::MaxDdTrailing => {
            (filters, node) = (false, rng.pick(ACCOUNTS));
            params = [
                dec("50000"),
                rng.range(0, 2),
                rng.pick(&[dec("52000"), i64::MAX]),
                rng.range(1, 3),
                0,
                0,
            ];
            value(rng, 5_000, 20_000)
        }
        LimitType::Emergency => {
            (filters, soft, node) = (false, 0, 0);
            params = [dec("900"), 3_600, 3, Level::User as i64, 0, 0];
            value(rng, 5_000, 20_000)
        }
        LimitType::Restricted | LimitType::MarketHours => 0,
    };
    let is_state = matches!(
        limit_type,
        LimitType::DailyLoss | LimitType::MaxDdStatic | LimitType::MaxDdTrailing
    );
    let action = match rng.below(40) {
        0..=4 => LimitAction::Alert,
        5 | 6 if !matches!(limit_type, LimitType::OrderRate) => LimitAction::Restrict,
        7 if USERS.contains(&node) || ACCOUNTS.contains(&node) => LimitAction::Kill,
        5 | 6 => LimitAction::Slow,
        _ => LimitAction::Reject,
    };
    let mut set = LimitSet {
        hard,
        params,
        label: Code::new(format!("L{id:03}")).unwrap(),
        limit_type: limit_type as u8,
        action: if is_state { LimitAction::Reject } else { action } as u8,
        soft_pct: if rng.one_in(3) { 0 } else { soft },
        limit: LimitId(id),
        node: NodeId(node),
        filter_instrument: InstrumentId::NONE,
        ..LimitSet::zeroed()
    };
    if filters {
        add_filter(rng, &mut set);
    }
    set
}

fn add_filter(rng: &mut Rng, set: &mut LimitSet) {
    match rng.below(6) {
        0 => set.filter_instrument = InstrumentId(rng.below(8) as u32),
        1 => set.filter_kind = rng.range(1, 6) as u8,
        2 => set.filter_sector = Symbol::new(rng.pick(&["TECH", "ENERGY", "EVENTS"])).unwrap(),
        3 => {
            set.filter_sector = Symbol::new(rng.pick(&["TECH", "ENERGY"])).unwrap();
            set.filter_kind = rng.range(1, 5) as u8;
        }
        _ => {}
    }
}

/// Percent or absolute, with each way to treat a stale reference, on both sides or the aggressive one.
fn collar(rng: &mut Rng) -> [i64; 6] {
    let by_percent = rng.one_in(2);
    let (pct, abs) = if by_percent {
        (dec("12"), 0)
    } else {
        (0, dec("1.5"))
    };
    [
        pct,
        abs,
        rng.range(1_000, 90_000),
        rng.range(0, 3),
        dec("2"),
        rng.range(0, 2),
    ]
}
