//! Topics whose answer is a figure, or a table of them.

use super::{Answer, Decimal, answers, money, read};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tradewind_analytics::{
    Bootstrap, Contender, DatedFlow, FIGURE_ONE, Figure, Paths, RatioInput, SplitMix64, max_drawdown,
    tail_risk,
};
use tradewind_domain::fixed::{Money, NOTIONAL_ONE};
use tradewind_domain::time::parse_date;

/// The figures that a file names as decimals.
fn text<T: ToString>(figure: Option<T>) -> Value {
    figure.map_or(Value::Null, |figure| Value::String(figure.to_string()))
}

fn float(decimal: &Decimal) -> Result<f64, String> {
    decimal
        .to_string()
        .parse()
        .map_err(|_| format!("{decimal} is no number"))
}

fn floats(decimals: &[Decimal]) -> Result<Vec<f64>, String> {
    decimals.iter().map(float).collect()
}

fn amounts(decimals: &[Decimal]) -> Result<Vec<Money>, String> {
    decimals.iter().copied().map(money).collect()
}

/// A decimal at a figure's scale.
fn figure(decimal: Decimal) -> Result<Figure, String> {
    let raw = decimal
        .raw(16)
        .and_then(|raw| raw.checked_mul(FIGURE_ONE / NOTIONAL_ONE));
    raw.map(Figure::from_raw)
        .ok_or_else(|| format!("{decimal} is too large"))
}

pub(super) fn ratios(input: Value, _: &Map<String, Value>) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        returns: Vec<Decimal>,
        rf_daily: Decimal,
        mar_daily: Decimal,
        periods: u32,
    }
    let input: Input = read(input)?;
    let found = tradewind_analytics::ratios(&RatioInput {
        returns: &floats(&input.returns)?,
        risk_free: float(&input.rf_daily)?,
        acceptable: float(&input.mar_daily)?,
        periods: input.periods,
    });
    answers([
        ("mean", text(found.mean)),
        ("stdev", text(found.stdev)),
        ("volatility", text(found.volatility)),
        ("sharpe", text(found.sharpe)),
        ("downside_deviation", text(found.downside_deviation)),
        ("sortino", text(found.sortino)),
    ])
}

pub(super) fn beta(input: Value, _: &Map<String, Value>) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        returns: Vec<Decimal>,
        market: Vec<Decimal>,
    }
    let input: Input = read(input)?;
    let found = tradewind_analytics::beta(&floats(&input.returns)?, &floats(&input.market)?);
    answers([("beta", text(found))])
}

pub(super) fn xirr(input: Value, _: &Map<String, Value>) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        flows: Vec<(String, Decimal)>,
    }
    let input: Input = read(input)?;
    let flow = |(date, amount): &(String, Decimal)| {
        let day = parse_date(date).ok_or_else(|| format!("{date} is no date"))?;
        Ok((day, money(*amount)?))
    };
    let flows: Vec<_> = input.flows.iter().map(flow).collect::<Result<_, String>>()?;
    answers([("xirr", text(tradewind_analytics::xirr(&flows)))])
}

pub(super) fn tail(input: Value, _: &Map<String, Value>) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        pnl: Vec<Decimal>,
        confidence: Decimal,
    }
    let input: Input = read(input)?;
    let found = tail_risk(&amounts(&input.pnl)?, figure(input.confidence)?);
    answers([
        ("var", text(found.map(|tail| tail.value_at_risk))),
        ("es", text(found.map(|tail| tail.expected_shortfall))),
    ])
}

pub(super) fn time_weighted(input: Value, _: &Map<String, Value>) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        subperiods: Vec<(Decimal, Decimal)>,
    }
    let input: Input = read(input)?;
    let pair = |(start, end): &(Decimal, Decimal)| Ok((money(*start)?, money(*end)?));
    let pairs: Vec<_> = input.subperiods.iter().map(pair).collect::<Result<_, String>>()?;
    answers([("twr", text(tradewind_analytics::time_weighted(&pairs)))])
}

pub(super) fn modified_dietz(input: Value, _: &Map<String, Value>) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        v0: Decimal,
        v1: Decimal,
        days: u32,
        flows: Vec<(u32, Decimal)>,
    }
    let input: Input = read(input)?;
    let flow = |(day, amount): &(u32, Decimal)| {
        let (day, amount) = (*day, money(*amount)?);
        Ok(DatedFlow { day, amount })
    };
    let flows: Vec<_> = input.flows.iter().map(flow).collect::<Result<_, String>>()?;
    let found = tradewind_analytics::modified_dietz(money(input.v0)?, money(input.v1)?, input.days, &flows);
    answers([("dietz", text(found))])
}

