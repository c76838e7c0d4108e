use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use tradewind_domain::codes::Level;
use tradewind_domain::event::{
    CalendarSet, CashMove, CurrencySet, Event, FxRate, InstrumentSet, Kind, LimitSet, LotMethodSet, NodeSet,
    RestrictedSet, Valuation,
};
use tradewind_domain::ids::{AccountId, CurrencyId, InstrumentId, LimitId, NodeId};
use tradewind_domain::reference::CalendarDay;
use tradewind_domain::time::{parse_date, parse_rfc3339};

const FILES: [(&str, &str); 3] = [
    ("demo.toml", ReferenceData::DEMO),
    (
        "us-equity-day.toml",
        include_str!("../../reference/us-equity-day.toml"),
    ),
    ("binance.toml", include_str!("../../reference/binance.toml")),
];
pub(super) const FROM: DayNumber = 20_500;
pub(super) const TO: DayNumber = 20_530;

fn parse(name: &str, text: &str) -> ReferenceData {
    ReferenceData::parse(text, name).unwrap_or_else(|error| panic!("{error}"))
}

fn demo() -> ReferenceData {
    parse("demo.toml", ReferenceData::DEMO)
}

/// The problems of a document, one a line.
fn refusal(text: &str) -> String {
    ReferenceData::parse(text, "x.toml").unwrap_err().to_string()
}

/// What normalize and the limit check do to admin events: dense ids by name, in order; a name that is not there yet fails.
#[derive(Default)]
struct Ids {
    by_name: BTreeMap<(u8, String), u32>,
    accounts: BTreeMap<String, u32>,
    known: Known,
}

impl Ids {
    fn give(&mut self, space: u8, name: impl ToString) -> u32 {
        let next = self.by_name.keys().filter(|(other, _)| *other == space).count() as u32;
        *self.by_name.entry((space, name.to_string())).or_insert(next)
    }

    fn find(&self, space: u8, name: impl ToString) -> u32 {
        let name = name.to_string();
        *self
            .by_name
            .get(&(space, name.clone()))
            .unwrap_or_else(|| panic!("`{name}` is used before it is set"))
    }

    fn journal(&mut self, inbound: &InboundLong) {
        let mut event = Event::empty();
        assert!(inbound.fill(&mut event));
        let names = event.names;
        match inbound.kind().unwrap() {
            Kind::CurrencySet => {
                let code = event.body::<CurrencySet>().code;
                event.body_mut::<CurrencySet>().currency = CurrencyId(self.give(0, code) as u16);
            }
            Kind::NodeSet | Kind::AccountSet => self.node(event.body_mut()),
            Kind::InstrumentSet => {
                let symbol = event.body::<InstrumentSet>().row.symbol;
                let currency = self.find(0, event.body::<InstrumentSet>().currency_code) as u16;
                let row = &mut event.body_mut::<InstrumentSet>().row;
                (row.id, row.currency, row.money_dp) =
                    (InstrumentId(self.give(2, symbol)), CurrencyId(currency), 2);
            }
            Kind::FxRate => {
                event.body_mut::<FxRate>().currency = CurrencyId(self.find(0, names.symbol) as u16)
            }
            Kind::LimitSet => {
                let body = event.body_mut::<LimitSet>();
                (body.limit, body.node) = (LimitId(0), NodeId(self.find(1, names.account)));
                let is_filtered = !names.symbol.is_empty();
                body.filter_instrument = if is_filtered {
                    InstrumentId(self.find(2, names.symbol))
                } else {
                    InstrumentId::NONE
                };
            }
            Kind::RestrictedSet => {
                event.body_mut::<RestrictedSet>().instrument = InstrumentId(self.find(2, names.symbol));
            }
            Kind::Valuation => event.body_mut::<Valuation>().node = NodeId(self.find(1, names.account)),
            Kind::Deposit => {
                self.find(0, names.symbol);
                event.body_mut::<CashMove>().account = AccountId(self.accounts[names.account.as_str()]);
            }
            Kind::LotMethodSet => {
                event.body_mut::<LotMethodSet>().account = AccountId(self.accounts[names.account.as_str()]);
            }
            kind => assert_eq!(kind, Kind::CalendarSet),
        }
        event.names = Default::default();
        self.known.observe(&event);
    }

