//! Arguments of `tradewind top`.

use super::EngineArgs;
use clap::{Args, ValueEnum};

/// What `tradewind top` shows first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TopView {
    /// A little of everything.
    #[default]
    Overview,
    /// The stages of the pipeline.
    Latency,
    /// Refusals by code.
    Rejects,
    /// The largest positions.
    Positions,
    /// Incidents.
    Alerts,
    /// Checks of the engine's parts.
    Health,
}

/// `tradewind top`.
#[derive(Debug, Args)]
pub struct TopArgs {
    /// The engine; --json prints the figures once, as the engine gives them.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Print one frame as text and end.
    #[arg(long, conflicts_with = "json")]
    pub once: bool,
    /// What is shown first.
    #[arg(long, value_enum, default_value_t)]
    pub view: TopView,
    /// Milliseconds between two looks at the engine.
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(200..=60_000))]
    pub interval: u64,
    /// Columns and rows of the frame that --once prints.
    #[arg(long, value_name = "COLSxROWS", default_value = "120x40", value_parser = size)]
    pub size: (u16, u16),
}

/// `120x40`.
fn size(text: &str) -> Result<(u16, u16), String> {
    let (columns, rows) = text.split_once('x').ok_or("it is COLSxROWS, like 120x40")?;
    let number = |text: &str, max: u16| match text.parse() {
        Ok(number) if (1..=max).contains(&number) => Ok(number),
        _ => Err(format!("{text:?} is not between 1 and {max}")),
    };
    Ok((number(columns, 500)?, number(rows, 500)?))
}
