//! Reading `[[limit]]` tables: what a type asks for, and what fits alone and not together.
//!
//! # Invariant
//! The limit check accepts what this accepts (`tests/limit_files.rs` sends it every type).

use super::fields::{Fields, Reader};
use super::rows::{Limit, RestrictedLine};
use crate::limit_units::{Actions, Filters, LimitSpec, LimitUnit, ParamKind, ParamSpec, limit_spec};
use toml::de::{DeTable, DeValue};
use tradewind_domain::codes::{InstrumentKind, LimitAction, LimitType, Restriction};
use tradewind_domain::fixed::ONE;
use tradewind_domain::text::{Symbol, Text};

const LIMIT_KEYS: [&str; 11] = [
    "label",
    "scope",
    "type",
    "hard",
    "soft_pct",
    "action",
    "params",
    "instrument",
    "kind",
    "sector",
    "symbols",
];

/// The largest figure of a rate whose messages are remembered one by one.
const SLIDING_MAX: i128 = 1 << 20;
/// The largest figure of a rate.
const RATE_MAX: i64 = 1_000_000_000;
/// Places of parameters that are looked at together.
const ALGO: usize = 1;
const PCT: usize = 0;
const ABS: usize = 1;

/// Places of the names that a limit mentions.
pub(super) struct Places {
    pub(super) label: usize,
    pub(super) scope: usize,
    pub(super) instrument: usize,
}

/// A limit, the lines of its list with their places, and where its names stand.
pub(super) struct Read {
    pub(super) limit: Limit,
    pub(super) lines: Vec<(usize, RestrictedLine)>,
    pub(super) places: Places,
}

/// Reads one table. Names are checked by the caller, who knows them.
pub(super) fn read<'t, 'i>(reader: &mut Reader<'_>, table: (usize, &'t DeTable<'i>)) -> Read {
    let mut fields = Fields::open(reader, table, &LIMIT_KEYS);
    let limit_type = fields.choice("type", None, &words(LimitType::ALL, LimitType::text));
    let spec = limit_type.and_then(limit_spec);
    if let (Some(limit_type), None) = (limit_type, spec) {
        fields.wrong("type", format!("{limit_type} is not evaluated by this version"));
    }
    let kinds = words(InstrumentKind::ALL, InstrumentKind::text);
    let has_kind = fields.has("kind");
    let limit = Limit {
        label: fields.text("label", None),
        scope: fields.text("scope", None),
        limit_type: limit_type.unwrap_or(LimitType::MaxOrderQty),
        hard: spec.map_or(0, |spec| hard(&mut fields, spec)),
        soft_pct: fields.whole("soft_pct", Some(0), 0, 100) as u8,
        action: action(&mut fields, spec),
        params: [0; 6],
        instrument: fields.text("instrument", Some("")),
        kind: has_kind.then(|| fields.choice("kind", None, &kinds)).flatten(),
        sector: fields.text("sector", Some("")),
    };
    let places = Places {
        label: fields.place("label"),
        scope: fields.place("scope"),
        instrument: fields.place("instrument"),
    };
    let (params, symbols) = (fields.table("params"), fields.table("symbols"));
    let limit = Limit {
        params: spec.map_or([0; 6], |spec| read_params(&mut fields, params, spec.params)),
        ..limit
    };
    if let Some((key, message)) = spec.and_then(|spec| misfit(&limit, spec)) {
        fields.wrong(key, message);
    }
    let lines = lines(&mut fields, symbols, &limit);
    Read { limit, lines, places }
}

fn words<T: Copy>(all: &[T], text: impl Fn(T) -> &'static str) -> Vec<(&'static str, T)> {
    all.iter().map(|value| (text(*value), *value)).collect()
}

/// Reads `hard` in the unit of the limit's type.
fn hard(fields: &mut Fields<'_, '_, '_, '_>, spec: &LimitSpec) -> i128 {
    if let Some(hard) = spec.hard.filter(|_| !fields.has("hard")) {
        return hard;
    }
    match spec.unit {
        LimitUnit::Nothing => {
            fields.wrong("hard", "this type has none: its parameters say what it allows");
            0
        }
        LimitUnit::Quantity | LimitUnit::Multiple | LimitUnit::Percent => {
            i128::from(fields.decimal("hard", None, 0))
        }
        LimitUnit::Value => i128::from(fields.decimal("hard", None, 0)) * i128::from(ONE),
        LimitUnit::Count(min, max) => whole(fields, min, max),
        LimitUnit::Rate => whole(fields, 1, RATE_MAX),
    }
}

/// A whole number, as a number or as text.
fn whole(fields: &mut Fields<'_, '_, '_, '_>, min: i64, max: i64) -> i128 {
    let what = format!("a whole number from {min} to {max}");
    let read = |value: &DeValue<'_>| {
        let raw = super::fields::decimal_of(value)?;
        (raw % ONE == 0 && (min..=max).contains(&(raw / ONE))).then_some(raw / ONE)
    };
    i128::from(fields.get("hard", None, &what, read).unwrap_or(min))
}

