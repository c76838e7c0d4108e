//! `tradewind recon`: a broker's statement or drop copy against our books, and the life of what breaks.

mod breaks;
mod compare;
mod rows;

use crate::cli::{ReconArgs, ReconCommand};
use std::process::ExitCode;

/// Runs the command.
pub fn run(args: &ReconArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        None => compare::run(&args.compare),
        Some(ReconCommand::List(args)) => breaks::list(args),
        Some(ReconCommand::Show(args)) => breaks::show(args),
        Some(ReconCommand::Assign(args)) => breaks::assign(args),
        Some(ReconCommand::Comment(args)) => breaks::comment(args),
        Some(ReconCommand::Resolve(args)) => breaks::resolve(args),
    }
}
