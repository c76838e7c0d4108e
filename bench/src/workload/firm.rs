//! The firm that trades: one currency, instruments, FIRM > ORG > DESK > USER > accounts, twelve limits on every chain, cash.
//!
//! Twenty accounts to a user, ten users to a desk, ten desks to an organisation. Every order meets each of the twelve limit
//! types that this version evaluates once, spread over the five levels; the figures are generous, so that they are computed
//! and never stop anything but the orders that are meant to be refused ([`QTY_TOO_LARGE`]).

use bytemuck::Zeroable;
use std::fmt;
use tradewind_domain::codes::{AccountKind, Level, LimitAction, LimitType};
use tradewind_domain::event::{
    Capacities, CashMove, CurrencySet, InboundLong, InstrumentSet, Kind, LimitSet, NodeSet,
};
use tradewind_domain::fixed::{Money, NOTIONAL_ONE, ONE};
use tradewind_domain::ids::{InstrumentId, SessionId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::text::{Code, ExecId, Symbol, Text};

const ACCOUNTS_PER_USER: u32 = 20;
const USERS_PER_DESK: u32 = 10;
const DESKS_PER_ORG: u32 = 10;
/// Instruments that an account trades, as long as there are no more than [`PAIRS_MAX`] pairs.
const INSTRUMENTS_PER_ACCOUNT: u32 = 4;
/// Pairs of account and instrument, but at least one for each account.
const PAIRS_MAX: u32 = 1_000_000;
/// Cash of each account, units of currency.
const DEPOSIT: i128 = 100_000_000;
/// Limit of L01, units.
const ORDER_QTY_MAX: i64 = 10_000;
/// Quantity of the orders that L01 refuses, units; every other limit would let them pass.
pub(super) const QTY_TOO_LARGE: i64 = 20_000;
/// The client session.
pub(super) const SESSION: SessionId = SessionId(1);
/// Table sizes that bind nothing here.
const OPEN_ORDERS: u32 = 16_384;
const ROOM: u32 = 64;

/// One limit of every node of a level.
struct Rule {
    level: Level,
    limit_type: LimitType,
    /// In the type's unit.
    hard: i128,
    params: [i64; 6],
}

const QTY: i128 = ONE as i128;
/// GCRA over a second; a billion a second is the highest rate that can be set.
const RATE: i128 = 1_000_000_000;
const RATE_PARAMS: [i64; 6] = [1_000, 1, RATE as i64, 0, 0, 0];
const NO_PARAMS: [i64; 6] = [0; 6];

const fn rule(level: Level, limit_type: LimitType, hard: i128, params: [i64; 6]) -> Rule {
    Rule {
        level,
        limit_type,
        hard,
        params,
    }
}

/// The limits that every order meets, by level.
static RULES: [Rule; LIMITS_ON_CHAIN as usize] = [
    rule(
        Level::Account,
        LimitType::MaxOrderQty,
        ORDER_QTY_MAX as i128 * QTY,
        NO_PARAMS,
    ),
    // A fee estimate of one basis point; no credit line.
    rule(Level::Account, LimitType::BuyingPower, 0, [0, 1, 0, 0, 0, 0]),
    rule(
        Level::User,
        LimitType::MaxOrderNotional,
        100_000_000 * NOTIONAL_ONE,
        NO_PARAMS,
    ),
    rule(Level::User, LimitType::FatFinger, 100 * QTY, NO_PARAMS),
    rule(Level::User, LimitType::OrderRate, RATE, RATE_PARAMS),
    rule(
        Level::Desk,
        LimitType::PositionLong,
        1_000_000_000 * QTY,
        NO_PARAMS,
    ),
    rule(
        Level::Desk,
        LimitType::PositionShort,
        1_000_000_000 * QTY,
        NO_PARAMS,
    ),
    rule(
        Level::Desk,
        LimitType::OpenNotional,
        1_000_000_000_000 * NOTIONAL_ONE,
        NO_PARAMS,
    ),
    rule(Level::Org, LimitType::MaxOpenOrders, 1_000_000, NO_PARAMS),
    rule(
        Level::Org,
        LimitType::DailyQty,
        1_000_000_000_000_000 * QTY,
        NO_PARAMS,
    ),
    rule(
        Level::Firm,
        LimitType::DailyNotional,
        1_000_000_000_000_000 * NOTIONAL_ONE,
        NO_PARAMS,
    ),
    rule(Level::Firm, LimitType::MsgRate, RATE, RATE_PARAMS),
];

/// Limits that each order meets.
pub(super) const LIMITS_ON_CHAIN: u32 = 12;

/// The levels, broad to narrow, each with the letter of its nodes' codes.
const LEVELS: [(Level, u8); 5] = [
    (Level::Firm, b'F'),
    (Level::Org, b'O'),
    (Level::Desk, b'D'),
    (Level::User, b'U'),
    (Level::Account, b'A'),
];

/// Sizes of the firm.
#[derive(Clone, Debug)]
pub(super) struct Firm {
    /// Nodes of each level, as in [`LEVELS`].
    counts: [u32; 5],
    instruments: u32,
    pairs: u32,
}

impl Firm {
    pub(super) fn new(accounts: u32, instruments: u32) -> Self {
        let users = accounts.div_ceil(ACCOUNTS_PER_USER);
        let desks = users.div_ceil(USERS_PER_DESK);
        let orgs = desks.div_ceil(DESKS_PER_ORG);
        let per_account = (PAIRS_MAX / accounts).clamp(1, INSTRUMENTS_PER_ACCOUNT.min(instruments));
        Self {
            counts: [1, orgs, desks, users, accounts],
            instruments,
            pairs: accounts * per_account,
        }
    }

    pub(super) fn accounts(&self) -> u32 {
        self.counts[4]
    }

    pub(super) fn instruments(&self) -> u32 {
        self.instruments
    }

    /// Pairs of account and instrument that trade.
    pub(super) fn pairs(&self) -> u32 {
        self.pairs
    }

    /// Account and instrument of a pair. The instruments of one account differ.
    #[inline]
    pub(super) fn pair(&self, pair: u32) -> (u32, u32) {
        let (account, nth) = (pair % self.accounts(), pair / self.accounts());
        let instrument = (u64::from(account) * 7 + u64::from(nth)) % u64::from(self.instruments);
        (account, instrument as u32)
    }

    pub(super) fn limit_count(&self) -> u32 {
        let nodes = |level| self.count_of(level);
        RULES.iter().map(|rule| nodes(rule.level)).sum()
    }

    fn count_of(&self, level: Level) -> u32 {
        LEVELS
            .iter()
            .zip(self.counts)
            .find(|((held, _), _)| *held == level)
            .map_or(0, |(_, count)| count)
    }

    pub(super) fn event_count(&self) -> u64 {
        let nodes: u64 = self.counts.iter().map(|&count| u64::from(count)).sum();
        1 + nodes + u64::from(self.instruments) + u64::from(self.limit_count()) + u64::from(self.accounts())
    }

    /// Table sizes; those of identifiers are for the caller to set.
    pub(super) fn capacities(&self) -> Capacities {
        // No level has more pairs than the accounts, nor more than its nodes times the instruments.
        let pairs_above: u64 = self.counts[..4]
            .iter()
            .map(|&nodes| (u64::from(nodes) * u64::from(self.instruments)).min(u64::from(self.pairs)))
            .sum();
        let pairs = u64::from(self.pairs) + pairs_above + u64::from(ROOM);
        Capacities {
            instruments: self.instruments + ROOM,
            nodes: self.counts.iter().sum::<u32>() + ROOM,
            open_orders: OPEN_ORDERS,
            closed_orders: OPEN_ORDERS,
            node_instruments: u32::try_from(pairs).unwrap_or(u32::MAX),
            holdings: self.pairs + ROOM,
            wallets: self.accounts() + ROOM,
            limits: self.limit_count() + ROOM,
            sessions: ROOM,
            ..Capacities::default()
        }
    }

    /// The events that make the firm, in an order in which each finds what it names.
    pub(super) fn events(&self) -> impl Iterator<Item = InboundLong> + '_ {
        let nodes = (0..LEVELS.len()).flat_map(|at| (0..self.counts[at]).map(move |number| node(at, number)));
        let limits = RULES
            .iter()
            .enumerate()
            .flat_map(|(at, rule)| (0..self.count_of(rule.level)).map(move |number| limit(at, rule, number)));
        std::iter::once(currency())
            .chain(nodes)
            .chain((0..self.instruments).map(instrument))
            .chain(limits)
            .chain((0..self.accounts()).map(deposit))
    }
}