    fn node(&mut self, body: &mut NodeSet) {
        if !body.parent_code.is_empty() {
            body.parent = NodeId(self.find(1, body.parent_code));
        }
        body.node = NodeId(self.give(1, body.code));
        if body.level == Level::Account as u8 {
            self.find(0, body.currency_code);
            let next = self.accounts.len() as u32;
            body.account = AccountId(*self.accounts.entry(body.code.to_string()).or_insert(next));
        }
    }
}

pub(super) fn journal_of(data: &ReferenceData) -> Known {
    let mut ids = Ids::default();
    data.events(FROM, TO).iter().for_each(|event| ids.journal(event));
    ids.known
}

pub(super) fn lines(data: &ReferenceData, known: &Known) -> Vec<String> {
    data.diff(known, FROM, TO)
        .unwrap()
        .into_iter()
        .map(|change| change.line)
        .collect()
}

#[test]
fn every_file_loads_and_each_event_finds_what_it_names() {
    for (name, text) in FILES {
        let data = parse(name, text);
        let known = journal_of(&data);
        assert_eq!(known.limits.len(), data.limits.len(), "{name}");
        assert_eq!(known.accounts.len(), data.accounts.len(), "{name}");
        assert_eq!(known.deposits.len(), data.deposits.len(), "{name}");
    }
}

