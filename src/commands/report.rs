//! `tradewind report`: what the journal says of one account, as a file.

use crate::cli::{FormatArg, MethodArg, ReportArg, ReportArgs};
use crate::output;
use anyhow::Context;
use std::process::ExitCode;
use tradewind_domain::codes::LotMethod;
use tradewind_domain::decimal;
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
        harvest: harvest(args)?,
    })
}

fn date(text: &str) -> anyhow::Result<DayNumber> {
    parse_date(text).with_context(|| format!("{text:?} is no date like 2026-03-02"))
}

fn harvest(args: &ReportArgs) -> anyhow::Result<HarvestTerms> {
    let scaled =
        |name: &str, text: &str| decimal::parse(text.as_bytes()).with_context(|| format!("{name}: {text:?}"));
    HarvestTerms::of_decimals(
        scaled("--loss-min", &args.loss_min)?,
        scaled("--loss-min-pct", &args.loss_min_pct)?,
        scaled("--rate-short", &args.rate_short)?,
        scaled("--rate-long", &args.rate_long)?,
    )
    .context("an amount or rate is below zero or too large")
}
