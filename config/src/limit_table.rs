//! The limit types of the catalogue as files write them, in its order. docs/limits.md is written from this table.

use crate::limit_units::{Actions, Filters, LimitSpec, LimitUnit, ParamKind, ParamSpec, Words};
use tradewind_domain::codes::LimitType;
use tradewind_domain::fixed::ONE;

/// The longest window or age, milliseconds: a day.
const DAY_MS: i64 = 86_400_000;
/// The most messages or executions that are remembered one by one.
const STAMPS_MAX: i64 = 1 << 20;
/// The most messages a period, and the largest ratio of messages to trades.
const RATE_MAX: i64 = 1_000_000_000;

const SIDES: Words = &[("GROSS", 0), ("BUY", 1), ("SELL", 2)];
const ACTIONS: Words = &[("PLACE", 1), ("CANCEL", 2), ("REPLACE", 4)];
/// A list of nothing: a bit that stands for no action, order type or kind, since no bit at all allows everything.
const NOTHING: (&str, i64) = ("NOTHING", 1 << 62);
const ALLOWED_ACTIONS: Words = &[("PLACE", 1), ("CANCEL", 2), ("REPLACE", 4), NOTHING];
const ORDER_TYPES: Words = &[
    ("MARKET", 2),
    ("LIMIT", 4),
    ("STOP", 8),
    ("STOP_LIMIT", 16),
    NOTHING,
];
const KINDS: Words = &[
    ("EQUITY", 2),
    ("FUTURE", 4),
    ("CRYPTO", 8),
    ("INVERSE", 16),
    ("BINARY", 32),
    NOTHING,
];
const STATES: Words = &[("REDUCE_ONLY", 1), ("CANCEL_ONLY", 2), ("KILL", 3)];
const LEVELS: Words = &[
    ("STRATEGY", 1),
    ("ACCOUNT", 2),
    ("USER", 3),
    ("DESK", 4),
    ("ORG", 5),
    ("FIRM", 6),
];

const fn param(name: &'static str, index: usize, kind: ParamKind, default: i64) -> ParamSpec {
    ParamSpec {
        name,
        index,
        kind,
        default: Some(default),
    }
}

/// One that a file must give.
const fn needed(name: &'static str, index: usize, kind: ParamKind) -> ParamSpec {
    ParamSpec {
        name,
        index,
        kind,
        default: None,
    }
}

const MILLIS: ParamKind = ParamKind::Whole(1, DAY_MS);
const AMOUNT: ParamKind = ParamKind::Decimal(0, i64::MAX);

const RATE_PARAMS: &[ParamSpec] = &[
    param("period_ms", 0, MILLIS, 1_000),
    param("algo", 1, ParamKind::Choice(&[("SLIDING", 0), ("GCRA", 1)]), 0),
    param("burst", 2, ParamKind::Whole(1, RATE_MAX), 1),
];
const SIDE_PARAMS: &[ParamSpec] = &[param("side", 0, ParamKind::Choice(SIDES), 0)];

/// A type without parameters that may be narrowed in every way.
const fn limit(limit_type: LimitType, unit: LimitUnit, resets: &'static str, doc: &'static str) -> LimitSpec {
    LimitSpec {
        limit_type,
        doc,
        resets,
        unit,
        hard: None,
        params: &[],
        filters: Filters::All,
        actions: Actions::Usual,
    }
}

/// A type that has no figure.
const fn gate(
    limit_type: LimitType,
    resets: &'static str,
    doc: &'static str,
    params: &'static [ParamSpec],
) -> LimitSpec {
    LimitSpec {
        hard: Some(0),
        params,
        ..limit(limit_type, LimitUnit::Nothing, resets, doc)
    }
}

const fn rate(limit_type: LimitType, doc: &'static str) -> LimitSpec {
    LimitSpec {
        params: RATE_PARAMS,
        filters: Filters::None,
        actions: Actions::Rate,
        ..limit(limit_type, LimitUnit::Rate, "window", doc)
    }
}

/// A floor under equity.
const fn floor(
    limit_type: LimitType,
    resets: &'static str,
    doc: &'static str,
    params: &'static [ParamSpec],
) -> LimitSpec {
    LimitSpec {
        params,
        filters: Filters::None,
        actions: Actions::Own,
        ..limit(limit_type, LimitUnit::Value, resets, doc)
    }
}