#[test]
fn a_file_against_the_journal_it_made_changes_nothing() {
    for (name, text) in FILES {
        let data = parse(name, text);
        assert_eq!(lines(&data, &journal_of(&data)), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn an_edit_becomes_the_one_event_that_differs_with_a_line_for_people() {
    let known = journal_of(&demo());
    for (before, after, line) in [
        (
            "hard = \"60000\"",
            "hard = \"30000.5\"",
            "limit n-cash-1-order-value: hard 60000 -> 30000.5",
        ),
        (
            "hard = \"0.5\"",
            "hard = \"0.75\"",
            "limit n-digital-1-qbt: hard 0.5 -> 0.75",
        ),
        (
            "\"BUY\"",
            "\"SELL\"",
            "limit south-daily-buys: params side=BUY -> side=SELL",
        ),
        (
            "rate = \"1.0850\"",
            "rate = \"1.09\"",
            "fx EUR: rate 1.085 -> 1.09",
        ),
        (
            "tick = \"0.02\"",
            "tick = \"0.05\"",
            "instrument RHENUQ: tick 0.02 -> 0.05",
        ),
        (
            "kind = \"CASH\"\ncurrency = \"EUR\"",
            "kind = \"MARGIN\"\ncurrency = \"EUR\"",
            "account S-CASH-1: kind CASH -> MARGIN",
        ),
        (
            "label = \"maker-open-orders\"",
            "label = \"maker-orders\"",
            "limit maker-orders: new, type MAX_OPEN_ORDERS, scope N-M2-MAKER, hard 30, soft_pct 80, action REJECT",
        ),
    ] {
        assert!(ReferenceData::DEMO.contains(before), "{before}");
        let edited = parse("edited", &ReferenceData::DEMO.replacen(before, after, 1));
        let found = lines(&edited, &known);
        assert_eq!(found[0], line);
        assert!(
            found.len() == 1 || found[1..] == ["limit maker-open-orders: removed"],
            "{found:?}"
        );
    }
}

#[test]
fn limits_of_others_stay_and_the_markets_rates_are_not_ours() {
    let data = demo();
    let mut known = journal_of(&data);
    let mut fewer = data.clone();
    let gone = fewer.limits.pop().unwrap();
    assert_eq!(lines(&fewer, &known), [format!("limit {}: removed", gone.label)]);
    known.limits.get_mut(&gone.label).unwrap().1 = false;
    assert!(lines(&fewer, &known).is_empty());

    let mut event = Event::empty();
    event.reset(Kind::FxRate);
    *event.body_mut::<FxRate>() = FxRate {
        rate: 7,
        rate_dp: 8,
        currency: CurrencyId(1),
        ..*event.body()
    };
    known.observe(&event);
    assert!(lines(&data, &known).is_empty());
}

#[test]
fn lots_are_kept_as_the_file_says_until_an_operator_says_otherwise() {
    let with = |terms: &str| {
        let text = ReferenceData::DEMO.replacen(
            "code = \"N-CASH-1\"\n",
            &format!("code = \"N-CASH-1\"\n{terms}\n"),
            1,
        );
        parse("demo.toml", &text)
    };
    let plain = ReferenceData {
        lot_terms: Vec::new(),
        ..demo()
    };
    let mut known = journal_of(&plain);
    let hifo = with("lot_method = \"HIFO\"");
    let wanted = "tax lots of N-CASH-1: new, lot_method HIFO, fee_in_basis false";
    assert!(lines(&hifo, &known).iter().any(|line| line == wanted));
    known = journal_of(&hifo);
    assert!(lines(&hifo, &known).is_empty());
    let with_fees = with("lot_method = \"HIFO\"\nfee_in_basis = true");
    let changed = "tax lots of N-CASH-1: fee_in_basis false -> true";
    assert_eq!(lines(&with_fees, &known), [changed]);
    known
        .lot_terms
        .values_mut()
        .for_each(|(_, is_ours)| *is_ours = false);
    assert!(lines(&with_fees, &known).is_empty(), "an operator's word stays");
    let wrong = "[[account]]\ncode = \"A\"\nparent = \"F\"\nkind = \"CASH\"\ncurrency = \"USD\"\nlot_method = \"FIFA\"\n";
    assert!(refusal(wrong).contains("did you mean FIFO?"));
}

#[test]
fn a_restart_leaves_a_limit_as_an_operator_set_it_and_says_so() {
    let data = demo();
    let mut known = journal_of(&data);
    let label = data.limits[0].label;
    let set = known.limits.get_mut(&label).unwrap();
    set.0.hard /= 2;
    assert_eq!(lines(&data, &known).len(), 1, "the file's own change is undone");
    known.limits.get_mut(&label).unwrap().1 = false;
    assert!(lines(&data, &known).is_empty());
    let said = data.overruled(&known);
    assert!(said.len() == 1 && said[0].contains(label.as_str()), "{said:?}");
    known.limits.remove(&label);
    assert_eq!(
        lines(&data, &known).len(),
        1,
        "a limit that was removed comes back"
    );
}

#[test]
fn refused_events_are_not_known() {
    let data = demo();
    let mut known = Known::default();
    for inbound in data.events(FROM, TO) {
        let mut event = Event::empty();
        inbound.fill(&mut event);
        event.head.outcome = 1;
        known.observe(&event);
    }
    assert_eq!(lines(&data, &known).len(), data.events(FROM, TO).len());
}

#[test]
fn later_days_of_a_calendar_come_as_events_of_eight_at_most() {
    let data = demo();
    let known = journal_of(&data);
    let later = data.diff(&known, FROM, TO + 20).unwrap();
    assert_eq!(later.len(), 13, "five calendars: {later:?}");
    assert!(
        later[0]
            .line
            .starts_with("calendar us: 8 days from 2026-03-19 to "),
        "{later:?}"
    );
}

#[test]
fn days_of_calendar_events_ascend_and_hold_their_session() {
    for (name, text) in FILES {
        for inbound in parse(name, text)
            .events(15_900, 16_300)
            .iter()
            .filter(|e| e.kind() == Some(Kind::CalendarSet))
        {
            let body = inbound.event().body::<CalendarSet>();
            let days = &body.days[..usize::from(body.count)];
            assert!(!days.is_empty() && body.calendar.0 > 0, "{name}");
            // A settlement calendar has runs and no session.
            let is_run = |day: &CalendarDay| day.roll_ns == day.open_ns && day.open_ns == day.close_ns;
            assert!(
                days.iter().all(is_run)
                    || days
                        .iter()
                        .all(|day| day.roll_ns <= day.open_ns && day.open_ns < day.close_ns),
                "{name}"
            );
            assert!(
                days.windows(2)
                    .all(|pair| pair[0].date < pair[1].date && pair[0].close_ns <= pair[1].roll_ns),
                "{name}"
            );
        }
    }
}

#[test]
fn what_never_changes_is_refused_and_named() {
    let known = journal_of(&demo());
    for (before, after, message) in [
        (
            "code = \"EUR\"\ndecimals = 2",
            "code = \"EUR\"\ndecimals = 3",
            "EUR: has 2 decimals in the journal",
        ),
        (
            "parent = \"NORTH\"\ncalendar = \"crypto\"",
            "parent = \"SOUTH\"\ncalendar = \"crypto\"",
            "NORTH-DIGITAL: is DESK below NORTH in the journal",
        ),
        (
            "parent = \"ben\"",
            "parent = \"ada\"",
            "N-MARGIN-2: is below ben in the journal",
        ),
        (
            "weekend_trading = true",
            "weekend_trading = false",
            "calendar us, 2026-02-21: is a trading day in the journal",
        ),
    ] {
        assert!(ReferenceData::DEMO.contains(before), "{before}");
        let edited = parse("edited", &ReferenceData::DEMO.replacen(before, after, 1));
        let error = edited.diff(&known, FROM, TO).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn mistakes_are_refused_with_file_and_line() {
    for (before, after, message) in [
        ("tick = ", "tik = ", "tik: unknown key; did you mean `tick`?"),
        ("[[fx]]", "[[fxx]]", "fxx: unknown section; did you mean `fx`?"),
        (
            "scope = \"NORTH\"",
            "scope = \"NORHT\"",
            "NORHT: unknown node or account; did you mean `NORTH`?",
        ),
        (
            "\"FAT_FINGER\"",
            "\"SELF_TRADE\"",
            "hard: this type has none: its parameters say what it allows",
        ),
        ("\"FAT_FINGER\"", "\"FAT_FNGER\"", "did you mean FAT_FINGER?"),
        ("hard = \"0.5\"", "hard = 0.5", "hard: must be a decimal string"),
        (
            "hard = \"30\"",
            "hard = \"30.5\"",
            "hard: must be a whole number from 0 to",
        ),
        (
            "rate = \"1.0850\"",
            "rate = \"0.000000001\"",
            "rate: must be a decimal string above zero",
        ),
        (
            "\"Europe/Berlin\"",
            "\"Europe/Berln\"",
            "tz: must be the name of a time zone",
        ),
        (
            "label = \"firm-open-value\"",
            "label = \"firm-open-orders\"",
            "firm-open-orders: is there twice",
        ),
        (
            "level = \"ORG\"\nparent = \"TRADEWIND\"",
            "level = \"ORG\"\nparent = \"ada\"",
            "NORTH: is ORG, and its parent ada is USER, which is not broader",
        ),
        (
            "parent = \"N-MARGIN-2\"",
            "parent = \"ben\"",
            "is a STRATEGY below ben, which is no ACCOUNT",
        ),
        (
            "fee_bps = 5",
            "fee_bps = 50000",
            "fee_bps: must be a whole number from 0 to 10000",
        ),
        (
            "fee_bps = 5",
            "fee_bp = 5",
            "fee_bp: unknown key; did you mean `fee_bps`?",
        ),
        (
            "amount = \"1500000\"",
            "amount = \"0.001\"",
            "amount: has more decimals than USD, which has 2",
        ),
        (
            "close = \"20:00\"",
            "close = \"21:00\"",
            "the session does not lie within the trading day",
        ),
        ("code = \"USD\"", "code = USD", "x.toml:"),
    ] {
        assert!(ReferenceData::DEMO.contains(before), "{before}");
        let error = refusal(&ReferenceData::DEMO.replacen(before, after, 1));
        assert!(error.contains(message), "{message}\n{error}");
    }
    let line = ReferenceData::DEMO
        .lines()
        .position(|line| line == "[[fx]]")
        .unwrap()
        + 1;
    assert!(
        refusal(&ReferenceData::DEMO.replace("[[fx]]", "[[fxx]]")).starts_with(&format!("x.toml:{line}: "))
    );
    assert!(refusal("").contains("there is no [[currency]]"));
}

#[test]
fn the_demo_fits_the_tables_of_the_demo_profile() {
    let (data, sizes) = (
        demo(),
        crate::Settings::load("demo", None, [], &[]).unwrap().capacities(),
    );
    assert!(data.instruments.len() <= sizes.instruments as usize);
    assert!(data.nodes.len() + data.accounts.len() <= sizes.nodes as usize);
    assert!(data.accounts.len() * data.instruments.len() <= sizes.holdings as usize);
    assert!(data.accounts.len() * data.currencies.len() <= sizes.wallets as usize);
    assert!(data.limits.len() <= sizes.limits as usize);
}

#[test]
fn more_calendars_than_the_engine_holds_are_refused() {
    let one = |n: usize| {
        format!(
            "[[calendar]]\nname = \"c{n}\"\ntz = \"UTC\"\nday_roll = \"00:00\"\nopen = \"00:00\"\nclose = \"24:00\"\n"
        )
    };
    let text = |count: usize| {
        format!(
            "[[currency]]\ncode = \"USD\"\ndecimals = 2\n{}",
            (0..count).map(one).collect::<String>()
        )
    };
    assert!(ReferenceData::parse(&text(63), "x").is_ok());
    assert!(refusal(&text(64)).contains("more than 63 calendars"));
}

#[test]
fn limits_are_kept_in_the_unit_of_their_type() {
    let data = demo();
    let hard = |label: &str| {
        data.limits
            .iter()
            .find(|limit| limit.label.as_str() == label)
            .unwrap()
            .hard
    };
    assert_eq!(hard("firm-order-value"), 2_000_000 * 10i128.pow(16));
    assert_eq!(hard("n-digital-1-qbt"), 50_000_000);
    assert_eq!(hard("south-global-fat-finger"), 1_000_000_000);
    assert_eq!(hard("maker-open-orders"), 30);
    assert_eq!(hard("emil-order-rate"), 40);
    assert_eq!(hard("n-cash-1-cash"), 0);
    let credit = data
        .limits
        .iter()
        .find(|limit| limit.label.as_str() == "n-margin-1-cash")
        .unwrap();
    assert_eq!(credit.params, [500_000 * 100_000_000, 5, 1, 0, 0, 0]);
}

#[test]
fn the_us_file_knows_friday_evening_thanksgiving_and_the_day_of_its_prints() {
    let data = parse("us", FILES[1].1);
    let calendar = &data.calendars[0];
    let day = |date: &str| calendar.days(parse_date(date).unwrap(), parse_date(date).unwrap());
    assert_eq!(
        day("2026-03-09")[0].roll_ns,
        parse_rfc3339("2026-03-07T01:00:00Z").unwrap()
    );
    assert_eq!(
        day("2013-10-08")[0].open_ns,
        parse_rfc3339("2013-10-08T08:00:00Z").unwrap()
    );
    assert!(day("2013-11-28").is_empty() && day("2013-10-12").is_empty());
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}", noise in "[\\[\\]{}a-z._=\"0-9\n #:-]{0,300}") {
        let _ = ReferenceData::parse(&text, "x");
        let _ = ReferenceData::parse(&noise, "x");
    }

    #[test]
    fn a_damaged_file_is_refused_or_read_and_never_panics(file in 0..3usize, at in any::<prop::sample::Index>(), len in 0..40usize, put in "\\PC{0,12}") {
        let text = FILES[file].1;
        let at = at.index(text.len());
        let damaged = format!("{}{put}{}", &text[..at], &text[(at + len).min(text.len())..]);
        if let Ok(data) = ReferenceData::parse(&damaged, "x") {
            let _ = data.diff(&Known::default(), FROM, FROM + 3);
        }
    }
}

/// Two calendars for settlement behind the demo's rows, and what instruments say of them.
fn with_settlement(rules: &str, instrument: &str) -> ReferenceData {
    let calendar = |name: &str| {
        format!("[[calendar]]\nname = \"{name}\"\ntz = \"America/New_York\"\nsettle_time = \"06:00\"\n")
    };
    let share = |symbol: &str, kind: &str, more: &str| {
        format!(
            "[[instrument]]\nsymbol = \"{symbol}\"\nkind = \"{kind}\"\ncurrency = \"USD\"\ncalendar = \"UTC\"\ntick = \"0.01\"\n{more}\n"
        )
    };
    let text = [
        "[[currency]]\ncode = \"USD\"\ndecimals = 2\n".to_owned(),
        calendar("US-SETTLE"),
        calendar("US-MONEY"),
        rules.to_owned(),
        "[[node]]\ncode = \"F\"\nlevel = \"FIRM\"\n".to_owned(),
        share("ABC", "EQUITY", ""),
        share("OWN", "EQUITY", instrument),
        share("COIN", "CRYPTO", ""),
    ];
    parse("settlement.toml", &text.concat())
}

#[test]
fn instruments_follow_the_settlement_rules_of_their_kind_and_currency_or_their_own() {
    let rules = "
        [[settlement]]
        kind = \"EQUITY\"
        calendar = \"US-SETTLE\"
        days = 5
        [[settlement]]
        kind = \"EQUITY\"
        currency = \"USD\"
        calendar = \"US-SETTLE\"
        cash_calendar = \"US-MONEY\"
        days = 1
        from = \"2024-05-28\"
        [[settlement]]
        kind = \"EQUITY\"
        currency = \"USD\"
        calendar = \"US-SETTLE\"
        days = 2
        ";
    let data = with_settlement(rules, "settle_calendar = \"US-MONEY\"\nsettle_days = 3");
    let of = |symbol: &str| {
        let row = data
            .instruments
            .iter()
            .find(|row| row.row.symbol.as_str() == symbol);
        let row = row.expect("an instrument");
        let on = |date: &str| row.row.settle_days_of(parse_date(date).expect("a date"));
        (
            row.settle_calendar.to_string(),
            row.cash_calendar.to_string(),
            on("2024-05-27"),
            on("2024-05-28"),
        )
    };
    assert_eq!(of("ABC"), ("US-SETTLE".into(), "US-MONEY".into(), 2, 1));
    assert_eq!(of("OWN"), ("US-MONEY".into(), String::new(), 3, 3));
    assert_eq!(of("COIN"), (String::new(), String::new(), 0, 0), "at once");
    // What the journal holds of it is no difference.
    let mut ids = Ids::default();
    data.events(FROM, TO).iter().for_each(|event| ids.journal(event));
    assert_eq!(
        data.diff(&ids.known, FROM, TO).expect("no contradiction").len(),
        0
    );
}

#[test]
fn a_settlement_rule_names_a_calendar_that_is_there() {
    let rule = |calendar: &str| {
        format!(
            "[[currency]]\ncode = \"USD\"\ndecimals = 2\n[[settlement]]\nkind = \"EQUITY\"\ncalendar = \"{calendar}\"\ndays = 1\n"
        )
    };
    assert!(
        refusal(&rule("XX")).contains("XX: unknown calendar"),
        "{}",
        refusal(&rule("XX"))
    );
    assert!(refusal(&rule("UTC")).contains("no settlement calendar"));
}
