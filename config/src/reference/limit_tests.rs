//! Limits of every type: read, sent, known, shown, read again.

use super::tests::{FROM, TO, journal_of, lines};
use super::*;
use crate::limit_units::{Actions, Filters, LimitSpec, LimitUnit, ParamKind};
use crate::{LIMIT_SPECS, limit_spec};
use proptest::prelude::*;
use std::fmt::Write;
use tradewind_domain::codes::{LimitType, Restriction};
use tradewind_domain::fixed::Price;

/// A firm to hang limits on.
const FIRM: &str = r#"
[[currency]]
code = "USD"
decimals = 2
[[node]]
code = "F"
level = "FIRM"
[[account]]
code = "A"
parent = "F"
kind = "MARGIN"
currency = "USD"
[[instrument]]
symbol = "ABC"
kind = "EQUITY"
currency = "USD"
calendar = "UTC"
tick = "0.01"
[[instrument]]
symbol = "X.Y-Z"
kind = "EQUITY"
currency = "USD"
calendar = "UTC"
tick = "0.01"
"#;

fn read(limits: &str) -> ReferenceData {
    let text = format!("{FIRM}{limits}");
    ReferenceData::parse(&text, "x.toml").unwrap_or_else(|error| panic!("{error}\n{limits}"))
}

fn refusal(limit: &str) -> String {
    ReferenceData::parse(
        &format!("{FIRM}[[limit]]\nlabel = \"l\"\nscope = \"A\"\n{limit}\n"),
        "x.toml",
    )
    .map_or_else(|error| error.to_string(), |data| panic!("{:?}", data.limits))
}

/// Numbers to choose with.
type Dice = [usize; 12];

fn param_value(kind: ParamKind, dice: usize) -> String {
    let between = |min: i64, max: i64| min + (dice as i64 % 1_000).min(max.saturating_sub(min));
    let word = |words: &[(&str, i64)], at: usize| words[at % words.len()].0.to_owned();
    match kind {
        ParamKind::Whole(min, max) => between(min, max).to_string(),
        ParamKind::Decimal(min, max) => format!("\"{}\"", Price::from_raw(between(min, max))),
        ParamKind::DecimalOrNone if dice.is_multiple_of(3) => "\"NONE\"".to_owned(),
        ParamKind::DecimalOrNone => format!("\"{}\"", Price::from_raw(between(0, i64::MAX))),
        ParamKind::Flag => dice.is_multiple_of(2).to_string(),
        ParamKind::Choice(words) => format!("\"{}\"", word(words, dice)),
        ParamKind::Set(_, empty) if dice.is_multiple_of(4) => format!("\"{empty}\""),
        ParamKind::Set(words, _) => format!("[\"{}\", \"{}\"]", word(words, dice), word(words, dice / 7)),
    }
}

