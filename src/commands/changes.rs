//! Differences between the configured reference data and the journal: shown before they apply, and a start with refused ones lets nothing in.

use crate::engine::{self, Engine, ReferenceChanges, Refused};
use crate::log::{self, Level, Line};
use crate::output;

/// Lines of a new journal that are shown: all of its reference data is new then. Of later differences each one is shown.
const LINES_OF_NEW: usize = 12;

/// How a start sets what differs.
#[derive(Clone, Copy)]
pub struct Setting {
    /// There was no journal before.
    pub is_new: bool,
    /// The time stamp of the changes, which the input clock needs.
    pub origin_ns: u64,
    /// Somebody has said that refused changes do not matter.
    pub despite_refusals: bool,
}

/// Shows what differs and sets it, before anything else enters. Where changes are refused the engine is stopped and that is an error,
/// unless somebody has said that they do not matter: a limit that was refused is a limit that is not there.
pub fn set(engine: Engine, changes: &ReferenceChanges, setting: Setting) -> anyhow::Result<Engine> {
    show(changes, setting.is_new);
    let refused = engine::apply_reference(changes, &engine, setting.origin_ns)?;
    for refused in &refused {
        Line::new(Level::Error, "reference", format_args!("  {}", line(refused)))
            .with("code", refused.code.clone())
            .put();
    }
    if refused.is_empty() || setting.despite_refusals {
        return Ok(engine);
    }
    engine.stop()?;
    anyhow::bail!(
        "{} of reference data refused, and nothing was let in: mend the file or the capacities, or say --despite-refusals",
        output::counted(refused.len() as u64, "change")
    )
}

/// A line for each change.
pub fn show(changes: &ReferenceChanges, is_new: bool) {
    let shown = if is_new { LINES_OF_NEW } else { changes.lines.len() };
    for line in changes.lines.iter().take(shown) {
        log::info("reference", format_args!("  {line}"));
    }
    if let more @ 1.. = changes.lines.len().saturating_sub(shown) {
        let more = output::counted(more as u64, "more change");
        log::info("reference", format_args!("  and {more} of reference data"));
    }
    for line in changes.overruled.iter().chain(&changes.rule_lines) {
        log::info("reference", format_args!("  {line}"));
    }
}

/// A refused change, for people.
pub fn line(refused: &Refused) -> String {
    format!("refused {}: {}", refused.code, refused.line)
}
