//! `tradewind report`: what the journal says of one account, as a file.

use crate::cli::{FormatArg, MethodArg, ReportArg, ReportArgs};
use crate::output;
use anyhow::Context;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tradewind_config::read_text;
use tradewind_domain::codes::LotMethod;
use tradewind_reports::{
    HarvestTerms, Period, ReportKind, ReportOptions, TAX_FILE_MAX, TaxRules, csv, html, json, report,
};

/// Makes the report and writes it.
pub fn run(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    let period = Period::new(args.from, args.to)?;
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
        tax: match &args.tax {
            Some(path) => Arc::new(tax_rules(path)?),
            None => Arc::default(),
        },
    })
}

fn harvest(args: &ReportArgs) -> anyhow::Result<HarvestTerms> {
    let rates = (args.rate_short, args.rate_long);
    HarvestTerms::of_decimals(args.loss_min, args.loss_min_pct, rates, args.cost_pct)
        .context("an amount or rate is below zero or too large")
}

/// Reads the firm's tax rules.
pub fn tax_rules(path: &Path) -> anyhow::Result<TaxRules> {
    let text = read_text(path, TAX_FILE_MAX);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    TaxRules::parse(&text).map_err(|problem| anyhow::anyhow!("{}: {problem}", path.display()))
}