/// A limit of a type that files may hold; `dice` chooses among what is free.
fn written(at: usize, spec: &LimitSpec, dice: Dice) -> String {
    let mut text = format!(
        "[[limit]]\nlabel = \"l{at}\"\nscope = \"A\"\ntype = \"{}\"\n",
        spec.limit_type.text()
    );
    let hard = match spec.unit {
        LimitUnit::Nothing => None,
        LimitUnit::Count(min, max) => Some((min + dice[0] as i64 % (max - min).min(1_000)).to_string()),
        LimitUnit::Rate => Some((1_000 + dice[0] % 1_000).to_string()),
        _ => Some(Price::from_raw(dice[0] as i64).to_string()),
    };
    if let Some(hard) = hard {
        writeln!(text, "hard = \"{hard}\"").unwrap();
    }
    let filter = match (spec.filters, dice[1] % 5) {
        (Filters::None, _) | (_, 0) => "",
        (Filters::All, 1) => "instrument = \"ABC\"",
        (_, 2) => "sector = \"TECH\"",
        (_, 3) => "kind = \"FUTURE\"",
        _ => "kind = \"EQUITY\"\nsector = \"TECH\"",
    };
    writeln!(text, "{filter}\nsoft_pct = {}", dice[2] % 101).unwrap();
    let actions: &[&str] = match spec.actions {
        Actions::Own => &[],
        Actions::Usual => &["ALERT", "REJECT", "RESTRICT", "KILL"],
        Actions::Rate => &["ALERT", "REJECT", "RESTRICT", "KILL", "SLOW"],
    };
    if !actions.is_empty() {
        writeln!(text, "action = \"{}\"", actions[dice[3] % actions.len()]).unwrap();
    }
    let is_collar = spec.limit_type == LimitType::PriceCollar;
    let params = spec.params.iter().zip(&dice[4..]).map(|(param, &die)| {
        let value = match (is_collar, param.name, dice[3] % 2) {
            (true, "pct", 0) | (true, "abs", 1) => "\"0\"".to_owned(),
            (true, "pct" | "abs", _) => "\"2.5\"".to_owned(),
            _ => param_value(param.kind, die),
        };
        format!("{} = {value}", param.name)
    });
    let params: Vec<String> = params.collect();
    if !params.is_empty() {
        writeln!(text, "params = {{ {} }}", params.join(", ")).unwrap();
    }
    if spec.limit_type == LimitType::Restricted {
        writeln!(
            text,
            "symbols = {{ ABC = \"NO_SHORT\", \"X.Y-Z\" = \"CLOSE_ONLY\" }}"
        )
        .unwrap();
    }
    text
}

proptest! {
    #[test]
    fn a_limit_of_any_type_is_known_as_it_was_written(dice in proptest::collection::vec(any::<[u16; 12]>(), LIMIT_SPECS.len())) {
        let limits: String = LIMIT_SPECS
            .iter()
            .zip(dice)
            .enumerate()
            .map(|(at, (spec, dice))| written(at, spec, dice.map(usize::from)))
            .collect();
        let data = read(&limits);
        prop_assert_eq!(data.limits.len(), LIMIT_SPECS.len());
        let known = journal_of(&data);
        prop_assert_eq!(lines(&data, &known), Vec::<String>::new());
        let tables: String = known.limits().map(Limit::to_toml).collect();
        let mut again = Limit::parse_all(&tables, "shown", &known).unwrap();
        let mut limits = data.limits.clone();
        again.sort_by_key(|limit| limit.label);
        limits.sort_by_key(|limit| limit.label);
        prop_assert_eq!(again, limits);
    }
}

#[test]
fn a_type_with_nothing_but_what_it_needs_has_the_documented_defaults() {
    let params = |text: &str| {
        let data = read(&format!("[[limit]]\nlabel = \"l\"\nscope = \"A\"\n{text}\n"));
        (data.limits[0].hard, data.limits[0].params)
    };
    let base = 10i128.pow(16);
    let e8 = 100_000_000;
    for (text, hard, expected) in [
        ("type = \"ORDER_RATE\"\nhard = 5", 5, [1_000, 0, 1, 0, 0, 0]),
        (
            "type = \"PRICE_COLLAR\"\nparams = { pct = 5 }",
            0,
            [5 * e8, 0, 5_000, 0, e8, 0],
        ),
        ("type = \"PERMISSION\"", 0, [0; 6]),
        (
            "type = \"PERMISSION\"\nparams = { actions = [\"PLACE\", \"CANCEL\"], order_types = [\"LIMIT\"], kinds = \"EQUITY,FUTURE\" }",
            0,
            [3, 4, 6, 0, 0, 0],
        ),
        (
            "type = \"PERMISSION\"\nparams = { kinds = [\"NOTHING\"] }",
            0,
            [0, 0, 1 << 62, 0, 0, 0],
        ),
        (
            "type = \"DUP_CONTENT\"\nparams = { window_ms = 500 }",
            0,
            [500, 1, 0, 0, 0, 0],
        ),
        (
            "type = \"DAILY_LOSS\"\nhard = \"1000\"",
            1_000 * base,
            [1, 0, 1, 0, 0, 0],
        ),
        (
            "type = \"MAX_DD_TRAILING\"\nhard = \"5\"\nparams = { initial = \"100\" }",
            5 * base,
            [100 * e8, 0, i64::MAX, 1, 1, 0],
        ),
        (
            "type = \"EMERGENCY\"",
            10_000 * base,
            [2_000 * e8, 3_600, 3, 3, 0, 0],
        ),
        ("type = \"CONCENTRATION\"\nhard = \"12.5\"", 1_250_000_000, [0; 6]),
    ] {
        assert_eq!(params(text), (hard, expected), "{text}");
    }
}