pub(super) fn drawdown(input: Value, _: &Map<String, Value>) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        equity: Vec<Decimal>,
    }
    let input: Input = read(input)?;
    let found = max_drawdown(&amounts(&input.equity)?);
    answers([
        ("max_drawdown", text(found.map(|deepest| deepest.share))),
        ("peak_index", json!(found.map(|deepest| deepest.peak))),
        ("trough_index", json!(found.map(|deepest| deepest.trough))),
        ("drawdown_money", text(found.map(|deepest| deepest.amount))),
    ])
}

pub(super) fn rank(input: Value, _: &Map<String, Value>) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        rows: Vec<Vec<Value>>,
    }
    let input: Input = read(input)?;
    let contender = |row: &Vec<Value>| {
        let (id, keys) = row.split_first().ok_or("a row is empty")?;
        let keys = keys.iter().map(|key| Ok(figure(read(key.clone())?)?.raw()));
        Ok(Contender {
            id: id.as_str().ok_or("a row begins with its id")?.to_owned(),
            keys: keys.collect::<Result<_, String>>()?,
        })
    };
    let contenders: Vec<_> = input.rows.iter().map(contender).collect::<Result<_, String>>()?;
    let ranked = tradewind_analytics::rank(&contenders);
    let rows: Vec<Value> = ranked.into_iter().map(|row| json!([row.id, row.rank])).collect();
    answers([("ranks", Value::Array(rows))])
}

pub(super) fn bootstrap(input: Value, expect: &Map<String, Value>) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        pnl: Vec<Decimal>,
        start: Decimal,
        horizon: usize,
        paths: usize,
        seed: u64,
        block: Option<usize>,
    }
    let input: Input = read(input)?;
    let start = money(input.start)?;
    let run = Bootstrap {
        profits: &amounts(&input.pnl)?,
        start,
        horizon: input.horizon,
        paths: input.paths,
        seed: input.seed,
        block: input.block.unwrap_or(1),
    };
    let paths = run
        .run()
        .ok_or("there is nothing to draw, or a sum does not fit")?;
    let keys = expect.iter().map(|(key, asked)| {
        let answer = outcome(&paths, start, key, asked)?;
        Ok((key.clone(), answer))
    });
    keys.collect()
}

/// The outcome that a key asks for.
fn outcome(paths: &Paths, start: Money, key: &str, asked: &Value) -> Result<Value, String> {
    let decimal = |text: &str| Decimal::parse(text).ok_or_else(|| format!("{text} is no decimal"));
    let at_ranks = |at: &dyn Fn(Figure) -> Option<Money>| {
        let shares = asked.as_object().into_iter().flat_map(Map::keys);
        let ranks = shares.map(|share| Ok((share.clone(), text(at(figure(decimal(share)?)?)))));
        ranks.collect::<Result<Map<_, _>, String>>().map(Value::Object)
    };
    match key {
        "final" => at_ranks(&|share| paths.final_at(share)),
        "drawdown" => at_ranks(&|share| paths.drawdown_at(share)),
        "first_paths" => {
            let asked = asked.as_array().map_or(0, Vec::len);
            let both = paths.finals.iter().zip(&paths.drawdowns).take(asked);
            let rows = both.map(|(end, drawdown)| json!([end.to_string(), drawdown.to_string()]));
            Ok(Value::Array(rows.collect()))
        }
        "p_final_lt_start" => Ok(text(paths.share_ending_below(start))),
        _ => match key.strip_prefix("p_dd_gt_") {
            Some(amount) => Ok(text(paths.share_with_drawdown_above(money(decimal(amount)?)?))),
            None => Err(format!("{key} is not known")),
        },
    }
}

pub(super) fn numbers(input: Value, _: &Map<String, Value>) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        seed: u64,
        count: usize,
    }
    let input: Input = read(input)?;
    let mut rng = SplitMix64::new(input.seed);
    let values: Vec<Value> = (0..input.count)
        .map(|_| json!(rng.next_u64().to_string()))
        .collect();
    answers([("values", Value::Array(values))])
}
