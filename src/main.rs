//! The `tradewind` binary: parses the command line and runs the command. Exit codes: 0, 1 failure, 2 usage.

use clap::Parser;
use std::process::ExitCode;
use tradewind::cli::Cli;
use tradewind::commands;

#[global_allocator]
static ALLOCATOR: tradewind::allocator::Allocator = tradewind::allocator::Allocator;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match commands::run(cli) {
        Ok(code) => code,
        Err(error) => {
            tradewind::output::error(&error);
            ExitCode::FAILURE
        }
    }
}
