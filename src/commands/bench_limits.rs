//! `tradewind bench limits`: what the limit check costs an order, over numbers of accounts.

use crate::cli::BenchLimitsArgs;
use crate::output;
use anyhow::Context;
use std::fmt::Write as _;
use std::process::ExitCode;
use tradewind_bench::limits::{self, FirmConfig, LimitFigures, Plan};
use tradewind_bench::pinned;
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;

/// Runs the command: one firm after another, each with fresh tables.
pub fn run(args: &BenchLimitsArgs) -> anyhow::Result<ExitCode> {
    let clock = Clock::start().context("the clock")?;
    let cores = Cores::detect();
    let core = cores.ids().last().copied();
    let mut figures = Vec::new();
    for &accounts in &args.accounts {
        let firm = FirmConfig {
            accounts,
            limits: args.limits,
            everyone_holds: args.held,
        };
        let plan = Plan {
            firm,
            orders: args.orders.max(1_000),
        };
        figures.push(pinned::on_core(&cores, core, || limits::run(&plan, &clock)));
    }
    let report = serde_json::json!({ "core": core, "orders": args.orders, "figures": figures });
    output::figures(&report, args.save.as_deref(), args.json, || table(&figures))?;
    Ok(ExitCode::SUCCESS)
}

fn table(figures: &[LimitFigures]) -> String {
    let mut text = String::from(
        "  accounts  limits  passes p10  p50  p99 ns  refused p50  p99 ns  filled p50  p99 ns  \
         calm p99 ns  in a storm  times p25  p50  p75  behind a mark p50  p99 ns  pairs held\n",
    );
    for row in figures {
        let _ = writeln!(
            text,
            "{:>10}  {:>6}  {:>10}  {:>3}  {:>6}  {:>11}  {:>6}  {:>10}  {:>6}  {:>11}  {:>10}  {:>9}  {:>3}  {:>3}  {:>17}  {:>6}  {:>10}",
            row.accounts,
            row.limits_per_order,
            row.accepted_p10_ns,
            row.accepted_ns.p50,
            row.accepted_ns.p99,
            row.rejected_ns.p50,
            row.rejected_ns.p99,
            row.filled_ns.p50,
            row.filled_ns.p99,
            row.storm.calm_ns.p99,
            row.storm.storm_ns.p99,
            times(row.storm.p99_ratio_pct[0]),
            times(row.storm.p99_ratio_pct[1]),
            times(row.storm.p99_ratio_pct[2]),
            row.after_mark_ns.p50,
            row.after_mark_ns.p99,
            row.pairs_of_mark,
        );
    }
    text
}

/// Hundredths as a multiple with one decimal.
fn times(percent: u64) -> String {
    format!("{}.{}", percent / 100, percent / 10 % 10)
}
