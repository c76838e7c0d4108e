//! The topics `assessment` (events of an attempt, and where it stands) and `escalation` (levels of an incident at instants).

use super::{Answer, Decimal, answers, money, read};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tradewind_alerts::Severity;
use tradewind_alerts::escalation::{Timings, level};
use tradewind_domain::time::UnixNanos;
use tradewind_risk::assessment::{AssessmentRules, Attempt, Figures, Observation, Percent, Status, Trailing};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    rules: Rules,
    events: Vec<Happening>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    initial: Decimal,
    target_pct: Decimal,
    daily_loss_pct: Option<Decimal>,
    max_loss_pct: Option<Decimal>,
    #[serde(default)]
    min_days: u32,
    #[serde(default)]
    min_trades: u32,
    max_days: Option<u32>,
    consistency_pct: Option<Decimal>,
    #[serde(default)]
    trailing: bool,
    lock: Option<Decimal>,
}

#[derive(Deserialize)]
#[serde(tag = "e", rename_all = "snake_case", deny_unknown_fields)]
enum Happening {
    Open,
    Roll,
    Withdraw,
    Void,
    Equity {
        equity: Option<Decimal>,
        balance: Option<Decimal>,
        #[serde(default)]
        flat: bool,
        trades: Option<u32>,
        #[serde(default)]
        stale: bool,
    },
}

pub(super) fn assessment(input: Value, _: &Map<String, Value>) -> Answer {
    let input: Input = read(input)?;
    let mut attempt = Attempt::new(rules(&input.rules)?).map_err(|error| error.to_string())?;
    let mut ended = None;
    for (at, happening) in input.events.iter().enumerate() {
        let status = attempt.observe(&observation(happening)?);
        if status.map_err(|error| error.to_string())?.is_over() && ended.is_none() {
            ended = Some(at);
        }
    }
    let mut answer = answers([
        ("status", json!(attempt.status().text())),
        ("trading_days", json!(attempt.trading_days())),
    ])?;
    if let Some(at) = ended {
        answer.insert("event_index".to_owned(), json!(at));
    }
    if let Status::Failed(reason) = attempt.status() {
        answer.insert("reason".to_owned(), json!(reason.text()));
    }
    Ok(answer)
}

fn rules(rules: &Rules) -> Result<AssessmentRules, String> {
    let percent = |decimal: Decimal| -> Result<Percent, String> {
        decimal.e8().ok_or_else(|| format!("{decimal} is no percentage"))
    };
    let lock = rules.lock.map(money).transpose()?;
    Ok(AssessmentRules {
        initial: money(rules.initial)?,
        target_pct: percent(rules.target_pct)?,
        daily_loss_pct: rules.daily_loss_pct.map(percent).transpose()?,
        max_loss_pct: rules.max_loss_pct.map(percent).transpose()?,
        trailing: match rules.trailing {
            true => Trailing::EndOfDay { lock },
            false => Trailing::Static,
        },
        min_days: rules.min_days,
        min_trades: rules.min_trades,
        max_days: rules.max_days,
        consistency_pct: rules.consistency_pct.map(percent).transpose()?,
        risk_per_trade: None,
    })
}

fn observation(happening: &Happening) -> Result<Observation, String> {
    Ok(match happening {
        Happening::Open => Observation::Opened,
        Happening::Roll => Observation::Roll,
        Happening::Withdraw => Observation::Withdraw,
        Happening::Void => Observation::Void,
        Happening::Equity {
            equity,
            balance,
            flat,
            trades,
            stale,
        } => Observation::Figures(Figures {
            equity: equity.map(money).transpose()?,
            balance: balance.map(money).transpose()?,
            flat: *flat,
            trades: *trades,
            stale: *stale,
        }),
    })
}

pub(super) fn escalation(input: Value, _: &Map<String, Value>) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        severity: String,
        opened_s: f64,
        acknowledged_s: Option<f64>,
        query_s: Vec<f64>,
    }
    let input: Input = read(input)?;
    let severity =
        Severity::from_text(&input.severity).ok_or_else(|| format!("{} is no severity", input.severity))?;
    let opened_ns = nanos(input.opened_s)?;
    let stopped_ns = input.acknowledged_s.map(nanos).transpose()?;
    let at = |seconds: &f64| {
        let now_ns = nanos(*seconds)?;
        Ok(level(
            severity,
            opened_ns,
            stopped_ns,
            now_ns,
            &Timings::default(),
        ))
    };
    let levels: Vec<u8> = input.query_s.iter().map(at).collect::<Result<_, String>>()?;
    answers([("levels", json!(levels))])
}

/// Files write seconds with milliseconds; a century of them is enough.
fn nanos(seconds: f64) -> Result<UnixNanos, String> {
    if !(0.0..=3.2e9).contains(&seconds) {
        return Err(format!("{seconds} s is no time of an incident"));
    }
    Ok((seconds * 1e3).round() as u64 * 1_000_000)
}
