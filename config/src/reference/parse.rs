//! From a TOML document to rows: types, ranges, duplicates, names that are not there.

use super::ReferenceData;
use super::fields::{Fields, Reader};
use super::known::Known;
use super::limits::{self, Read};
use super::rows::{
    Account, Currency, Deposit, FxOpening, InstrumentRow, Limit, LotTerms, Node, OpeningValuation,
};
use super::settlement::{self, Rule, Terms};
use crate::calendar::{Calendar, EarlyClose};
use crate::problem::{ConfigError, Lines};
use bytemuck::Zeroable;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use toml::de::DeTable;
use tradewind_domain::codes::{AccountKind, InstrumentKind, Level, LimitType, LotMethod};
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::reference::{Instrument, instrument_flags};
use tradewind_domain::text::{Code, Text};
use tradewind_domain::time::parse_date;

/// The built-in calendar: every day, rolls at 00:00 UTC.
pub(super) const UTC_CALENDAR: &str = "UTC";

/// Calendars beside the built-in one.
const CALENDARS_MAX: usize = 63;

const SECTIONS: [&str; 10] = [
    "currency",
    "calendar",
    "settlement",
    "node",
    "account",
    "instrument",
    "fx",
    "limit",
    "deposit",
    "valuation",
];

/// Reads a document.
pub(super) fn document(text: &str, file: &str) -> Result<ReferenceData, ConfigError> {
    read(text, file, |parser| parser.run())
}

/// Reads the limits of a document, which may mention what is known already.
pub(super) fn limits(text: &str, file: &str, known: &Known) -> Result<Vec<Limit>, ConfigError> {
    read(text, file, |parser| parser.run_limits(known)).map(|data| data.limits)
}

fn read(
    text: &str,
    file: &str,
    run: impl FnOnce(&mut Parser<'_, '_, '_>),
) -> Result<ReferenceData, ConfigError> {
    let mut reader = Reader {
        file,
        lines: Lines::of(text),
        problems: Vec::new(),
    };
    let (tree, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        reader.problem(error.span().map_or(0, |span| span.start), "", error.message());
    }
    if !errors.is_empty() {
        return Err(ConfigError {
            problems: reader.problems,
        });
    }
    let mut parser = Parser {
        reader,
        data: ReferenceData::default(),
        names: BTreeMap::new(),
        rules: Vec::new(),
        tree: tree.get_ref(),
    };
    run(&mut parser);
    ConfigError::unless(parser.data, parser.reader.problems)
}

/// What a name belongs to; names of one kind are unique.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Space {
    Currency,
    Calendar,
    Node,
    Instrument,
    Limit,
    Fx,
    Deposit,
    Valuation,
}

struct Parser<'a, 't, 'i> {
    reader: Reader<'a>,
    data: ReferenceData,
    /// Names seen so far, with the level of nodes (`None` for other kinds).
    names: BTreeMap<(Space, String), Option<Level>>,
    /// When trades settle.
    rules: Vec<Rule>,
    tree: &'t DeTable<'i>,
}

/// Names and values of a closed set, as files write them.
macro_rules! all {
    ($type:ident) => {
        &$type::ALL
            .iter()
            .map(|value| (value.text(), *value))
            .collect::<Vec<_>>()
    };
}

