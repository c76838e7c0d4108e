//! Rows of answers, from text columns in the order in which `build` asks for them.

use crate::error::StoreError;
use crate::read::TextRow;
use crate::schema::Dialect;
use tradewind_books::posting::{Class, Phase, Template};
use tradewind_domain::codes::{Level, LimitType, OrderState, OrderType, Side, TimeInForce};
use tradewind_domain::event::{HitKind, Kind};
use tradewind_domain::fixed::{Money, Notional};
use tradewind_domain::ids::OrderId;
use tradewind_domain::reject::RejectCode;
use tradewind_views::query::history::{
    AuditRow, BarRow, LedgerEntryRow, LimitEventRow, OrderRow, RefusalRow, TradeRow,
};

type Result<T> = std::result::Result<T, StoreError>;

impl TextRow {
    fn owned(&self, at: usize) -> Result<String> {
        Ok(self.text(at)?.to_owned())
    }

    /// Text that may be missing: a name of something that is none.
    fn name(&self, at: usize) -> String {
        self.opt(at).unwrap_or("").to_owned()
    }

    fn ns(&self, at: usize) -> Result<u64> {
        Ok(self.int::<i64>(at)? as u64)
    }

    fn dec(&self, dialect: Dialect, at: usize) -> Result<String> {
        Ok(Money::from_raw(dialect.raw(self.text(at)?, 8)?).to_string())
    }

    fn opt_dec(&self, dialect: Dialect, at: usize) -> Result<Option<String>> {
        self.opt(at).map(|_| self.dec(dialect, at)).transpose()
    }

    fn order_id(&self, at: usize) -> Result<Option<String>> {
        let id = self.opt(at).map(|_| self.int::<i64>(at)).transpose()?;
        Ok(id.map(|id| OrderId(id as u64).to_string()))
    }
}

/// The name of a journaled number; the number itself where this build has none for it.
fn named(number: u8, name: Option<&'static str>) -> String {
    name.map_or_else(|| number.to_string(), str::to_owned)
}

fn kind(number: u16) -> String {
    Kind::from_number(number).map_or_else(|| number.to_string(), |kind| kind.text().to_owned())
}

fn code(number: u16) -> String {
    match number {
        0 => String::new(),
        number => {
            RejectCode::from_number(number).map_or_else(|| number.to_string(), |code| code.text().to_owned())
        }
    }
}

/// Number, part and line where the list has them: the first columns.
pub(super) fn mark(row: &TextRow) -> Result<String> {
    let third = row.text(2)?;
    let (seq, part) = (row.text(0)?, row.text(1)?);
    // A day stands third where there is no line.
    Ok(match third.contains('-') {
        true => format!("{seq}.{part}"),
        false => format!("{seq}.{part}.{third}"),
    })
}

pub(super) fn order_mark(row: &TextRow) -> Result<String> {
    row.owned(0)
}

pub(super) fn bar_mark(row: &TextRow) -> Result<String> {
    row.owned(0)
}

pub(super) fn order(dialect: Dialect, row: &TextRow) -> Result<OrderRow> {
    let (cum, value) = (dialect.raw(row.text(17)?, 8)?, dialect.raw(row.text(19)?, 16)?);
    let (side, ord_type, tif, state) = (row.int(11)?, row.int(12)?, row.int(13)?, row.int(20)?);
    Ok(OrderRow {
        order_id: OrderId(row.int::<i64>(0)? as u64).to_string(),
        day: row.owned(1)?,
        seq: row.ns(2)?,
        last_seq: row.ns(3)?,
        entered_ns: row.ns(4)?,
        updated_ns: row.ns(5)?,
        cl_ord_id: row.owned(6)?,
        session: row.int::<i64>(7)? as u32,
        account: row.name(8),
        node: row.name(9),
        symbol: row.name(10),
        side: named(side, Side::from_code(side).map(Side::text)),
        ord_type: named(ord_type, OrderType::from_code(ord_type).map(OrderType::text)),
        tif: named(tif, TimeInForce::from_code(tif).map(TimeInForce::text)),
        qty: row.dec(dialect, 14)?,
        px: row.opt_dec(dialect, 15)?,
        stop_px: row.opt_dec(dialect, 16)?,
        cum: Money::from_raw(cum).to_string(),
        leaves: row.dec(dialect, 18)?,
        avg_px: average(value, cum),
        state: named(state, OrderState::from_code(state).map(OrderState::text)),
        currency: row.name(21),
        venue_order_id: row.owned(22)?,
    })
}

