//! What files say of limits against what the limit check accepts: every type, through the parser, the events and the rule that a
//! limit is refused by.

use tradewind_config::{Filters, LIMIT_SPECS, Limit, LimitUnit, ReferenceData};
use tradewind_domain::codes::LimitType;
use tradewind_domain::event::{InboundLong, Kind, LimitSet};
use tradewind_risk::limits::{SPECS, refusal};

const FUZZED: &str = include_str!("../fuzz/reference.toml");
const FILES: [(&str, &str); 4] = [
    ("fuzz/reference.toml", FUZZED),
    ("demo.toml", ReferenceData::DEMO),
    (
        "us-equity-day.toml",
        include_str!("../config/reference/us-equity-day.toml"),
    ),
    ("binance.toml", include_str!("../config/reference/binance.toml")),
];

fn read(name: &str, text: &str) -> ReferenceData {
    ReferenceData::parse(text, name).unwrap_or_else(|error| panic!("{error}"))
}

/// The body that the limit check sees: with the instrument as normalize fills it in.
fn body(event: &InboundLong, limit: &Limit) -> LimitSet {
    let mut set: LimitSet = *event.event().body();
    set.filter_instrument = if limit.instrument.is_empty() {
        tradewind_domain::ids::InstrumentId::NONE
    } else {
        tradewind_domain::ids::InstrumentId(0)
    };
    set
}

#[test]
fn the_limit_check_accepts_what_shipped_files_hold() {
    for (name, text) in FILES {
        for limit in &read(name, text).limits {
            let set = body(&limit.event(), limit);
            assert_eq!(refusal(&set), None, "{name}: {}", limit.label);
        }
    }
}

#[test]
fn files_know_the_types_that_the_limit_check_evaluates() {
    let in_files: Vec<LimitType> = LIMIT_SPECS.iter().map(|spec| spec.limit_type).collect();
    let evaluated: Vec<LimitType> = SPECS.iter().map(|spec| spec.limit_type).collect();
    assert_eq!(in_files, evaluated);
    let fuzzed = read("fuzz/reference.toml", FUZZED);
    for limit_type in in_files {
        let found = fuzzed.limits.iter().any(|limit| limit.limit_type == limit_type);
        assert!(found, "fuzz/reference.toml has no {limit_type}");
    }
}

/// The smallest table of each type, narrowed in every way that files allow for it.
#[test]
fn the_limit_check_accepts_each_type_with_its_defaults_and_every_filter() {
    let firm = &FUZZED[..FUZZED.find("[[limit]]").expect("it has limits")];
    for spec in LIMIT_SPECS {
        let mut filters = vec![""];
        if spec.filters != Filters::None {
            filters.extend([
                "kind = \"EQUITY\"",
                "sector = \"FUND\"",
                "kind = \"FUTURE\"\nsector = \"FUND\"",
            ]);
        }
        if spec.filters == Filters::All {
            filters.push("instrument = \"SPY\"");
        }
        let hard = if spec.unit == LimitUnit::Nothing {
            ""
        } else {
            "hard = \"5\""
        };
        let mut params: Vec<String> = spec
            .params
            .iter()
            .filter(|param| param.default.is_none())
            .map(|param| format!("{} = 7", param.name))
            .collect();
        if spec.limit_type == LimitType::PriceCollar {
            params.push("abs = \"0.5\"".to_owned());
        }
        for filter in filters {
            let text = format!(
                "{firm}\n[[limit]]\nlabel = \"l\"\nscope = \"A1\"\ntype = \"{}\"\n{hard}\n{filter}\nparams = {{ {} }}\n",
                spec.limit_type.text(),
                params.join(", ")
            );
            let data = read("each", &text);
            let limit = &data.limits[0];
            assert_eq!(
                refusal(&body(&limit.event(), limit)),
                None,
                "{} {filter}",
                spec.limit_type
            );
        }
    }
}

#[test]
fn lines_of_restricted_lists_come_after_their_limit() {
    let data = read("demo.toml", ReferenceData::DEMO);
    let kinds: Vec<Kind> = data
        .events(20_500, 20_500)
        .iter()
        .filter_map(InboundLong::kind)
        .collect();
    let limit = kinds.iter().rposition(|kind| *kind == Kind::LimitSet);
    let line = kinds.iter().position(|kind| *kind == Kind::RestrictedSet);
    assert!(limit < line, "{limit:?} {line:?}");
}