#[test]
fn what_a_type_cannot_have_is_refused_with_its_reason() {
    for (limit, message) in [
        (
            "type = \"ORDER_RATE\"\nhard = 2000000",
            "hard: must not exceed 1048576 with algo SLIDING",
        ),
        (
            "type = \"MSG_RATE\"\nhard = 5\ninstrument = \"ABC\"",
            "instrument: this type cannot be narrowed",
        ),
        (
            "type = \"OPEN_NOTIONAL\"\nhard = 5\ninstrument = \"ABC\"\nsector = \"TECH\"",
            "sector: cannot stand beside an instrument",
        ),
        (
            "type = \"DAILY_LOSS\"\nhard = 5\nkind = \"EQUITY\"",
            "kind: this type cannot be narrowed to a kind or sector",
        ),
        (
            "type = \"MAX_ORDER_QTY\"\nhard = 5\naction = \"SLOW\"",
            "action: must be one of ALERT, REJECT, RESTRICT, KILL",
        ),
        (
            "type = \"DAILY_LOSS\"\nhard = 5\naction = \"KILL\"",
            "action: this type has none",
        ),
        (
            "type = \"PRICE_COLLAR\"\nparams = { pct = 5, abs = 1 }",
            "params: must have `pct` or `abs` above zero",
        ),
        (
            "type = \"PRICE_COLLAR\"",
            "params: must have `pct` or `abs` above zero",
        ),
        (
            "type = \"PRICE_COLLAR\"\nparams = { pct = 5, widen_mult = \"0.5\" }",
            "widen_mult: must be a decimal string from 1 to 1000",
        ),
        ("type = \"STALE_ORDER\"", "max_age_ms: is missing"),
        ("type = \"MAX_DD_STATIC\"\nhard = 5", "initial: is missing"),
        (
            "type = \"PERMISSION\"\nparams = { actions = [] }",
            "actions: must be ALL or a list of PLACE, CANCEL, REPLACE, NOTHING",
        ),
        (
            "type = \"PERMISSION\"\nparams = { actions = [\"PLASE\"] }",
            "actions: must be ALL or a list of",
        ),
        (
            "type = \"MAX_ORDER_QTY\"\nhard = 5\nsymbols = { ABC = \"NO_TRADE\" }",
            "symbols: only a RESTRICTED limit has a list",
        ),
        (
            "type = \"RESTRICTED\"\nsymbols = { ABD = \"NO_TRADE\" }",
            "ABD: unknown instrument; did you mean `ABC`?",
        ),
        (
            "type = \"RESTRICTED\"\nsymbols = { ABC = \"NO_TRAED\" }",
            "ABC: must be one of NO_TRADE, CLOSE_ONLY, NO_SHORT, did you mean NO_TRADE?",
        ),
        (
            "type = \"EMERGENCY\"\n[[limit]]\nlabel = \"m\"\nscope = \"F\"\ntype = \"EMERGENCY\"",
            "m: is a second EMERGENCY limit; there is one at most",
        ),
        (
            "type = \"REPEATED_EXEC\"\nhard = 0\nparams = { window_ms = 1 }",
            "hard: must be",
        ),
    ] {
        let found = refusal(limit);
        assert!(found.contains(message), "{message}\n{found}");
    }
}

