//! `tradewind bench books`: what a fill costs the books, over how much history.

use crate::cli::BenchBooksArgs;
use crate::output;
use anyhow::Context;
use std::fmt::Write as _;
use std::process::ExitCode;
use tradewind_bench::books::{self, BooksFigures, Plan};
use tradewind_bench::pinned;
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;

/// Runs the command.
pub fn run(args: &BenchBooksArgs) -> anyhow::Result<ExitCode> {
    let clock = Clock::start().context("the clock")?;
    let cores = Cores::detect();
    let core = cores.ids().last().copied();
    let plan = Plan {
        histories: args.fills_before.iter().map(|fills| u64::from(*fills)).collect(),
        fills: args.fills,
    };
    let figures = pinned::on_core(&cores, core, || books::run(&plan, &clock));
    let report = serde_json::json!({ "core": core, "figures": figures });
    output::figures(&report, args.save.as_deref(), args.json, || table(&figures))?;
    Ok(ExitCode::SUCCESS)
}

fn table(figures: &[BooksFigures]) -> String {
    let mut text = String::from("  method  fills before  open lots  p10  p50  p90 ns a fill  instructions\n");
    for row in figures {
        let instructions = row
            .instructions
            .map_or_else(|| "-".to_owned(), |count| format!("{count:.0}"));
        let _ = writeln!(
            text,
            "{:>8}  {:>12}  {:>9}  {:>3}  {:>3}  {:>13}  {:>12}",
            row.method, row.history, row.lots, row.p10_ns, row.p50_ns, row.p90_ns, instructions
        );
    }
    text
}
