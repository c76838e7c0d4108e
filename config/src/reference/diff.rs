//! The difference between a file and what a journal knows, as admin events with a line for people.

use super::known::Known;
use super::parse::UTC_CALENDAR;
use super::rows::{
    Account, Currency, Deposit, FxOpening, InstrumentRow, Limit, LotTerms, Named, Node, OpeningValuation,
    RestrictedLine,
};
use super::{REFERENCE_AUTHOR, ReferenceData};
use crate::calendar::Calendar;
use crate::problem::{ConfigError, Problem};
use bytemuck::Zeroable;
use std::collections::BTreeMap;
use tradewind_domain::codes::Level;
use tradewind_domain::event::{
    CalendarSet, CashMove, CurrencySet, FxRate, InboundLong, InstrumentSet, Kind, LimitSet, LotMethodSet,
    NodeSet, RestrictedSet, Valuation,
};
use tradewind_domain::ids::{CalendarId, SessionId};
use tradewind_domain::reference::{CalendarDay, Instrument};
use tradewind_domain::text::{Code, Symbol, Text};
use tradewind_domain::time::{Date, DayNumber};

/// One admin event that a file asks for.
#[derive(Clone)]
pub struct Change {
    /// What it changes, for people: `limit L1: hard 1000 -> 2000`.
    pub line: String,
    /// The event.
    pub event: InboundLong,
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.line)
    }
}

/// Days that one [`CalendarSet`] holds.
const DAYS_PER_EVENT: usize = 8;
/// Days of calendars that are set before and after the present one.
const DAYS_BEFORE: u32 = 5;
const DAYS_AFTER: u32 = 400;

impl ReferenceData {
    /// As [`diff`](Self::diff), for the trading days around a day.
    pub fn diff_around(&self, known: &Known, day: DayNumber) -> Result<Vec<Change>, ConfigError> {
        let (first, last) = (day.saturating_sub(DAYS_BEFORE), day.saturating_add(DAYS_AFTER));
        self.diff(known, first, last)
    }

    /// What is to be changed so that the journal holds this file, in the order in which events must arrive; calendars with
    /// their days from `from_day` to `to_day`, both included. Fails where the file contradicts what can never change:
    /// levels, parents, the base currency, the decimals of currencies, trading days once journaled.
    ///
    /// Limits and lines of restricted lists that reference data set and that are gone from the file are removed; accounts, nodes and
    /// instruments stay.
    /// Limits, lines, lot methods and sessions that somebody else set last are left alone ([`overruled`](Self::overruled) names them, sessions
    /// apart).
    /// Deposits are made once for each account and currency; a node that has been valued is not valued again.
    pub fn diff(
        &self,
        known: &Known,
        from_day: DayNumber,
        to_day: DayNumber,
    ) -> Result<Vec<Change>, ConfigError> {
        let mut diff = Diff {
            known,
            ids: self.calendar_ids(known),
            changes: Vec::new(),
            problems: Vec::new(),
        };
        diff.base_currency(&self.currencies);
        self.currencies.iter().for_each(|row| diff.currency(row));
        self.calendars
            .iter()
            .for_each(|row| diff.calendar(row, from_day, to_day));
        self.hierarchy(&mut diff);
        self.lot_terms.iter().for_each(|row| diff.lot_terms(row));
        self.instruments.iter().for_each(|row| diff.instrument(row));
        self.fx.iter().for_each(|row| diff.fx(row));
        // What is paid in moves the figures that a node has; a floor must not see a node before its money.
        self.valuations.iter().for_each(|row| diff.valuation(row));
        self.deposits.iter().for_each(|row| diff.deposit(row));
        self.limits.iter().for_each(|row| diff.limit(row));
        self.restricted.iter().for_each(|row| diff.line_of_list(row));
        diff.removed_lines(self);
        diff.removed_limits(&self.limits);
        ConfigError::unless(diff.changes, diff.problems)
    }

    /// A line for each limit of this file that is in force as somebody else set it.
    pub fn overruled(&self, known: &Known) -> Vec<String> {
        let line = |row: &Limit| match known.limits.get(&row.label) {
            Some((limit, false)) if limit != row => Some(format!(
                "as operators set it, and not the file: {}",
                row.changed_line(limit)
            )),
            _ => None,
        };
        self.limits.iter().filter_map(line).collect()
    }