const LIST: &str = "[[limit]]\nlabel = \"list\"\nscope = \"F\"\ntype = \"RESTRICTED\"\nsymbols = { ABC = \"NO_TRADE\", \"X.Y-Z\" = \"NO_SHORT\" }\n";

#[test]
fn lines_of_a_restricted_list_follow_the_file() {
    let data = read(LIST);
    let known = journal_of(&data);
    let held: Vec<_> = known
        .restricted()
        .map(|line| (line.instrument.to_string(), line.restriction))
        .collect();
    assert_eq!(
        held,
        [
            ("ABC".to_owned(), Restriction::NoTrade),
            ("X.Y-Z".to_owned(), Restriction::NoShort)
        ]
    );
    let fewer = read(
        &LIST
            .replace("ABC = \"NO_TRADE\", ", "")
            .replace("NO_SHORT", "CLOSE_ONLY"),
    );
    assert_eq!(
        lines(&fewer, &known),
        [
            "restricted list list, X.Y-Z: restriction NO_SHORT -> CLOSE_ONLY",
            "restricted list list, ABC: removed"
        ]
    );
}

#[test]
fn a_restricted_limit_that_goes_takes_its_lines_with_it_and_those_of_others_stay() {
    let data = read(LIST);
    let mut known = journal_of(&data);
    known
        .restricted
        .values_mut()
        .filter(|(restriction, _)| *restriction == Restriction::NoShort)
        .for_each(|(_, is_ours)| *is_ours = false);
    assert_eq!(
        lines(&read(""), &known),
        ["restricted list list, ABC: removed", "limit list: removed"]
    );
    let weaker = read(&LIST.replace("NO_SHORT", "CLOSE_ONLY"));
    assert!(lines(&weaker, &known).is_empty(), "what an operator said holds");
    // Somebody has removed the limit; when the file brings it back, it brings the file's list and nothing older of ours.
    known.limits.clear();
    let other = read(&LIST.replace("ABC = \"NO_TRADE\", ", ""));
    let found = lines(&other, &known);
    assert!(found[0].starts_with("limit list: new"), "{found:?}");
    assert_eq!(found[1..], ["restricted list list, ABC: removed"]);
}

#[test]
fn a_node_is_valued_once_and_never_over_a_figure_of_the_journal() {
    let text = "[[valuation]]\nscope = \"A\"\nequity = \"1000.5\"\n";
    let data = read(text);
    let (equity, balance) = (data.valuations[0].equity, data.valuations[0].balance);
    assert_eq!((equity.raw(), balance), (100_050_000_000, equity));
    assert_eq!(
        lines(&data, &journal_of(&read(""))),
        ["valuation A: new, equity 1000.5, balance 1000.5"]
    );
    let known = journal_of(&data);
    assert!(lines(&read(&text.replace("1000.5", "2000")), &known).is_empty());
}

#[test]
fn a_line_of_a_list_is_one_event_with_its_limit_and_instrument() {
    let data = read(LIST);
    let lines: Vec<_> = data
        .events(FROM, TO)
        .into_iter()
        .filter(|event| event.kind() == Some(tradewind_domain::event::Kind::RestrictedSet))
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].event().names.symbol.as_str(), "ABC");
}

#[test]
fn one_value_of_a_list_parameter_can_be_changed_from_the_command_line() {
    let data = read("[[limit]]\nlabel = \"l\"\nscope = \"A\"\ntype = \"PERMISSION\"\n");
    let known = journal_of(&data);
    let changed = data.limits[0]
        .with("actions", "CANCEL,REPLACE", "set", &known)
        .unwrap();
    assert_eq!(changed.params[0], 6);
    assert!(limit_spec(changed.limit_type).is_some());
    assert_eq!(
        changed.difference(Some(&data.limits[0])).unwrap(),
        "limit l: params actions=ALL order_types=ALL kinds=ALL -> actions=CANCEL,REPLACE order_types=ALL kinds=ALL"
    );
}