/// Configured price of an instrument in cents: 20 to 499 dollars.
#[inline]
pub(super) fn price_cents(instrument: u32) -> i64 {
    i64::from(20 + instrument.wrapping_mul(37) % 480) * 100
}

/// A letter and seven digits, as accounts and instruments are called.
#[inline]
pub(super) fn name(letter: u8, number: u32) -> Text<32> {
    let mut bytes = [0; 32];
    bytes[0] = letter;
    let mut rest = number;
    for byte in bytes[1..8].iter_mut().rev() {
        *byte = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    bytemuck::cast(bytes)
}

/// Symbol of an instrument.
#[inline]
pub(super) fn symbol(number: u32) -> Symbol {
    name(b'S', number)
}

/// Code of an account.
#[inline]
pub(super) fn account(number: u32) -> Code {
    name(b'A', number)
}

fn text<const N: usize>(text: impl fmt::Display) -> Text<N> {
    Text::lossy(text.to_string())
}

fn author() -> Code {
    text("bench")
}

fn base() -> Text<8> {
    text("USD")
}

fn currency() -> InboundLong {
    let body = CurrencySet {
        code: base(),
        author: author(),
        money_dp: 2,
        ..CurrencySet::zeroed()
    };
    InboundLong::new(Kind::CurrencySet, &body)
}

fn node(at: usize, number: u32) -> InboundLong {
    let (level, letter) = LEVELS[at];
    let parent = |children: u32| name(LEVELS[at - 1].1, number / children);
    let parent_code = match level {
        Level::Firm => Code::EMPTY,
        Level::Org => name(LEVELS[0].1, 0),
        Level::Desk => parent(DESKS_PER_ORG),
        Level::User => parent(USERS_PER_DESK),
        Level::Account | Level::Strategy => parent(ACCOUNTS_PER_USER),
    };
    let is_account = level == Level::Account;
    let body = NodeSet {
        code: name(letter, number),
        parent_code,
        author: author(),
        currency_code: base(),
        level: level as u8,
        kind: if is_account { AccountKind::Margin as u8 } else { 0 },
        ..NodeSet::zeroed()
    };
    let kind = if is_account {
        Kind::AccountSet
    } else {
        Kind::NodeSet
    };
    InboundLong::new(kind, &body)
}

fn instrument(number: u32) -> InboundLong {
    let row = Instrument {
        symbol: symbol(number),
        configured_mark: price_cents(number) * (ONE / 100),
        collar_bps: 1_000,
        // A day: a paced run trades an instrument rarely, and its last price must not grow stale meanwhile.
        collar_max_age_ms: 86_400_000,
        avg_order_qty: 300 * ONE,
        id: InstrumentId::NONE,
        ..Instrument::default_linear()
    };
    let body = InstrumentSet {
        row,
        author: author(),
        currency_code: base(),
        ..InstrumentSet::zeroed()
    };
    InboundLong::new(Kind::InstrumentSet, &body)
}

fn limit(at: usize, rule: &Rule, number: u32) -> InboundLong {
    let letter = LEVELS
        .iter()
        .find(|(level, _)| *level == rule.level)
        .map_or(b'?', |(_, letter)| *letter);
    let node = name(letter, number);
    let body = LimitSet {
        hard: rule.hard,
        params: rule.params,
        label: text(format_args!("R{at:02}-{node}")),
        author: author(),
        limit_type: rule.limit_type as u8,
        action: LimitAction::Reject as u8,
        soft_pct: 80,
        ..LimitSet::zeroed()
    };
    InboundLong::new(Kind::LimitSet, &body).named(Symbol::EMPTY, node)
}

fn deposit(number: u32) -> InboundLong {
    let reference: ExecId = text(format_args!("open-{number}"));
    let body = CashMove {
        reference,
        session: SESSION,
        amount: Money::from_raw(DEPOSIT * i128::from(ONE)),
        ..CashMove::zeroed()
    };
    InboundLong::new(Kind::Deposit, &body).named(text("USD"), account(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_printable_and_unique() {
        assert_eq!(name(b'A', 7), Text::new("A0000007").unwrap());
        assert_eq!(name(b'A', 1_000_000), Text::new("A1000000").unwrap());
    }

    #[test]
    fn the_instruments_of_an_account_differ() {
        for (accounts, instruments) in [(1, 1), (3, 2), (1_000, 100), (7, 3)] {
            let firm = Firm::new(accounts, instruments);
            let mut pairs: Vec<_> = (0..firm.pairs()).map(|pair| firm.pair(pair)).collect();
            pairs.sort_unstable();
            pairs.dedup();
            assert_eq!(pairs.len(), firm.pairs() as usize);
            assert!(pairs.iter().all(|&(a, i)| a < accounts && i < instruments));
        }
    }

    #[test]
    fn a_million_accounts_trade_a_million_pairs() {
        assert_eq!(Firm::new(1_000_000, 100).pairs(), 1_000_000);
        assert_eq!(Firm::new(1_000, 100).pairs(), 4_000);
    }

    #[test]
    fn there_are_as_many_events_as_are_announced() {
        let firm = Firm::new(1_234, 17);
        assert_eq!(firm.events().count() as u64, firm.event_count());
    }

    #[test]
    fn the_twelve_limits_are_of_twelve_types_on_five_levels() {
        let mut types: Vec<_> = RULES.iter().map(|rule| rule.limit_type).collect();
        let mut levels: Vec<_> = RULES.iter().map(|rule| rule.level).collect();
        types.sort_unstable();
        types.dedup();
        levels.sort_unstable();
        levels.dedup();
        assert_eq!((types.len(), levels.len()), (12, 5));
    }
}