/// Money at 1e-16 by quantity at 1e-8, half up to 1e-8.
fn average(value: i128, qty: i128) -> Option<String> {
    if qty <= 0 {
        return None;
    }
    let half_up = (value + qty / 2).div_euclid(qty);
    Some(Money::from_raw(half_up).to_string())
}

pub(super) fn trade(dialect: Dialect, row: &TextRow) -> Result<TradeRow> {
    let side = row.int(10)?;
    Ok(TradeRow {
        seq: row.ns(0)?,
        day: row.owned(2)?,
        recv_ns: row.ns(3)?,
        origin_ns: row.opt(4).map_or(Ok(0), |_| row.ns(4))?,
        exec_id: row.owned(5)?,
        order_id: row.order_id(6)?,
        account: row.name(7),
        node: row.name(8),
        symbol: row.name(9),
        side: named(side, Side::from_code(side).map(Side::text)),
        qty: row.dec(dialect, 11)?,
        px: row.dec(dialect, 12)?,
        principal: row.dec(dialect, 13)?,
        fee: row.dec(dialect, 14)?,
        realised: row.dec(dialect, 15)?,
        currency: row.name(16),
        venue: row.opt(17).map(|_| row.int(17)).transpose()?,
        status: match row.int::<i64>(18)? {
            2 => "CORRECTED",
            3 => "BUSTED",
            _ => "BOOKED",
        }
        .to_owned(),
        changed_seq: row.opt(19).map(|_| row.ns(19)).transpose()?,
    })
}

/// Names of classes in the chart of accounts.
pub(crate) const fn class_text(class: Class) -> &'static str {
    match class {
        Class::Cash => "CASH",
        Class::Street => "STREET",
        Class::Bank => "BANK",
        Class::Fees => "FEES",
        Class::Sec => "SEC",
        Class::SecStreet => "SECSTREET",
        Class::Tax => "TAX",
        Class::Div => "DIV",
        Class::FxPool | Class::FxPoolBought => "FXPOOL",
        Class::Borrow => "BORROW",
        Class::Suspense | Class::SuspenseSec => "SUSPENSE",
        Class::CashBought => "CASH",
        // Of a template alone: no account has it.
        Class::Debited | Class::Credited => "",
    }
}

/// Names of phases.
pub(crate) const fn phase_text(phase: Phase) -> &'static str {
    match phase {
        Phase::Pending => "PENDING",
        Phase::Release => "RELEASE",
        Phase::Posted => "POSTED",
        Phase::Unsettled => "UNSETTLED",
        Phase::Settled => "SETTLED",
        Phase::Voided => "VOIDED",
    }
}

/// Those that accounts have; entries name no others.
const CLASSES: [Class; 12] = [
    Class::Cash,
    Class::Street,
    Class::Bank,
    Class::Fees,
    Class::Sec,
    Class::SecStreet,
    Class::Tax,
    Class::Div,
    Class::FxPool,
    Class::Borrow,
    Class::Suspense,
    Class::SuspenseSec,
];
const PHASES: [Phase; 6] = [
    Phase::Pending,
    Phase::Release,
    Phase::Posted,
    Phase::Unsettled,
    Phase::Settled,
    Phase::Voided,
];

/// An account of the books by name: its class, whose it is where it is a client's, and its ledger.
fn chart(number: u8, account: &str, ledger: &str) -> String {
    let class = CLASSES.into_iter().find(|class| *class as u8 == number);
    let text = class.map_or("", class_text);
    match class {
        Some(Class::Cash | Class::Sec | Class::Borrow) => format!("{text}:{account}:{ledger}"),
        Some(_) => format!("{text}:{ledger}"),
        None => format!("{number}:{account}:{ledger}"),
    }
}

pub(super) fn ledger_entry(dialect: Dialect, row: &TextRow) -> Result<LedgerEntryRow> {
    let (template, phase): (u8, u8) = (row.int(5)?, row.int(6)?);
    let (account, ledger) = (row.name(7), row.name(10));
    let found = PHASES.into_iter().find(|known| *known as u8 == phase);
    Ok(LedgerEntryRow {
        seq: row.ns(0)?,
        part: row.int(1)?,
        line: row.int(2)?,
        day: row.owned(3)?,
        recv_ns: row.ns(4)?,
        template: named(template, Template::from_number(template).map(Template::text)),
        phase: named(phase, found.map(phase_text)),
        debit: chart(row.int(8)?, &account, &ledger),
        credit: chart(row.int(9)?, &account, &ledger),
        amount: row.dec(dialect, 11)?,
        account,
        ledger,
    })
}