    /// Nodes and accounts, broad to narrow, in the order of the file within a level.
    fn hierarchy(&self, diff: &mut Diff<'_>) {
        for level in Level::ALL.iter().rev() {
            self.nodes
                .iter()
                .filter(|row| row.level == *level)
                .for_each(|row| diff.node(row));
            if *level == Level::Account {
                self.accounts.iter().for_each(|row| diff.account(row));
            }
        }
    }

    /// Ids of calendars: those of the journal stay, new ones get the next free ones in the order of the file.
    fn calendar_ids(&self, known: &Known) -> BTreeMap<Code, CalendarId> {
        let mut ids: BTreeMap<Code, CalendarId> = known
            .calendars
            .iter()
            .map(|(name, (id, _))| (*name, *id))
            .collect();
        let mut next = ids.values().map(|id| id.0).max().unwrap_or(CalendarId::UTC.0);
        for calendar in &self.calendars {
            ids.entry(Code::lossy(&calendar.name)).or_insert_with(|| {
                next = next.saturating_add(1);
                CalendarId(next)
            });
        }
        ids.insert(Code::lossy(UTC_CALENDAR), CalendarId::UTC);
        ids
    }
}

struct Diff<'k> {
    known: &'k Known,
    ids: BTreeMap<Code, CalendarId>,
    changes: Vec<Change>,
    problems: Vec<Problem>,
}

