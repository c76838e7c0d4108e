//! When trades settle: rules by kind of instrument and by currency, dated, that instruments without a rule of their own follow.
//!
//! A rule names the settlement calendar of the market, whose roll is the settlement run, and the one of the currency where it has days
//! off of its own; `from` says the trade date from which its days count.

use super::fields::Fields;
use tradewind_domain::codes::InstrumentKind;
use tradewind_domain::reference::Instrument;
use tradewind_domain::text::{Code, Text};
use tradewind_domain::time::DayNumber;

/// Keys of a rule.
pub(super) const KEYS: [&str; 6] = ["kind", "currency", "calendar", "cash_calendar", "days", "from"];

/// Keys of an instrument that has a rule of its own.
pub(super) const INSTRUMENT_KEYS: [&str; 3] = ["settle_calendar", "cash_calendar", "settle_days"];

/// The longest time from trade to settlement, in business days.
const DAYS_MAX: i64 = 30;

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    kind: InstrumentKind,
    /// Only instruments in this currency; empty for those that no other rule is about.
    pub(super) currency: Text<8>,
    pub(super) calendar: Code,
    /// Empty for none.
    pub(super) cash_calendar: Code,
    days: u8,
    /// First trade date; 0 for all.
    from: DayNumber,
}

impl Rule {
    /// Reads a table.
    pub(super) fn read(fields: &mut Fields<'_, '_, '_, '_>) -> Self {
        let kinds: Vec<_> = InstrumentKind::ALL
            .iter()
            .map(|kind| (kind.text(), *kind))
            .collect();
        Self {
            kind: fields
                .choice("kind", None, &kinds)
                .unwrap_or(InstrumentKind::Equity),
            currency: fields.text("currency", Some("")),
            calendar: fields.text("calendar", None),
            cash_calendar: fields.text("cash_calendar", Some("")),
            days: fields.whole("days", None, 0, DAYS_MAX) as u8,
            from: fields.date("from"),
        }
    }
}

/// What an instrument's row says of settlement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Terms {
    /// Empty: executions settle at once.
    pub(super) calendar: Code,
    pub(super) cash_calendar: Code,
    days: u8,
    later_from: DayNumber,
    days_later: u8,
}

impl Terms {
    /// The terms that an instrument names itself; `None` where it names no calendar.
    pub(super) fn own(fields: &mut Fields<'_, '_, '_, '_>) -> Option<Self> {
        let days = fields.whole("settle_days", Some(0), 0, DAYS_MAX) as u8;
        let cash_calendar = fields.text("cash_calendar", Some(""));
        fields.has("settle_calendar").then(|| Self {
            calendar: fields.text("settle_calendar", None),
            cash_calendar,
            days,
            ..Self::default()
        })
    }

    /// The terms that the rules give: those of the kind and currency, else those of the kind alone. Of several dates the last two count.
    pub(super) fn of(rules: &[Rule], kind: InstrumentKind, currency: Text<8>) -> Self {
        let find = |currency: Text<8>| {
            let mut found: Vec<Rule> = rules
                .iter()
                .filter(|rule| rule.kind == kind && rule.currency == currency)
                .copied()
                .collect();
            found.sort_by_key(|rule| rule.from);
            found
        };
        let mut found = find(currency);
        if found.is_empty() {
            found = find(Text::EMPTY);
        }
        let Some(last) = found.pop() else {
            return Self::default();
        };
        let before = found.pop().filter(|before| before.days != last.days);
        Self {
            calendar: last.calendar,
            cash_calendar: last.cash_calendar,
            days: before.map_or(last.days, |before| before.days),
            later_from: before.map_or(0, |_| last.from),
            days_later: before.map_or(0, |_| last.days),
        }
    }

    /// Writes the days; calendars become ids where the events are made.
    pub(super) fn write(&self, row: &mut Instrument) {
        row.settle_days = self.days;
        row.settle_later_from = self.later_from;
        row.settle_days_later = self.days_later;
    }
}