fn hit_kind(number: u8) -> Option<&'static str> {
    const NAMES: [(HitKind, &str); 4] = [
        (HitKind::Refused, "REFUSED"),
        (HitKind::Warned, "WARNED"),
        (HitKind::Alerted, "ALERTED"),
        (HitKind::Floor, "FLOOR"),
    ];
    let found = NAMES.into_iter().find(|(kind, _)| *kind as u8 == number);
    found.map(|(_, name)| name)
}

pub(super) fn limit_event(_: Dialect, row: &TextRow) -> Result<LimitEventRow> {
    let (hit, limit_type, level) = (row.int(6)?, row.int::<u8>(8)?, row.int(9)?);
    Ok(LimitEventRow {
        seq: row.ns(0)?,
        part: row.int(1)?,
        line: row.int(2)?,
        day: row.owned(3)?,
        recv_ns: row.ns(4)?,
        on: kind(row.int(5)?),
        kind: named(hit, hit_kind(hit)),
        limit: row.name(7),
        limit_type: LimitType::from_code(limit_type).map_or(String::new(), |known| known.text().to_owned()),
        level: named(level, Level::from_code(level).map(Level::text)),
        account: row.name(10),
        symbol: row.name(11),
        order_id: row.order_id(12)?,
        code: code(row.int(13)?),
        used: plain(row.text(14)?),
        hard: row.opt(15).map_or_else(|| "none".to_owned(), plain),
        unit: row.owned(16)?,
    })
}

/// A decimal without trailing zeros.
fn plain(text: &str) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

pub(super) fn refusal(_: Dialect, row: &TextRow) -> Result<RefusalRow> {
    let code_number = row.int(5)?;
    Ok(RefusalRow {
        seq: row.ns(0)?,
        part: row.int(1)?,
        day: row.owned(2)?,
        recv_ns: row.ns(3)?,
        on: kind(row.int(4)?),
        code: code(code_number),
        code_number,
        account: row.name(6),
        symbol: row.name(7),
        identifier: row.owned(8)?,
        text: row.owned(9)?,
    })
}

pub(super) fn audit(_: Dialect, row: &TextRow) -> Result<AuditRow> {
    Ok(AuditRow {
        seq: row.ns(0)?,
        part: row.int(1)?,
        day: row.owned(2)?,
        recv_ns: row.ns(3)?,
        kind: kind(row.int(4)?),
        author: row.owned(5)?,
        second: row.owned(6)?,
        subject: row.owned(7)?,
        detail: row.owned(8)?,
        reason: row.owned(9)?,
        refused: code(row.int(10)?),
    })
}

pub(super) fn bar(dialect: Dialect, row: &TextRow) -> Result<BarRow> {
    Ok(BarRow {
        begin_ns: row.ns(0)?,
        symbol: row.name(1),
        open: row.opt_dec(dialect, 2)?,
        high: row.opt_dec(dialect, 3)?,
        low: row.opt_dec(dialect, 4)?,
        close: row.opt_dec(dialect, 5)?,
        volume: row.dec(dialect, 6)?,
        turnover: Notional::from_raw(dialect.raw(row.text(7)?, 16)?).to_string(),
        trades: row.ns(8)?,
        bid: row.opt_dec(dialect, 9)?,
        ask: row.opt_dec(dialect, 10)?,
        quotes: row.ns(11)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_is_rounded_half_up() {
        assert_eq!(
            average(30_000_000_000_000_000, 200_000_000).as_deref(),
            Some("1.5")
        );
        assert_eq!(
            average(20_000_000_000_000_000, 300_000_000).as_deref(),
            Some("0.66666667")
        );
        assert_eq!(average(0, 0), None);
    }

    #[test]
    fn accounts_of_the_books_have_names() {
        assert_eq!(chart(1, "ACC-1", "USD"), "CASH:ACC-1:USD");
        assert_eq!(chart(6, "ACC-1", "TWX"), "SECSTREET:TWX");
    }
}
