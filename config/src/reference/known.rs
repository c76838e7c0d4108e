//! What a journal's accepted admin events have set, by name.

use super::REFERENCE_AUTHOR;
use super::parse::UTC_CALENDAR;
use super::rows::{Account, Currency, FxOpening, InstrumentRow, Limit, LotTerms, Node, RestrictedLine};
use bytemuck::Zeroable;
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::codes::{
    AccountKind, InstrumentKind, Level, LimitAction, LimitType, LotMethod, Restriction,
};
use tradewind_domain::event::{
    CalendarSet, CashMove, CurrencySet, Event, FxRate, InstrumentSet, Kind, LimitSet, LotMethodSet, NodeSet,
    RestrictedSet, SymbolChange, Valuation,
};
use tradewind_domain::ids::{AccountId, CalendarId, CurrencyId, InstrumentId, NodeId};
use tradewind_domain::reference::{CalendarDay, Instrument};
use tradewind_domain::text::{Code, Symbol, Text};
use tradewind_domain::time::DayNumber;

/// Each name's row as the journal has it last. Filled by [`Known::observe`] from every event of the journal, in order.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub(super) currencies: BTreeMap<Text<8>, Currency>,
    pub(super) calendars: BTreeMap<Code, (CalendarId, BTreeMap<DayNumber, CalendarDay>)>,
    /// Days whose session somebody else set last.
    pub(super) sessions: BTreeSet<(Code, DayNumber)>,
    pub(super) nodes: BTreeMap<Code, Node>,
    pub(super) accounts: BTreeMap<Code, Account>,
    /// How tax lots are kept, and whether reference data said it last.
    pub(super) lot_terms: BTreeMap<Code, (LotTerms, bool)>,
    pub(super) instruments: BTreeMap<Symbol, InstrumentRow>,
    /// Rates that reference data set; those of the market are the market's.
    pub(super) fx: BTreeMap<Text<8>, FxOpening>,
    /// Limits, and whether reference data set them last.
    pub(super) limits: BTreeMap<Code, (Limit, bool)>,
    /// What RESTRICTED limits say of instruments, and whether reference data said it last. A limit that was removed leaves its
    /// lines: they are in force again when it is.
    pub(super) restricted: BTreeMap<(Code, Symbol), (Restriction, bool)>,
    /// Nodes that have been valued, by our own books too: a first figure is sent once, and never over another.
    pub(super) valued: BTreeSet<Code>,
    /// Accounts and references of deposits.
    pub(super) deposits: BTreeSet<(Code, Text<40>)>,
    currency_names: BTreeMap<CurrencyId, Text<8>>,
    node_names: BTreeMap<NodeId, Code>,
    account_names: BTreeMap<AccountId, Code>,
    instrument_names: BTreeMap<InstrumentId, Symbol>,
    /// Symbols that instruments had: names of theirs still, whose rows are kept like those of the present ones.
    former: BTreeMap<Symbol, InstrumentId>,
}

impl Known {
    /// Takes an event of the journal. Refused events and kinds that set no reference data change nothing.
    pub fn observe(&mut self, event: &Event) {
        let Some(kind) = event.kind().filter(|_| !event.is_rejected()) else {
            return;
        };
        match kind {
            Kind::CurrencySet => self.currency(event.body()),
            Kind::CalendarSet => self.take_days(event.body(), event.tail()),
            Kind::NodeSet | Kind::AccountSet => self.node(event.body()),
            Kind::InstrumentSet => self.instrument(event.body()),
            Kind::LotMethodSet => self.lots(event.body()),
            Kind::SymbolChange => self.rename(event.body()),
            Kind::FxRate if is_reference(event.tail()) => self.fx(event.body()),
            Kind::LimitSet => self.limit(event.body()),
            Kind::RestrictedSet => self.line(event.body()),
            Kind::Deposit => self.deposit(event.body()),
            Kind::Valuation => {
                let node = event.body::<Valuation>().node;
                self.valued.extend(self.node_names.get(&node));
            }
            _ => {}
        }
    }