impl<'t, 'i> Parser<'_, 't, 'i> {
    /// Reads the sections in an order in which every name is declared before it is mentioned.
    fn run(&mut self) {
        self.check_sections();
        self.names.insert((Space::Calendar, UTC_CALENDAR.into()), None);
        self.each("currency", Self::currency);
        self.each("calendar", Self::calendar);
        self.each("settlement", Self::settlement);
        self.hierarchy();
        self.each("instrument", Self::instrument);
        self.each("fx", Self::fx);
        self.each("limit", Self::limit);
        self.each("deposit", Self::deposit);
        self.each("valuation", Self::valuation);
        if self.data.calendars.len() > CALENDARS_MAX {
            self.reader.problem(
                0,
                "calendar",
                format!("there are more than {CALENDARS_MAX} calendars"),
            );
        }
        if self.data.currencies.is_empty() {
            self.reader.problem(
                0,
                "currency",
                "there is no [[currency]]: the first one is the base currency",
            );
        }
    }

    /// Reads the limits alone, among names that are known already.
    fn run_limits(&mut self, known: &Known) {
        self.check_sections();
        let nodes = known.nodes.keys().chain(known.accounts.keys());
        let nodes = nodes.map(|code| (Space::Node, code.to_string()));
        let instruments = known.instruments.keys();
        let names = nodes.chain(instruments.map(|symbol| (Space::Instrument, symbol.to_string())));
        self.names.extend(names.map(|name| (name, None)));
        self.each("limit", Self::limit);
    }

    fn check_sections(&mut self) {
        for (key, _) in self
            .tree
            .iter()
            .filter(|(key, _)| !SECTIONS.contains(&key.get_ref().as_ref()))
        {
            self.reader
                .unknown(key.span().start, "section", key.get_ref(), SECTIONS);
        }
    }

    fn each(&mut self, section: &str, read: impl Fn(&mut Self, (usize, &'t DeTable<'i>))) {
        let tree = self.tree;
        for table in self.reader.tables(tree, section) {
            read(self, table);
        }
    }

    /// Takes a new name, or notes that it is taken.
    fn declare(&mut self, at: usize, space: Space, name: &str, level: Option<Level>) {
        if self.names.insert((space, name.to_owned()), level).is_some() {
            self.reader.problem(at, name, "is there twice");
        }
    }

    /// Notes where a mentioned name is not declared. An empty name has had its problem.
    fn mention(&mut self, at: usize, space: Space, what: &str, name: &str) {
        if name.is_empty() || self.names.contains_key(&(space, name.to_owned())) {
            return;
        }
        let known = self
            .names
            .keys()
            .filter(|(other, _)| *other == space)
            .map(|(_, name)| name.as_str());
        self.reader.unknown(at, what, name, known);
    }

    fn currency(&mut self, table: (usize, &'t DeTable<'i>)) {
        let mut fields = Fields::open(&mut self.reader, table, &["code", "decimals"]);
        let row = Currency {
            code: fields.text("code", None),
            decimals: fields.whole("decimals", None, 0, 8) as u8,
        };
        let at = fields.place("code");
        self.declare(at, Space::Currency, row.code.as_str(), None);
        self.data.currencies.push(row);
    }

    fn calendar(&mut self, table: (usize, &'t DeTable<'i>)) {
        let keys = [
            "name",
            "tz",
            "day_roll",
            "open",
            "close",
            "weekend_trading",
            "holidays",
            "early_closes",
            "settle_time",
        ];
        let mut fields = Fields::open(&mut self.reader, table, &keys);
        let settles = fields.has("settle_time");
        // A settlement calendar has no session.
        let unless_settling = settles.then_some(0);
        let name: Code = fields.text("name", None);
        let tz = fields.get(
            "tz",
            None,
            "the name of a time zone such as America/New_York",
            |value| TimeZone::get(value.as_str()?).ok(),
        );
        let mut calendar = Calendar {
            name: name.to_string(),
            tz: tz.unwrap_or(TimeZone::UTC),
            roll_minute: fields.minute("day_roll", unless_settling),
            open_minute: fields.minute("open", unless_settling),
            close_minute: fields.minute("close", unless_settling),
            weekend_trading: fields.flag("weekend_trading", false),
            holidays: fields.dates("holidays"),
            early_closes: Vec::new(),
            settle_minute: None,
        };
        calendar.early_closes = early_closes(&mut fields);
        if settles {
            calendar.settle_minute = Some(fields.minute("settle_time", None));
            for key in ["day_roll", "open", "close", "early_closes", "weekend_trading"] {
                if fields.has(key) {
                    fields.wrong(
                        key,
                        "has no meaning beside settle_time: a settlement calendar has no session",
                    );
                }
            }
            if calendar.settle_minute == Some(crate::calendar::DAY_MINUTES) {
                fields.wrong("settle_time", "must be before 24:00");
            }
        } else if calendar.roll_minute == crate::calendar::DAY_MINUTES {
            fields.wrong("day_roll", "must be before 24:00; midnight is 00:00");
        } else if !calendar.session_fits_day() {
            fields.wrong(
                "open",
                "the session does not lie within the trading day that day_roll makes",
            );
        }
        let at = fields.place("name");
        self.declare(at, Space::Calendar, name.as_str(), None);
        self.data.calendars.push(calendar);
    }

    fn settlement(&mut self, table: (usize, &'t DeTable<'i>)) {
        let mut fields = Fields::open(&mut self.reader, table, &settlement::KEYS);
        let rule = Rule::read(&mut fields);
        let [currency, calendar, cash] =
            ["currency", "calendar", "cash_calendar"].map(|key| fields.place(key));
        self.mention(currency, Space::Currency, "currency", rule.currency.as_str());
        self.mention(calendar, Space::Calendar, "calendar", rule.calendar.as_str());
        self.mention(cash, Space::Calendar, "calendar", rule.cash_calendar.as_str());
        if rule.calendar.as_str() == UTC_CALENDAR {
            let message = "is no settlement calendar: what settles every day at once has no rule";
            self.reader.problem(calendar, UTC_CALENDAR, message);
        }
        self.rules.push(rule);
    }

    /// Nodes and accounts: all names first, because a file may mention a parent before it declares it.
    fn hierarchy(&mut self) {
        let first_node = self.data.nodes.len();
        self.each("node", Self::node);
        self.each("account", Self::account);
        let tree = self.tree;
        let places: Vec<usize> = ["node", "account"]
            .iter()
            .flat_map(|name| self.reader.tables(tree, name))
            .map(|(at, _)| at)
            .collect();
        let nodes = self.data.nodes[first_node..]
            .iter()
            .map(|node| (node.code, node.level, node.parent));
        let accounts = self
            .data
            .accounts
            .iter()
            .map(|account| (account.code, Level::Account, account.parent));
        let all: Vec<(Code, Level, Code)> = nodes.chain(accounts).collect();
        for ((code, level, parent), at) in all.into_iter().zip(places) {
            self.parent(at, code, level, parent);
        }
    }

    /// Checks the way up: the firm has no parent, everything else one that is broader.
    fn parent(&mut self, at: usize, code: Code, level: Level, parent: Code) {
        let parent_level = self
            .names
            .get(&(Space::Node, parent.to_string()))
            .copied()
            .flatten();
        match parent_level {
            None if parent.is_empty() && level == Level::Firm => {}
            None if parent.is_empty() => {
                self.reader
                    .problem(at, code.as_str(), "has no parent; only the FIRM has none")
            }
            None => self.mention(at, Space::Node, "parent", parent.as_str()),
            Some(above) if above <= level => {
                let message = format!("is {level}, and its parent {parent} is {above}, which is not broader");
                self.reader.problem(at, code.as_str(), message);
            }
            Some(above) if level == Level::Strategy && above != Level::Account => {
                self.reader.problem(
                    at,
                    code.as_str(),
                    format!("is a STRATEGY below {parent}, which is no ACCOUNT"),
                );
            }
            Some(_) => {}
        }
    }

    fn node(&mut self, table: (usize, &'t DeTable<'i>)) {
        let mut fields = Fields::open(&mut self.reader, table, &["code", "level", "parent", "calendar"]);
        let levels: Vec<_> = Level::ALL
            .iter()
            .filter(|level| **level != Level::Account)
            .map(|l| (l.text(), *l))
            .collect();
        let row = Node {
            code: fields.text("code", None),
            level: fields.choice("level", None, &levels).unwrap_or(Level::Firm),
            parent: fields.text("parent", Some("")),
            calendar: fields.text("calendar", Some(UTC_CALENDAR)),
        };
        let (at, calendar_at) = (fields.place("code"), fields.place("calendar"));
        self.declare(at, Space::Node, row.code.as_str(), Some(row.level));
        self.mention(calendar_at, Space::Calendar, "calendar", row.calendar.as_str());
        self.data.nodes.push(row);
    }

    fn account(&mut self, table: (usize, &'t DeTable<'i>)) {
        let mut fields = Fields::open(
            &mut self.reader,
            table,
            &[
                "code",
                "parent",
                "kind",
                "currency",
                "calendar",
                "lot_method",
                "fee_in_basis",
            ],
        );
        let row = Account {
            code: fields.text("code", None),
            parent: fields.text("parent", None),
            kind: fields
                .choice("kind", None, all!(AccountKind))
                .unwrap_or(AccountKind::Cash),
            currency: fields.text("currency", None),
            calendar: fields.text("calendar", Some(UTC_CALENDAR)),
        };
        let says_lots = fields.has("lot_method") || fields.has("fee_in_basis");
        let lots = LotTerms {
            account: row.code,
            method: fields
                .choice("lot_method", Some(LotMethod::Fifo), all!(LotMethod))
                .unwrap_or(LotMethod::Fifo),
            fee_in_basis: fields.flag("fee_in_basis", false),
        };
        let [at, currency_at, calendar_at] = ["code", "currency", "calendar"].map(|key| fields.place(key));
        self.data.lot_terms.extend(says_lots.then_some(lots));
        self.declare(at, Space::Node, row.code.as_str(), Some(Level::Account));
        self.mention(currency_at, Space::Currency, "currency", row.currency.as_str());
        self.mention(calendar_at, Space::Calendar, "calendar", row.calendar.as_str());
        self.data.accounts.push(row);
    }

    fn instrument(&mut self, table: (usize, &'t DeTable<'i>)) {
        let keys = [INSTRUMENT_KEYS.as_slice(), &settlement::INSTRUMENT_KEYS].concat();
        let mut fields = Fields::open(&mut self.reader, table, &keys);
        let kind = fields
            .choice("kind", None, all!(InstrumentKind))
            .unwrap_or(InstrumentKind::Equity);
        let flags = [
            ("negative_prices", instrument_flags::NEGATIVE_PRICES),
            ("easy_to_borrow", instrument_flags::EASY_TO_BORROW),
        ];
        let mut row = Instrument {
            symbol: fields.text("symbol", None),
            sector: fields.text("sector", Some("")),
            mult: fields.decimal("mult", Some(ONE), 1),
            tick: fields.decimal("tick", None, 1),
            lot: fields.decimal("lot", Some(ONE), 1),
            configured_mark: fields.decimal("mark", Some(0), 0),
            collar_bps: fields.whole("collar_bps", Some(0), 0, 100_000) as u32,
            collar_max_age_ms: fields.whole("collar_max_age_ms", Some(5_000), 1, i64::from(u32::MAX)) as u32,
            adv: fields.decimal("adv", Some(0), 0),
            avg_order_qty: fields.decimal("avg_order_qty", Some(0), 0),
            im_buy: fields.decimal("im_buy", Some(0), 0),
            im_sell: fields.decimal("im_sell", Some(0), 0),
            kind: kind as u8,
            flags: flags
                .into_iter()
                .filter(|(key, _)| fields.flag(key, false))
                .fold(0, |bits, (_, bit)| bits | bit),
            ..Instrument::zeroed()
        };
        let (currency, calendar) = (fields.text("currency", None), fields.text("calendar", None));
        let terms = Terms::own(&mut fields).unwrap_or_else(|| Terms::of(&self.rules, kind, currency));
        terms.write(&mut row);
        let [at, currency_at, calendar_at] = ["symbol", "currency", "calendar"].map(|key| fields.place(key));
        let settle_at = fields.place("settle_calendar");
        self.declare(at, Space::Instrument, row.symbol.as_str(), None);
        self.mention(currency_at, Space::Currency, "currency", currency.as_str());
        self.mention(calendar_at, Space::Calendar, "calendar", calendar.as_str());
        for calendar in [terms.calendar, terms.cash_calendar] {
            self.mention(settle_at, Space::Calendar, "calendar", calendar.as_str());
        }
        self.data.instruments.push(InstrumentRow {
            row,
            currency,
            calendar,
            settle_calendar: terms.calendar,
            cash_calendar: terms.cash_calendar,
        });
    }

    fn fx(&mut self, table: (usize, &'t DeTable<'i>)) {
        let mut fields = Fields::open(&mut self.reader, table, &["currency", "rate"]);
        let row = FxOpening {
            currency: fields.text("currency", None),
            rate: fields.decimal("rate", None, 1),
        };
        let at = fields.place("currency");
        self.declare(at, Space::Fx, row.currency.as_str(), None);
        self.mention(at, Space::Currency, "currency", row.currency.as_str());
        if self
            .data
            .currencies
            .first()
            .is_some_and(|base| base.code == row.currency)
        {
            self.reader
                .problem(at, row.currency.as_str(), "is the base currency, whose rate is 1");
        }
        self.data.fx.push(row);
    }

    fn limit(&mut self, table: (usize, &'t DeTable<'i>)) {
        let Read { limit, lines, places } = limits::read(&mut self.reader, table);
        self.declare(places.label, Space::Limit, limit.label.as_str(), None);
        self.mention(places.scope, Space::Node, "node or account", limit.scope.as_str());
        self.mention(
            places.instrument,
            Space::Instrument,
            "instrument",
            limit.instrument.as_str(),
        );
        for (at, line) in lines {
            self.mention(at, Space::Instrument, "instrument", line.instrument.as_str());
            self.data.restricted.push(line);
        }
        let is_second = |other: &Limit| other.limit_type == limit.limit_type;
        if limit.limit_type == LimitType::Emergency && self.data.limits.iter().any(is_second) {
            self.reader.problem(
                places.label,
                limit.label.as_str(),
                "is a second EMERGENCY limit; there is one at most",
            );
        }
        self.data.limits.push(limit);
    }

    fn valuation(&mut self, table: (usize, &'t DeTable<'i>)) {
        let mut fields = Fields::open(&mut self.reader, table, &["scope", "equity", "balance"]);
        let scope: Code = fields.text("scope", None);
        let equity = fields.decimal("equity", Some(0), 0);
        let balance = fields.decimal("balance", Some(equity), 0);
        let at = fields.place("scope");
        self.declare(at, Space::Valuation, scope.as_str(), None);
        self.mention(at, Space::Node, "node or account", scope.as_str());
        self.data.valuations.push(OpeningValuation {
            scope,
            equity: Money::from_raw(i128::from(equity)),
            balance: Money::from_raw(i128::from(balance)),
        });
    }

    fn deposit(&mut self, table: (usize, &'t DeTable<'i>)) {
        let mut fields = Fields::open(&mut self.reader, table, &["account", "currency", "amount"]);
        let account: Code = fields.text("account", None);
        let currency: Text<8> = fields.text("currency", None);
        let amount = fields.decimal("amount", None, 1);
        let row = Deposit {
            account,
            currency,
            amount: Money::from_raw(i128::from(amount)),
        };
        let decimals = self
            .data
            .currencies
            .iter()
            .find(|row| row.code == currency)
            .map_or(8, |row| row.decimals);
        if amount % 10i64.pow(8 - u32::from(decimals)) != 0 {
            fields.wrong(
                "amount",
                format!("has more decimals than {currency}, which has {decimals}"),
            );
        }
        if row.reference().is_none() {
            fields.wrong(
                "account",
                "is too long for the reference opening-ACCOUNT-CURRENCY of 40 characters",
            );
        }
        let (account_at, currency_at) = (fields.place("account"), fields.place("currency"));
        self.declare(account_at, Space::Deposit, &format!("{account} {currency}"), None);
        self.mention(currency_at, Space::Currency, "currency", currency.as_str());
        let level = self
            .names
            .get(&(Space::Node, account.to_string()))
            .copied()
            .flatten();
        match level {
            Some(Level::Account) => {}
            Some(_) => self.reader.problem(account_at, account.as_str(), "is no account"),
            None => self.mention(account_at, Space::Node, "account", account.as_str()),
        }
        self.data.deposits.push(row);
    }
}

