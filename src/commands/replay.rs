//! `tradewind replay`: the state that a journal leads to, as a hash.

use crate::cli::ReplayArgs;
use crate::output::{self, bytes, count, counted};
use std::process::ExitCode;
use tradewind_domain::time::Rfc3339;
use tradewind_machine::clock::Clock;

/// Runs the command.
pub fn run(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let until = super::until(&args.as_of);
    let clock = Clock::start()?;
    let replay = tradewind_views::replay(&args.dir, until, &clock)?;
    let summary = replay.summary;
    if args.json {
        output::json(&summary)?;
        return Ok(ExitCode::SUCCESS);
    }
    output::text(format_args!(
        "{} ({}, {}, {}) in {:.3} s: {} records/s\nlast seq {} at {}\n",
        counted(summary.records, "record"),
        counted(summary.inputs, "input"),
        counted(summary.effects, "effect"),
        bytes(summary.bytes),
        summary.seconds,
        count(summary.records_per_s as u64),
        summary.last_seq,
        Rfc3339(summary.last_recv_ns)
    ));
    for (title, figures) in [("kinds", &summary.kinds), ("rejected", &summary.rejects)] {
        let cells: Vec<String> = figures
            .iter()
            .map(|(name, figure)| format!("{name} {}", count(*figure)))
            .collect();
        if !cells.is_empty() {
            output::text(format_args!("{title}: {}\n", cells.join(", ")));
        }
    }
    if summary.open_group {
        output::text("the last group is open: the next start finishes it\n");
    }
    output::text(format_args!("state {}\n", summary.digest));
    Ok(ExitCode::SUCCESS)
}
