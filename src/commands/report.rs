//! `tradewind report`: what the journal says of one account, as a file.

use crate::cli::{FormatArg, MethodArg, ReportArg, ReportArgs};
use crate::output;
use anyhow::Context;
use std::process::ExitCode;
use tradewind_analytics::Figure;
use tradewind_domain::codes::LotMethod;
use tradewind_domain::decimal;
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::time::{DayNumber, parse_date};
use tradewind_reports::{HarvestTerms, Period, ReportKind, ReportOptions, csv, html, json, report};

/// Makes the report and writes it.
pub fn run(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    let day = |text: &Option<String>| text.as_deref().map(date).transpose();
    let period = Period::new(day(&args.from)?, day(&args.to)?)?;
    let report = report(
        &args.data,
        kind(args.report),
        &args.account,
        period,
        &options(args)?,
    )?;
    let text = match args.format {
        FormatArg::Csv => csv(&report),
        FormatArg::Json => json(&report),
        FormatArg::Html => html(&report),
    };
    match &args.output {
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?
        }
        None => output::text(text),
    }
    Ok(ExitCode::SUCCESS)
}

fn kind(report: ReportArg) -> ReportKind {
    match report {
        ReportArg::Statement => ReportKind::Statement,
        ReportArg::Pnl => ReportKind::Pnl,
        ReportArg::TaxLots => ReportKind::TaxLots,
        ReportArg::Harvest => ReportKind::Harvest,
        ReportArg::Breaches => ReportKind::Breaches,
        ReportArg::OrderToTrade => ReportKind::OrderToTrade,
        ReportArg::Groups => ReportKind::Groups,
    }
}

fn options(args: &ReportArgs) -> anyhow::Result<ReportOptions> {
    Ok(ReportOptions {
        method: match args.method {
            MethodArg::Fifo => LotMethod::Fifo,
            MethodArg::Lifo => LotMethod::Lifo,
            MethodArg::Hifo => LotMethod::Hifo,
            MethodArg::Avco => LotMethod::AverageCost,
        },
        harvest: HarvestTerms {
            loss_min: Money::from_raw(scaled("--loss-min", &args.loss_min)?.into()),
            share_min: percent("--loss-min-pct", &args.loss_min_pct)?,
            rate_short: percent("--rate-short", &args.rate_short)?,
            rate_long: percent("--rate-long", &args.rate_long)?,
        },
    })
}

fn date(text: &str) -> anyhow::Result<DayNumber> {
    parse_date(text).with_context(|| format!("{text:?} is no date like 2026-03-02"))
}

fn percent(name: &str, text: &str) -> anyhow::Result<Figure> {
    let share = Figure::of(scaled(name, text)?.into(), 100 * i128::from(ONE));
    share.with_context(|| format!("{name} is too large"))
}

/// A decimal that is not negative, at 1e-8.
fn scaled(name: &str, text: &str) -> anyhow::Result<i64> {
    let value = decimal::parse(text.as_bytes()).with_context(|| format!("{name}: {text:?}"))?;
    anyhow::ensure!(value >= 0, "{name} is below zero");
    Ok(value)
}
