//! Rows of reference data with names in place of ids, as files and journals share them.

use crate::limit_units::{LimitUnit, limit_spec};
use tradewind_domain::codes::{
    AccountKind, InstrumentKind, Level, LimitAction, LimitType, LotMethod, Restriction,
};
use tradewind_domain::fixed::{Money, Notional, Price};
use tradewind_domain::reference::Instrument;
use tradewind_domain::text::{Code, Symbol, Text};
use tradewind_domain::time::Date;

/// A currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency {
    /// Code.
    pub code: Text<8>,
    /// Decimals of the minor unit, at most 8.
    pub decimals: u8,
}

/// A node that is no account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Code.
    pub code: Code,
    /// Level.
    pub level: Level,
    /// Code of the parent; empty for the firm.
    pub parent: Code,
    /// Name of the calendar whose roll resets its daily counters.
    pub calendar: Code,
}

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Code, among those of the nodes.
    pub code: Code,
    /// Code of the parent.
    pub parent: Code,
    /// Cash or margin.
    pub kind: AccountKind,
    /// Base currency.
    pub currency: Text<8>,
    /// Name of the calendar whose roll resets its daily counters.
    pub calendar: Code,
}

/// How the tax lots of an account are kept, where a file says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LotTerms {
    /// Account.
    pub account: Code,
    /// Which lots close first.
    pub method: LotMethod,
    /// True where fees of purchases are part of the cost and fees of sales are taken from the proceeds.
    pub fee_in_basis: bool,
}

/// An instrument. In `row`, the ids and `money_dp` are zero: they are normalize's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstrumentRow {
    /// What the event carries.
    pub row: Instrument,
    /// Currency of prices and money.
    pub currency: Text<8>,
    /// Name of the calendar.
    pub calendar: Code,
    /// Name of the settlement calendar of its market; empty: its trades settle at once.
    pub settle_calendar: Code,
    /// Name of the settlement calendar of its currency; empty for none.
    pub cash_calendar: Code,
}

/// A currency's rate to open with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FxOpening {
    /// Currency.
    pub currency: Text<8>,
    /// Base currency units per unit of it, at 1e-8.
    pub rate: i64,
}

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Label.
    pub label: Code,
    /// Code of the node that it binds.
    pub scope: Code,
    /// Type.
    pub limit_type: LimitType,
    /// Hard limit in the scale of its type's unit.
    pub hard: i128,
    /// Warning threshold in percent; 0 for none.
    pub soft_pct: u8,
    /// What a breach does.
    pub action: LimitAction,
    /// Parameters by the type's table.
    pub params: [i64; 6],
    /// Only this instrument; empty for all.
    pub instrument: Symbol,
    /// Only this kind; `None` for all.
    pub kind: Option<InstrumentKind>,
    /// Only this sector; empty for all.
    pub sector: Symbol,
}

/// A line of a restricted list: what a RESTRICTED limit says of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestrictedLine {
    /// Label of the limit.
    pub limit: Code,
    /// The instrument.
    pub instrument: Symbol,
    /// What it may not be used for.
    pub restriction: Restriction,
}

/// What a node is worth at the first start beside the deposits that follow, until somebody values it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningValuation {
    /// Node or account.
    pub scope: Code,
    /// Equity in base currency.
    pub equity: Money,
    /// Balance in base currency.
    pub balance: Money,
}

/// Money that an account has at the first start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// Account.
    pub account: Code,
    /// Currency.
    pub currency: Text<8>,
    /// Amount, above zero.
    pub amount: Money,
}

impl Deposit {
    /// Reference of its booking, or `None` where the names are too long for one.
    pub(super) fn reference(&self) -> Option<Text<40>> {
        Text::new(format!("opening-{}-{}", self.account, self.currency)).ok()
    }
}

/// A row that has a name and fields to compare.
pub(super) trait Named {
    /// What it is, for people.
    const WHAT: &'static str;
    /// Its name.
    fn name(&self) -> String;
    /// Its fields as people read them, always the same ones in the same order.
    fn fields(&self) -> Vec<(&'static str, String)>;

    /// One line about a row that is new.
    fn added_line(&self) -> String {
        let fields = self.fields().into_iter().filter(|(_, value)| !value.is_empty());
        let fields: Vec<String> = fields.map(|(field, value)| format!("{field} {value}")).collect();
        format!("{} {}: new, {}", Self::WHAT, self.name(), fields.join(", "))
    }

    /// One line about a row that differs from `before`.
    fn changed_line(&self, before: &Self) -> String {
        let shown = |value: String| {
            if value.is_empty() {
                "none".to_owned()
            } else {
                value
            }
        };
        let changes: Vec<String> = before
            .fields()
            .into_iter()
            .zip(self.fields())
            .filter(|(old, new)| old != new)
            .map(|((field, old), (_, new))| format!("{field} {} -> {}", shown(old), shown(new)))
            .collect();
        format!("{} {}: {}", Self::WHAT, self.name(), changes.join(", "))
    }
}

impl Named for Currency {
    const WHAT: &'static str = "currency";
    fn name(&self) -> String {
        self.code.to_string()
    }
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![("decimals", self.decimals.to_string())]
    }
}