impl Diff<'_> {
    /// The line about a row, or `None` where the journal has it so already.
    fn line<T: Named + PartialEq>(row: &T, before: Option<&T>) -> Option<String> {
        match before {
            None => Some(row.added_line()),
            Some(before) if before == row => None,
            Some(before) => Some(row.changed_line(before)),
        }
    }

    fn push(&mut self, line: String, event: InboundLong) {
        self.changes.push(Change { line, event });
    }

    fn refuse(&mut self, subject: String, message: String) {
        self.problems
            .push(Problem::new("reference data", subject, message));
    }

    fn calendar_id(&self, name: Code) -> CalendarId {
        self.ids.get(&name).copied().unwrap_or(CalendarId::UTC)
    }

    fn base_currency(&mut self, currencies: &[Currency]) {
        let base = self.known.base_currency();
        if let Some((old, new)) = base.zip(currencies.first()).filter(|(old, new)| *old != new.code) {
            self.refuse(
                new.name(),
                format!("the base currency of this journal is {old} and never changes"),
            );
        }
    }

    fn currency(&mut self, row: &Currency) {
        let before = self.known.currencies.get(&row.code);
        if let Some(before) = before.filter(|before| before.decimals != row.decimals) {
            return self.refuse(
                row.name(),
                format!(
                    "has {} decimals in the journal, which never change",
                    before.decimals
                ),
            );
        }
        let Some(line) = Self::line(row, before) else {
            return;
        };
        let body = CurrencySet {
            code: row.code,
            author: author(),
            money_dp: row.decimals,
            ..CurrencySet::zeroed()
        };
        self.push(line, InboundLong::new(Kind::CurrencySet, &body));
    }

    fn calendar(&mut self, row: &Calendar, from_day: DayNumber, to_day: DayNumber) {
        let code = Code::lossy(&row.name);
        let known = self.known.calendars.get(&code).map(|(_, days)| days);
        let mut days: Vec<CalendarDay> = row.days(from_day, to_day);
        let is_gone = |date: &&DayNumber| days.binary_search_by_key(*date, |day| day.date).is_err();
        let mut journaled = known.into_iter().flat_map(|days| days.keys());
        if let Some(date) = journaled.find(|date| (from_day..=to_day).contains(*date) && is_gone(date)) {
            let message = "is a trading day in the journal and cannot be taken back; an early close at the opening takes its session";
            return self.refuse(format!("calendar {code}, {}", Date(*date)), message.into());
        }
        days.retain(|day| {
            known.and_then(|days| days.get(&day.date)) != Some(day)
                && !self.known.sessions.contains(&(code, day.date))
        });
        for chunk in days.chunks(DAYS_PER_EVENT) {
            let mut body = CalendarSet {
                code,
                calendar: self.calendar_id(code),
                ..CalendarSet::zeroed()
            };
            body.days[..chunk.len()].copy_from_slice(chunk);
            body.count = chunk.len() as u8;
            let (first, last) = (chunk[0].date, chunk[chunk.len() - 1].date);
            let line = format!(
                "calendar {code}: {} days from {} to {}",
                chunk.len(),
                Date(first),
                Date(last)
            );
            self.push(line, InboundLong::new(Kind::CalendarSet, &body));
        }
    }

    fn node(&mut self, row: &Node) {
        if self.known.accounts.contains_key(&row.code) {
            return self.refuse(
                row.name(),
                "is an account in the journal and cannot become a node".into(),
            );
        }
        let before = self.known.nodes.get(&row.code);
        if let Some(before) = before.filter(|before| (before.level, before.parent) != (row.level, row.parent))
        {
            let message = format!(
                "is {} below {} in the journal, which never changes",
                before.level, before.parent
            );
            return self.refuse(row.name(), message);
        }
        let Some(line) = Self::line(row, before) else {
            return;
        };
        let body = NodeSet {
            level: row.level as u8,
            ..self.node_body(row.code, row.parent, row.calendar)
        };
        self.push(line, InboundLong::new(Kind::NodeSet, &body));
    }

    fn account(&mut self, row: &Account) {
        if self.known.nodes.contains_key(&row.code) {
            return self.refuse(
                row.name(),
                "is a node in the journal and cannot become an account".into(),
            );
        }
        let before = self.known.accounts.get(&row.code);
        if let Some(before) = before.filter(|before| before.parent != row.parent) {
            return self.refuse(
                row.name(),
                format!("is below {} in the journal, which never changes", before.parent),
            );
        }
        let Some(line) = Self::line(row, before) else {
            return;
        };
        let body = NodeSet {
            level: Level::Account as u8,
            kind: row.kind as u8,
            currency_code: row.currency,
            ..self.node_body(row.code, row.parent, row.calendar)
        };
        self.push(line, InboundLong::new(Kind::AccountSet, &body));
    }

    /// Terms that an operator has set since are left alone.
    fn lot_terms(&mut self, row: &LotTerms) {
        let before = match self.known.lot_terms.get(&row.account) {
            Some((_, false)) => return,
            known => known.map(|(terms, _)| terms),
        };
        let Some(line) = Self::line(row, before) else {
            return;
        };
        let body = LotMethodSet {
            author: author(),
            method: row.method as u8,
            fee_in_basis: u8::from(row.fee_in_basis),
            ..LotMethodSet::zeroed()
        };
        let event = InboundLong::new(Kind::LotMethodSet, &body).named(Symbol::EMPTY, row.account);
        self.push(line, event);
    }

    fn node_body(&self, code: Code, parent_code: Code, calendar: Code) -> NodeSet {
        NodeSet {
            code,
            parent_code,
            author: author(),
            calendar: self.calendar_id(calendar),
            ..NodeSet::zeroed()
        }
    }

    fn instrument(&mut self, row: &InstrumentRow) {
        let Some(line) = Self::line(row, self.known.instruments.get(&row.row.symbol)) else {
            return;
        };
        let body = InstrumentSet {
            row: Instrument {
                calendar: self.calendar_id(row.calendar),
                settle_calendar: self.calendar_id(row.settle_calendar),
                cash_calendar: self.calendar_id(row.cash_calendar),
                ..row.row
            },
            author: author(),
            currency_code: row.currency,
            ..InstrumentSet::zeroed()
        };
        let event = InboundLong::new(Kind::InstrumentSet, &body).named(row.row.symbol, Code::EMPTY);
        self.push(line, event);
    }

    fn fx(&mut self, row: &FxOpening) {
        let Some(line) = Self::line(row, self.known.fx.get(&row.currency)) else {
            return;
        };
        let body = FxRate {
            rate: row.rate,
            rate_dp: 8,
            ..FxRate::zeroed()
        };
        let event = InboundLong::new(Kind::FxRate, &body).named(symbol(row.currency), Code::EMPTY);
        // The tail tells this rate from the market's when the journal is read again.
        self.push(line, event.with_tail(REFERENCE_AUTHOR.as_bytes()));
    }

    /// A limit that somebody else has changed stays as it is: a restart never undoes what an operator did.
    fn limit(&mut self, row: &Limit) {
        let before = match self.known.limits.get(&row.label) {
            Some((_, false)) => return,
            before => before.map(|(limit, _)| limit),
        };
        if let Some(line) = Self::line(row, before) {
            self.push(line, limit_event(row, 0));
        }
    }

    fn removed_limits(&mut self, limits: &[Limit]) {
        for (label, (limit, is_ours)) in &self.known.limits {
            if *is_ours && !limits.iter().any(|row| row.label == *label) {
                self.push(format!("limit {label}: removed"), limit_event(limit, 1));
            }
        }
    }

    /// A line that somebody else has set stays, as a limit does.
    fn line_of_list(&mut self, row: &RestrictedLine) {
        let before = match self.known.restricted.get(&(row.limit, row.instrument)) {
            Some((_, false)) => return,
            known => known.map(|(restriction, _)| RestrictedLine {
                restriction: *restriction,
                ..*row
            }),
        };
        if let Some(line) = Self::line(row, before.as_ref()) {
            self.push(line, line_event(row, row.restriction as u8));
        }
    }

    /// Lines go before their limits, so that a limit that comes back finds an empty list. A limit that is not in force takes no lines.
    fn removed_lines(&mut self, data: &ReferenceData) {
        for (&(limit, instrument), &(restriction, is_ours)) in &self.known.restricted {
            let stays = data
                .restricted
                .iter()
                .any(|row| (row.limit, row.instrument) == (limit, instrument));
            let is_set =
                self.known.limits.contains_key(&limit) || data.limits.iter().any(|row| row.label == limit);
            if is_ours && !stays && is_set {
                let row = RestrictedLine {
                    limit,
                    instrument,
                    restriction,
                };
                self.push(
                    format!("{} {}: removed", RestrictedLine::WHAT, row.name()),
                    line_event(&row, 0),
                );
            }
        }
    }

    fn deposit(&mut self, row: &Deposit) {
        let Some(reference) = row.reference() else { return };
        if self.known.deposits.contains(&(row.account, reference)) {
            return;
        }
        let body = CashMove {
            reference,
            session: SessionId::NONE,
            amount: row.amount,
            ..CashMove::zeroed()
        };
        let event = InboundLong::new(Kind::Deposit, &body).named(symbol(row.currency), row.account);
        self.push(row.added_line(), event);
    }

    fn valuation(&mut self, row: &OpeningValuation) {
        if !self.known.valued.contains(&row.scope) {
            self.push(row.added_line(), valuation_event(row));
        }
    }
}

