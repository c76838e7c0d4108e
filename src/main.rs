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
        Ok(code) => match tradewind::output::loss() {
            None => code,
            Some(error) => {
                tradewind::output::note(format_args!("error: standard output cannot be written: {error}"));
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            tradewind::output::error(&error);
            match error.is::<commands::Usage>() {
                true => ExitCode::from(2),
                false => ExitCode::FAILURE,
            }
        }
    }
}