impl Named for Node {
    const WHAT: &'static str = "node";
    fn name(&self) -> String {
        self.code.to_string()
    }
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("level", self.level.to_string()),
            ("parent", self.parent.to_string()),
            ("calendar", self.calendar.to_string()),
        ]
    }
}

impl Named for Account {
    const WHAT: &'static str = "account";
    fn name(&self) -> String {
        self.code.to_string()
    }
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("parent", self.parent.to_string()),
            ("kind", self.kind.to_string()),
            ("currency", self.currency.to_string()),
            ("calendar", self.calendar.to_string()),
        ]
    }
}

impl Named for LotTerms {
    const WHAT: &'static str = "tax lots of";
    fn name(&self) -> String {
        self.account.to_string()
    }
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("lot_method", self.method.to_string()),
            ("fee_in_basis", self.fee_in_basis.to_string()),
        ]
    }
}

impl Named for InstrumentRow {
    const WHAT: &'static str = "instrument";
    fn name(&self) -> String {
        self.row.symbol.to_string()
    }
    fn fields(&self) -> Vec<(&'static str, String)> {
        let row = &self.row;
        let kind = InstrumentKind::from_code(row.kind).map_or(row.kind.to_string(), |kind| kind.to_string());
        let decimal = |raw: i64| Price::from_raw(raw).to_string();
        vec![
            ("kind", kind),
            ("currency", self.currency.to_string()),
            ("calendar", self.calendar.to_string()),
            ("sector", row.sector.to_string()),
            ("mult", decimal(row.mult)),
            ("tick", decimal(row.tick)),
            ("lot", decimal(row.lot)),
            ("mark", decimal(row.configured_mark)),
            ("collar_bps", row.collar_bps.to_string()),
            ("collar_max_age_ms", row.collar_max_age_ms.to_string()),
            ("adv", decimal(row.adv)),
            ("avg_order_qty", decimal(row.avg_order_qty)),
            ("im_buy", decimal(row.im_buy)),
            ("im_sell", decimal(row.im_sell)),
            ("flags", row.flags.to_string()),
            ("settle_calendar", self.settle_calendar.to_string()),
            ("cash_calendar", self.cash_calendar.to_string()),
            ("settle_days", days_text(row)),
        ]
    }
}

/// Business days to settlement, and the ones that follow; empty where trades settle at once.
fn days_text(row: &Instrument) -> String {
    match (row.settle_days, row.settle_later_from) {
        (0, 0) => String::new(),
        (days, 0) => days.to_string(),
        (days, from) => format!("{days}, from {} {}", Date(from), row.settle_days_later),
    }
}

impl Named for FxOpening {
    const WHAT: &'static str = "fx";
    fn name(&self) -> String {
        self.currency.to_string()
    }
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![("rate", Price::from_raw(self.rate).to_string())]
    }
}

impl Named for Limit {
    const WHAT: &'static str = "limit";
    fn name(&self) -> String {
        self.label.to_string()
    }
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("type", self.limit_type.to_string()),
            ("scope", self.scope.to_string()),
            ("hard", self.hard_text()),
            ("soft_pct", self.soft_pct.to_string()),
            ("action", self.action.to_string()),
            ("params", self.params_text()),
            ("instrument", self.instrument.to_string()),
            ("kind", self.kind.map(|kind| kind.to_string()).unwrap_or_default()),
            ("sector", self.sector.to_string()),
        ]
    }
}

impl Limit {
    /// The hard limit as a file would have it.
    pub(super) fn hard_text(&self) -> String {
        match limit_spec(self.limit_type).map(|spec| spec.unit) {
            Some(LimitUnit::Value) => Notional::from_raw(self.hard).to_string(),
            Some(LimitUnit::Quantity | LimitUnit::Multiple | LimitUnit::Percent) => {
                Money::from_raw(self.hard).to_string()
            }
            _ => self.hard.to_string(),
        }
    }

    fn params_text(&self) -> String {
        let specs = limit_spec(self.limit_type).map_or(&[][..], |spec| spec.params);
        let shown: Vec<String> = specs
            .iter()
            .map(|spec| format!("{}={}", spec.name, spec.kind.show(self.params[spec.index])))
            .collect();
        shown.join(" ")
    }
}

impl Named for RestrictedLine {
    const WHAT: &'static str = "restricted list";
    fn name(&self) -> String {
        format!("{}, {}", self.limit, self.instrument)
    }
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![("restriction", self.restriction.to_string())]
    }
}

impl Named for OpeningValuation {
    const WHAT: &'static str = "valuation";
    fn name(&self) -> String {
        self.scope.to_string()
    }
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("equity", self.equity.to_string()),
            ("balance", self.balance.to_string()),
        ]
    }
}

impl Named for Deposit {
    const WHAT: &'static str = "deposit";
    fn name(&self) -> String {
        format!("{} {}", self.account, self.currency)
    }
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![("amount", self.amount.to_string())]
    }
}