fn valuation_event(row: &OpeningValuation) -> InboundLong {
    let body = Valuation {
        equity: row.equity,
        balance: row.balance,
        // Our own books go on from it; whoever else values the node later overrides it.
        has_balance: Valuation::OPENING,
        ..Valuation::zeroed()
    };
    InboundLong::new(Kind::Valuation, &body).named(Symbol::EMPTY, row.scope)
}

fn author() -> Code {
    Code::lossy(REFERENCE_AUTHOR)
}

fn symbol(currency: Text<8>) -> Symbol {
    Symbol::lossy(currency.as_bytes())
}

impl Limit {
    /// The admin event that sets it.
    pub fn event(&self) -> InboundLong {
        limit_event(self, 0)
    }
}

fn limit_event(row: &Limit, removed: u8) -> InboundLong {
    let body = LimitSet {
        hard: row.hard,
        params: row.params,
        label: row.label,
        author: author(),
        filter_sector: row.sector,
        limit_type: row.limit_type as u8,
        action: row.action as u8,
        soft_pct: row.soft_pct,
        filter_kind: row.kind.map_or(0, |kind| kind as u8),
        removed,
        ..LimitSet::zeroed()
    };
    InboundLong::new(Kind::LimitSet, &body).named(row.instrument, row.scope)
}

fn line_event(row: &RestrictedLine, restriction: u8) -> InboundLong {
    let body = RestrictedSet {
        label: row.limit,
        author: author(),
        restriction,
        ..RestrictedSet::zeroed()
    };
    InboundLong::new(Kind::RestrictedSet, &body).named(row.instrument, Code::EMPTY)
}