/// What a breach does; nothing is to be said where the type or its parameter says it.
fn action(fields: &mut Fields<'_, '_, '_, '_>, spec: Option<&LimitSpec>) -> LimitAction {
    let actions = spec.map_or(Actions::Rate, |spec| spec.actions);
    let mut all = words(LimitAction::ALL, LimitAction::text);
    match actions {
        Actions::Usual => all.retain(|(_, action)| *action != LimitAction::Slow),
        Actions::Rate => {}
        Actions::Own if fields.has("action") => {
            fields.wrong(
                "action",
                "this type has none: the type or its parameter `action` says what a breach does",
            );
            return LimitAction::Reject;
        }
        Actions::Own => {}
    }
    fields
        .choice("action", Some(LimitAction::Reject), &all)
        .unwrap_or(LimitAction::Reject)
}

/// Reads the parameters of a type; absent ones take their default.
fn read_params<'t, 'i>(
    fields: &mut Fields<'_, '_, 't, 'i>,
    table: Option<(usize, &'t DeTable<'i>)>,
    specs: &[ParamSpec],
) -> [i64; 6] {
    let empty = DeTable::new();
    let keys: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
    let at = fields.at;
    let mut fields = match table {
        Some(table) => Fields::open(fields.reader, table, &keys),
        None => Fields::open(fields.reader, (at, &empty), &keys),
    };
    let mut params = [0; 6];
    for spec in specs {
        params[spec.index] = param(&mut fields, spec);
    }
    params
}

fn param(fields: &mut Fields<'_, '_, '_, '_>, spec: &ParamSpec) -> i64 {
    let (name, default) = (spec.name, spec.default);
    match spec.kind {
        ParamKind::Whole(min, max) => fields.whole(name, default, min, max),
        ParamKind::Decimal(min, max) => fields.decimal_in(name, default, min, max),
        ParamKind::DecimalOrNone => {
            let read = |value: &DeValue<'_>| match value {
                DeValue::String(text) if text == crate::limit_units::NONE => Some(i64::MAX),
                value => super::fields::decimal_of(value).filter(|raw| *raw >= 0),
            };
            fields.get(name, default, &spec.kind.allowed(), read).unwrap_or(0)
        }
        ParamKind::Flag => i64::from(fields.flag(name, default == Some(1))),
        ParamKind::Choice(words) => fields.choice(name, default, words).unwrap_or(0),
        ParamKind::Set(words, empty) => {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let what = format!("{empty} or a list of {}", names.join(", "));
            let read = |value: &DeValue<'_>| match value {
                DeValue::String(text) => ParamKind::mask(words, empty, text),
                // An empty list might mean all or nothing: there is a word for each.
                DeValue::Array(array) if array.is_empty() => None,
                DeValue::Array(array) => array.iter().try_fold(0, |mask, word| {
                    let word = word.get_ref().as_str()?;
                    Some(mask | ParamKind::mask(words, empty, word)?)
                }),
                _ => None,
            };
            fields.get(name, default, &what, read).unwrap_or(0)
        }
    }
}

/// What fits alone and not together: the key that it is said about, and why.
fn misfit(limit: &Limit, spec: &LimitSpec) -> Option<(&'static str, &'static str)> {
    let has_group = limit.kind.is_some() || !limit.sector.is_empty();
    let group_key = if limit.kind.is_some() { "kind" } else { "sector" };
    let has_instrument = !limit.instrument.is_empty();
    let is_rate = spec.unit == LimitUnit::Rate;
    let params = &limit.params;
    let is_sliding = is_rate && params[ALGO] == 0;
    let is_collar = limit.limit_type == LimitType::PriceCollar;
    let rules = [
        (
            has_group && has_instrument,
            group_key,
            "cannot stand beside an instrument, which has one kind and one sector",
        ),
        (
            has_instrument && spec.filters != Filters::All,
            "instrument",
            "this type cannot be narrowed to an instrument",
        ),
        (
            has_group && spec.filters == Filters::None,
            group_key,
            "this type cannot be narrowed to a kind or sector",
        ),
        (
            is_sliding && limit.hard > SLIDING_MAX,
            "hard",
            "must not exceed 1048576 with algo SLIDING, which remembers each message",
        ),
        (
            is_collar && (params[PCT] > 0) == (params[ABS] > 0),
            "params",
            "must have `pct` or `abs` above zero, and not both",
        ),
    ];
    let broken = rules.into_iter().find(|(is_broken, _, _)| *is_broken);
    broken.map(|(_, key, message)| (key, message))
}

/// Reads the list of a RESTRICTED limit.
fn lines<'t, 'i>(
    fields: &mut Fields<'_, '_, 't, 'i>,
    table: Option<(usize, &'t DeTable<'i>)>,
    limit: &Limit,
) -> Vec<(usize, RestrictedLine)> {
    let Some((at, table)) = table else {
        return Vec::new();
    };
    if limit.limit_type != LimitType::Restricted {
        fields.wrong("symbols", "only a RESTRICTED limit has a list");
        return Vec::new();
    }
    let names: Vec<&str> = table
        .iter()
        .map(|(symbol, _)| symbol.get_ref().as_ref())
        .collect();
    let mut list = Fields::open(fields.reader, (at, table), &names);
    let all = words(Restriction::ALL, Restriction::text);
    let mut lines = Vec::new();
    for name in names {
        let place = list.place(name);
        let Ok(symbol) = Text::new(name) else {
            list.wrong(name, "is no symbol");
            continue;
        };
        let symbol: Symbol = symbol;
        if let Some(restriction) = list.choice(name, None, &all) {
            let line = RestrictedLine {
                limit: limit.label,
                instrument: symbol,
                restriction,
            };
            lines.push((place, line));
        }
    }
    lines.sort_by_key(|(place, _)| *place);
    lines
}