const INSTRUMENT_KEYS: [&str; 17] = [
    "symbol",
    "kind",
    "currency",
    "calendar",
    "sector",
    "mult",
    "tick",
    "lot",
    "mark",
    "collar_bps",
    "collar_max_age_ms",
    "adv",
    "avg_order_qty",
    "im_buy",
    "im_sell",
    "negative_prices",
    "easy_to_borrow",
];
/// Reads a list of `{ date, close }`, ascending.
fn early_closes(fields: &mut Fields<'_, '_, '_, '_>) -> Vec<EarlyClose> {
    let what = "a list of { date = \"YYYY-MM-DD\", close = \"HH:MM\" }, ascending";
    let read = |value: &toml::de::DeValue<'_>| {
        let entry = |entry: &toml::Spanned<toml::de::DeValue<'_>>| {
            let table = entry.get_ref().as_table().filter(|table| table.len() == 2)?;
            let date = parse_date(table.get("date")?.get_ref().as_str()?)?;
            let close_minute = super::fields::minute_of(table.get("close")?.get_ref().as_str()?)?;
            Some(EarlyClose { date, close_minute })
        };
        let closes: Option<Vec<EarlyClose>> = value.as_array()?.iter().map(entry).collect();
        closes.filter(|closes| closes.windows(2).all(|pair| pair[0].date < pair[1].date))
    };
    fields
        .get("early_closes", Some(Vec::new()), what, read)
        .unwrap_or_default()
}