/// The limit types that this version evaluates, in the order of the catalogue. Files with others are refused.
pub static LIMIT_SPECS: &[LimitSpec] = &[
    limit(
        LimitType::MaxOrderQty,
        LimitUnit::Quantity,
        "-",
        "quantity of one order, fills included",
    ),
    limit(
        LimitType::MaxOrderNotional,
        LimitUnit::Value,
        "-",
        "value of one order",
    ),
    limit(
        LimitType::FatFinger,
        LimitUnit::Multiple,
        "-",
        "quantity of one order, as a multiple of the instrument's `avg_order_qty`",
    ),
    limit(
        LimitType::AdvOrder,
        LimitUnit::Percent,
        "-",
        "quantity of one order, in percent of the instrument's `adv`; no `adv` is 0",
    ),
    limit(
        LimitType::AdvDay,
        LimitUnit::Percent,
        "day",
        "quantity executed today and open in an instrument, both sides, in percent of its `adv`",
    ),
    gate(
        LimitType::PriceCollar,
        "-",
        "limit price against the last trade, or the mark; give `pct` (percent of it) or `abs` (a distance)",
        &[
            param("pct", 0, ParamKind::Decimal(0, 1_000_000 * ONE), 0),
            param("abs", 1, AMOUNT, 0),
            param("max_ref_age_ms", 2, MILLIS, 5_000),
            param(
                "stale_action",
                3,
                ParamKind::Choice(&[("REJECT", 0), ("WIDEN", 1), ("SKIP", 2)]),
                0,
            ),
            param("widen_mult", 4, ParamKind::Decimal(ONE, 1_000 * ONE), ONE),
            param(
                "side_mode",
                5,
                ParamKind::Choice(&[("BOTH", 0), ("AGGRESSIVE", 1)]),
                0,
            ),
        ],
    ),
    gate(
        LimitType::Restricted,
        "until changed",
        "what its list says of the instrument: NO_TRADE, CLOSE_ONLY, NO_SHORT (key `symbols`)",
        &[],
    ),
    gate(
        LimitType::Permission,
        "until changed",
        "what may be asked for, with which order types, in which kinds of instruments",
        &[
            param("actions", 0, ParamKind::Set(ALLOWED_ACTIONS, "ALL"), 0),
            param("order_types", 1, ParamKind::Set(ORDER_TYPES, "ALL"), 0),
            param("kinds", 2, ParamKind::Set(KINDS, "ALL"), 0),
        ],
    ),
    gate(
        LimitType::MarketHours,
        "session",
        "the instrument's session is open and it is not halted",
        &[],
    ),
    gate(
        LimitType::StaleOrder,
        "-",
        "age of the order's own time stamp; one more than a second ahead is refused too, none is not asked",
        &[needed("max_age_ms", 0, MILLIS)],
    ),
    gate(
        LimitType::DupContent,
        "window",
        "orders of equal leaf, instrument, side, type, quantity and prices accepted within the window",
        &[
            needed("window_ms", 0, MILLIS),
            param("max", 1, ParamKind::Whole(1, 8), 1),
        ],
    ),
    rate(LimitType::OrderRate, "new orders and replaces"),
    rate(
        LimitType::MsgRate,
        "new orders, replaces and cancels; cancels are counted and never refused",
    ),
    LimitSpec {
        params: &[needed("window_ms", 0, MILLIS)],
        filters: Filters::None,
        actions: Actions::Own,
        ..limit(
            LimitType::RepeatedExec,
            LimitUnit::Count(1, STAMPS_MAX),
            "window",
            "executions within the window; as many as `hard` disable the node until somebody re-arms it",
        )
    },
    gate(
        LimitType::ShortSale,
        "day",
        "a SELL is held to the long position, a SELL_SHORT to what was located unless `easy_to_borrow`",
        &[],
    ),
    gate(
        LimitType::SelfTrade,
        "-",
        "an order that would trade with a resting one below the same node",
        &[param(
            "mode",
            0,
            ParamKind::Choice(&[
                ("CANCEL_NEWEST", 0),
                ("CANCEL_OLDEST", 1),
                ("CANCEL_BOTH", 2),
                ("DECREMENT", 3),
            ]),
            0,
        )],
    ),
    limit(
        LimitType::MaxOpenOrders,
        LimitUnit::Count(0, i64::MAX / ONE),
        "-",
        "open orders",
    ),
    limit(
        LimitType::OpenNotional,
        LimitUnit::Value,
        "-",
        "value of open orders, both sides",
    ),
    LimitSpec {
        params: SIDE_PARAMS,
        ..limit(
            LimitType::DailyNotional,
            LimitUnit::Value,
            "day",
            "value executed today and open",
        )
    },
    LimitSpec {
        params: SIDE_PARAMS,
        ..limit(
            LimitType::DailyQty,
            LimitUnit::Quantity,
            "day",
            "quantity executed today and open",
        )
    },
    LimitSpec {
        params: &[param("min_msgs", 0, ParamKind::Whole(0, i64::MAX), 0)],
        filters: Filters::Groups,
        ..limit(
            LimitType::OrderToTrade,
            LimitUnit::Count(0, RATE_MAX),
            "day",
            "messages of the day for each trade (at least one); asked from `min_msgs` messages on, cancels are never refused",
        )
    },
    limit(
        LimitType::PositionLong,
        LimitUnit::Quantity,
        "-",
        "position and open buys, per instrument",
    ),
    limit(
        LimitType::PositionShort,
        LimitUnit::Quantity,
        "-",
        "open sells less the position, per instrument",
    ),
    limit(
        LimitType::LongExposure,
        LimitUnit::Value,
        "-",
        "value of long positions with open buys, summed over instruments",
    ),
    limit(
        LimitType::ShortExposure,
        LimitUnit::Value,
        "-",
        "value of short positions with open sells, summed over instruments",
    ),
    limit(
        LimitType::NetExposure,
        LimitUnit::Value,
        "-",
        "value of long less short positions, with all open buys or all open sells, whichever is worse",
    ),
    limit(
        LimitType::GrossExposure,
        LimitUnit::Value,
        "-",
        "value of positions with open orders, long or short, summed over instruments",
    ),
    limit(
        LimitType::Concentration,
        LimitUnit::Percent,
        "-",
        "gross exposure in one instrument, in percent of the node's equity",
    ),
    limit(
        LimitType::Sector,
        LimitUnit::Percent,
        "-",
        "gross exposure in the order's sector, in percent of the node's equity; `sector` binds that one only",
    ),
    LimitSpec {
        filters: Filters::Groups,
        ..gate(
            LimitType::BuyingPower,
            "-",
            "purchases against settled cash and `credit_line`; in a cash account, sales against what is held; `cash`: that of the instrument's currency (TRADE), or all of it in base currency (BASE)",
            &[
                param("credit_line", 0, AMOUNT, 0),
                param("fee_bps", 1, ParamKind::Whole(0, 10_000), 0),
                param("unsettled_ok", 2, ParamKind::Flag, 0),
                param("cash", 3, ParamKind::Choice(&[("TRADE", 0), ("BASE", 1)]), 0),
            ],
        )
    },
    limit(
        LimitType::Margin,
        LimitUnit::Percent,
        "-",
        "initial margin of positions with open orders, in percent of the node's equity",
    ),
    limit(
        LimitType::Leverage,
        LimitUnit::Multiple,
        "-",
        "gross exposure, as a multiple of the node's equity",
    ),
    limit(
        LimitType::RiskPerTrade,
        LimitUnit::Percent,
        "-",
        "loss of one order at its stop-loss price, in percent of the node's equity; without one it is refused",
    ),
    floor(
        LimitType::DailyLoss,
        "day",
        "loss of the day: equity below the day's start less `hard`",
        &[
            param("action", 0, ParamKind::Choice(STATES), 1),
            param(
                "reference",
                1,
                ParamKind::Choice(&[("BALANCE", 0), ("HIGHER", 1)]),
                0,
            ),
            param("cancel_resting", 2, ParamKind::Flag, 1),
        ],
    ),
    floor(
        LimitType::MaxDdStatic,
        "never",
        "equity below `initial` less `hard`",
        &[
            needed("initial", 0, AMOUNT),
            param("action", 1, ParamKind::Choice(STATES), 1),
            param("cancel_resting", 2, ParamKind::Flag, 1),
        ],
    ),
    floor(
        LimitType::MaxDdTrailing,
        "never",
        "equity below its high-water mark less `hard`; `lock` is where the floor stops rising",
        &[
            needed("initial", 0, AMOUNT),
            param("mode", 1, ParamKind::Choice(&[("EOD", 0), ("INTRADAY", 1)]), 0),
            param("lock", 2, ParamKind::DecimalOrNone, i64::MAX),
            param("action", 3, ParamKind::Choice(STATES), 1),
            param("cancel_resting", 4, ParamKind::Flag, 1),
        ],
    ),
    LimitSpec {
        hard: Some(10_000 * (ONE as i128) * (ONE as i128)),
        filters: Filters::None,
        actions: Actions::Own,
        params: &[
            param("single", 0, AMOUNT, 2_000 * ONE),
            param("valid_s", 1, ParamKind::Whole(0, 86_400), 3_600),
            param("actions", 2, ParamKind::Set(ACTIONS, "NONE"), 3),
            param("level", 3, ParamKind::Choice(LEVELS), 3),
        ],
        ..limit(
            LimitType::Emergency,
            LimitUnit::Value,
            "outage; day",
            "while the entitlement source is down: one order against `single`, the day's value at `level` against `hard`",
        )
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit_units::limit_spec;
    use std::path::Path;
    use tradewind_domain::codes::{InstrumentKind, Level, OrderType};

    const START: &str =
        "<!-- from config/src/limit_table.rs: UPDATE_DOCS=1 cargo test -p tradewind-config -->\n";
    const END: &str = "<!-- end -->";

    fn row(spec: &LimitSpec) -> String {
        let params: Vec<String> = spec.params.iter().map(param_text).collect();
        let id = match spec.limit_type as u8 {
            104 => 4,
            number => number,
        };
        let mut unit = spec.unit.text().to_owned();
        if let Some(hard) = spec.hard.filter(|_| spec.unit != LimitUnit::Nothing) {
            let scale = 10i128.pow(spec.unit.decimals());
            unit += &format!(" ({})", hard / scale);
        }
        format!(
            "| L{id:02} | {} | {} | {unit} | {} | {} |\n",
            spec.limit_type.text(),
            spec.doc,
            params.join("; "),
            spec.resets,
        )
    }

    fn param_text(param: &ParamSpec) -> String {
        let default = param
            .default
            .map_or("must be given".to_owned(), |value| param.kind.show(value));
        format!(
            "`{}` [{}]: {} ({default})",
            param.name,
            param.index,
            param.kind.allowed()
        )
    }

    #[test]
    fn the_page_of_limits_shows_the_table() {
        let rows: String = LIMIT_SPECS.iter().map(row).collect();
        let table = format!(
            "{START}| id | type | what must not exceed `hard` | unit of `hard` (default) | `params` [index]: allowed (default) | starts anew \
             |\n|---|---|---|---|---|---|\n{rows}{END}"
        );
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/limits.md");
        let page = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once(START).expect("the table begins");
        let (_, after) = rest.split_once(END).expect("the table ends");
        let wanted = format!("{before}{table}{after}");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        } else {
            assert!(page == wanted, "docs/limits.md is old: run with UPDATE_DOCS=1");
        }
    }

    #[test]
    fn every_type_of_the_catalogue_has_one_row() {
        for limit_type in LimitType::ALL {
            let rows = LIMIT_SPECS.iter().filter(|spec| spec.limit_type == *limit_type);
            assert_eq!(rows.count(), 1, "{limit_type}");
            assert!(limit_spec(*limit_type).is_some());
        }
    }

    #[test]
    fn defaults_are_allowed_and_parameters_have_places_of_their_own() {
        for spec in LIMIT_SPECS {
            let mut places: Vec<usize> = spec.params.iter().map(|param| param.index).collect();
            places.dedup();
            assert_eq!(places.len(), spec.params.len(), "{}", spec.limit_type);
            assert!(places.iter().all(|&place| place < 6) && places.is_sorted());
            for param in spec.params {
                let Some(default) = param.default else { continue };
                let fits = match param.kind {
                    ParamKind::Whole(min, max) | ParamKind::Decimal(min, max) => {
                        (min..=max).contains(&default)
                    }
                    ParamKind::DecimalOrNone => default >= 0,
                    ParamKind::Flag => matches!(default, 0 | 1),
                    ParamKind::Choice(words) => words.iter().any(|(_, number)| *number == default),
                    ParamKind::Set(words, empty) => {
                        ParamKind::mask(words, empty, &param.kind.show(default)) == Some(default)
                    }
                };
                assert!(fits, "{} {}", spec.limit_type, param.name);
            }
        }
    }

    #[test]
    fn words_and_numbers_are_those_of_the_engine() {
        let types = OrderType::ALL
            .iter()
            .map(|kind| (kind.text(), 1i64 << (*kind as u8)));
        assert!(types.chain([NOTHING]).eq(ORDER_TYPES.iter().copied()));
        let kinds = InstrumentKind::ALL
            .iter()
            .map(|kind| (kind.text(), 1i64 << (*kind as u8)));
        assert!(kinds.chain([NOTHING]).eq(KINDS.iter().copied()));
        let levels = Level::ALL.iter().map(|level| (level.text(), *level as i64));
        assert!(levels.eq(LEVELS.iter().copied()));
    }
}