    /// The limits in force, by label.
    pub fn limits(&self) -> impl Iterator<Item = &Limit> {
        self.limits.values().map(|(limit, _)| limit)
    }

    /// The lines of restricted lists, by limit and instrument.
    pub fn restricted(&self) -> impl Iterator<Item = RestrictedLine> + '_ {
        let line = |(&(limit, instrument), &(restriction, _)): (&(Code, Symbol), &(Restriction, bool))| {
            RestrictedLine {
                limit,
                instrument,
                restriction,
            }
        };
        self.restricted.iter().map(line)
    }

    /// The calendars by name, with their ids and days.
    pub fn calendars(&self) -> impl Iterator<Item = (Code, CalendarId, &BTreeMap<DayNumber, CalendarDay>)> {
        self.calendars.iter().map(|(name, (id, days))| (*name, *id, days))
    }

    /// One of them.
    pub fn calendar(&self, name: &Code) -> Option<(CalendarId, &BTreeMap<DayNumber, CalendarDay>)> {
        self.calendars.get(name).map(|(id, days)| (*id, days))
    }

    /// The days of a calendar, by date; none for the built-in one and for one that is not known.
    pub fn calendar_days(&self, name: &str) -> impl Iterator<Item = &CalendarDay> {
        let found = Code::new(name).ok().and_then(|name| self.calendars.get(&name));
        found.into_iter().flat_map(|(_, days)| days.values())
    }

    /// The base currency: the first that was set.
    pub(super) fn base_currency(&self) -> Option<Text<8>> {
        self.currency_names.first_key_value().map(|(_, name)| *name)
    }

    /// Name of a calendar; the number where it is not known.
    fn calendar_name(&self, id: CalendarId) -> Code {
        if id == CalendarId::UTC {
            return Code::lossy(UTC_CALENDAR);
        }
        let found = self.calendars.iter().find(|(_, (other, _))| *other == id);
        found.map_or_else(|| Code::lossy(id.to_string()), |(name, _)| *name)
    }

    fn currency(&mut self, body: &CurrencySet) {
        self.currency_names.insert(body.currency, body.code);
        self.currencies.insert(
            body.code,
            Currency {
                code: body.code,
                decimals: body.money_dp,
            },
        );
    }

    fn take_days(&mut self, body: &CalendarSet, tail: &[u8]) {
        let (id, days) = self.calendars.entry(body.code).or_default();
        *id = body.calendar;
        let is_ours = tail.is_empty() || is_reference(tail);
        for day in body.days.iter().take(usize::from(body.count)) {
            days.insert(day.date, *day);
            let key = (body.code, day.date);
            if is_ours {
                self.sessions.remove(&key);
            } else {
                self.sessions.insert(key);
            }
        }
    }

    fn node(&mut self, body: &NodeSet) {
        let Some(level) = Level::from_code(body.level) else {
            return;
        };
        let (code, calendar) = (body.code, self.calendar_name(body.calendar));
        // The parent stands in the body by name and by id; names are input and always there.
        let parent = body.parent_code;
        self.node_names.insert(body.node, code);
        if level != Level::Account {
            self.nodes.insert(
                code,
                Node {
                    code,
                    level,
                    parent,
                    calendar,
                },
            );
            return;
        }
        let kind = AccountKind::from_code(body.kind).unwrap_or(AccountKind::Cash);
        self.account_names.insert(body.account, code);
        self.accounts.insert(
            code,
            Account {
                code,
                parent,
                kind,
                currency: body.currency_code,
                calendar,
            },
        );
    }

    fn lots(&mut self, body: &LotMethodSet) {
        let account = self.account_names.get(&body.account).copied();
        if let (Some(account), Some(method)) = (account, LotMethod::from_code(body.method)) {
            let terms = LotTerms {
                account,
                method,
                fee_in_basis: body.fee_in_basis != 0,
            };
            let is_ours = body.author.as_str() == REFERENCE_AUTHOR;
            self.lot_terms.insert(account, (terms, is_ours));
        }
    }

    fn rename(&mut self, change: &SymbolChange) {
        self.instrument_names.insert(change.instrument, change.symbol);
        self.former.remove(&change.symbol);
        self.former.insert(change.symbol_before, change.instrument);
        if let Some(mut row) = self.instruments.get(&change.symbol_before).cloned() {
            row.row.symbol = change.symbol;
            self.instruments.insert(change.symbol, row);
        }
    }

    fn instrument(&mut self, body: &InstrumentSet) {
        let calendar = self.calendar_name(body.row.calendar);
        let settlement = |id: CalendarId| match id {
            CalendarId::UTC => Code::EMPTY,
            id => self.calendar_name(id),
        };
        let (settle_calendar, cash_calendar) = (
            settlement(body.row.settle_calendar),
            settlement(body.row.cash_calendar),
        );
        let row = Instrument {
            id: InstrumentId::zeroed(),
            currency: CurrencyId::zeroed(),
            calendar: CalendarId::zeroed(),
            settle_calendar: CalendarId::zeroed(),
            cash_calendar: CalendarId::zeroed(),
            money_dp: 0,
            ..body.row
        };
        self.instrument_names.insert(body.row.id, row.symbol);
        let row = InstrumentRow {
            row,
            currency: body.currency_code,
            calendar,
            settle_calendar,
            cash_calendar,
        };
        let former = self.former.iter().filter(|(_, id)| **id == body.row.id);
        for (symbol, _) in former {
            let mut row = row;
            row.row.symbol = *symbol;
            self.instruments.insert(*symbol, row);
        }
        self.instruments.insert(row.row.symbol, row);
    }

    fn fx(&mut self, body: &FxRate) {
        if let Some(&currency) = self.currency_names.get(&body.currency) {
            self.fx.insert(
                currency,
                FxOpening {
                    currency,
                    rate: body.rate,
                },
            );
        }
    }

    fn limit(&mut self, body: &LimitSet) {
        let types = LimitType::from_code(body.limit_type).zip(LimitAction::from_code(body.action));
        let Some((limit_type, action)) = types.filter(|_| body.removed == 0) else {
            self.limits.remove(&body.label);
            return;
        };
        let limit = Limit {
            label: body.label,
            scope: self.node_names.get(&body.node).copied().unwrap_or_default(),
            limit_type,
            hard: body.hard,
            soft_pct: body.soft_pct,
            action,
            params: body.params,
            instrument: self
                .instrument_names
                .get(&body.filter_instrument)
                .copied()
                .unwrap_or_default(),
            kind: InstrumentKind::from_code(body.filter_kind),
            sector: body.filter_sector,
        };
        let is_ours = body.author.as_str() == REFERENCE_AUTHOR;
        self.limits.insert(body.label, (limit, is_ours));
    }

    fn line(&mut self, body: &RestrictedSet) {
        let Some(&instrument) = self.instrument_names.get(&body.instrument) else {
            return;
        };
        let is_ours = body.author.as_str() == REFERENCE_AUTHOR;
        match Restriction::from_code(body.restriction) {
            Some(restriction) => drop(
                self.restricted
                    .insert((body.label, instrument), (restriction, is_ours)),
            ),
            None => drop(self.restricted.remove(&(body.label, instrument))),
        }
    }

    fn deposit(&mut self, body: &CashMove) {
        if let Some(&account) = self.account_names.get(&body.account) {
            self.deposits.insert((account, body.reference));
        }
    }
}

/// True for the tail of an event that reference data sent, at a start or since.
fn is_reference(tail: &[u8]) -> bool {
    tail.starts_with(REFERENCE_AUTHOR.as_bytes())
}
