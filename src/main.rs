//! The `tradewind` binary: parses the command line and runs the command. Exit codes: 0, 1 failure, 2 usage.

use clap::Parser;
use std::process::ExitCode;
use tradewind::cli::Cli;
use tradewind::{commands, log, output};

#[global_allocator]
static ALLOCATOR: tradewind::allocator::Allocator = tradewind::allocator::Allocator;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match commands::run(cli) {
        Ok(code) => match output::loss() {
            None => code,
            Some(error) => {
                output::note(format_args!("error: standard output cannot be written: {error}"));
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            tell(&error);
            match error.is::<commands::Usage>() {
                true => ExitCode::from(2),
                false => ExitCode::FAILURE,
            }
        }
    }
}

/// In the log where there is one for programs, else for people.
fn tell(error: &anyhow::Error) {
    if log::is_json() {
        log::error("run", output::one_text(error));
    }
    log::flush();
    if !log::is_json() {
        output::error(error);
    }
}
