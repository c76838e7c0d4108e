//! Text and JSON on the terminal: data on stdout, everything else on stderr.
#![allow(clippy::print_stdout)] // this is where the binary prints

use anyhow::Context;
use serde::Serialize;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

/// The first error of stdout: what was to be said did not arrive.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Prints an error and what caused it, one line each.
pub fn error(error: &anyhow::Error) {
    let mut err = io::stderr().lock();
    for (at, line) in causes(error.chain().map(ToString::to_string)).enumerate() {
        let word = if at == 0 { "error" } else { "  because" };
        let _ = writeln!(err, "{word}: {line}");
    }
}

/// An error and what caused it, as one text.
pub fn one_text(error: &anyhow::Error) -> String {
    let texts = causes(error.chain().map(ToString::to_string));
    texts.collect::<Vec<_>>().join(": ")
}

/// The texts of an error and its causes, but for those that the one before has said already.
fn causes(texts: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    let mut said = String::new();
    texts.filter(move |text| {
        let is_new = !said.ends_with(text.as_str()) || said.is_empty();
        if is_new {
            said.clone_from(text);
        }
        is_new
    })
}

/// True once nobody can read any more what is printed on stdout.
pub fn is_lost() -> bool {
    LOST.get().is_some()
}

/// Why what was printed did not arrive: a full disk, say. A reader that has gone away has read what it wanted, and is none.
pub fn loss() -> Option<&'static io::Error> {
    LOST.get().filter(|error| error.kind() != ErrorKind::BrokenPipe)
}

/// Prints one line for people, on stderr.
pub fn note(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints a line that replaces the one before it on a terminal, on stderr.
pub fn status(text: &str) {
    let mut err = io::stderr().lock();
    if is_terminal() {
        let _ = write!(err, "\r\x1b[2K{text}");
        let _ = err.flush();
    } else {
        let _ = writeln!(err, "{text}");
    }
}

/// Prints text as it is, on stdout. Where that fails, [`is_lost`] says so from then on.
pub fn text(text: impl std::fmt::Display) {
    let mut out = io::stdout().lock();
    if let Err(error) = write!(out, "{text}").and_then(|()| out.flush()) {
        let _ = LOST.set(error); // the first one says why
    }
}

/// Prints one value as JSON, indented.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    text(format_args!("{}\n", serde_json::to_string_pretty(value)?));
    Ok(())
}

/// Prints the figures of a bench, as JSON or as a table, and saves them where that is asked for.
pub fn figures(
    report: &serde_json::Value,
    save: Option<&std::path::Path>,
    as_json: bool,
    table: impl FnOnce() -> String,
) -> anyhow::Result<()> {
    if let Some(path) = save {
        std::fs::write(path, serde_json::to_vec_pretty(report)?)
            .with_context(|| path.display().to_string())?;
    }
    match as_json {
        true => json(report),
        false => {
            text(table());
            Ok(())
        }
    }
}

/// A member of an answer as a table shows it: text without quotes, nothing where there is none.
pub fn cell(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// True where a status line may rewrite itself.
pub fn is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// A count with separators: 1,234,567.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count of things: 1 segment, 2 segments.
pub fn counted(value: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(value), if value == 1 { "" } else { "s" })
}

/// Bytes with a unit: 1.5 GiB.
pub fn bytes(value: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut amount = value as f64;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{value} B")
    } else {
        format!("{amount:.1} {}", UNITS[unit])
    }
}

/// A table of columns, left-aligned where the header starts with `<`, right-aligned otherwise.
pub struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these headers.
    pub fn new(header: &[&'static str]) -> Self {
        Self {
            header: header.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let titles: Vec<&str> = self
            .header
            .iter()
            .map(|title| title.trim_start_matches('<'))
            .collect();
        let width = |at: usize| {
            let cells = self
                .rows
                .iter()
                .filter_map(|row| row.get(at))
                .map(|cell| cell.chars().count());
            cells.max().unwrap_or(0).max(titles[at].len())
        };
        let widths: Vec<usize> = (0..titles.len()).map(width).collect();
        let mut line = |cells: &mut dyn Iterator<Item = &str>| -> std::fmt::Result {
            let mut text = String::new();
            for ((cell, width), header) in cells.zip(&widths).zip(&self.header) {
                if header.starts_with('<') {
                    text.push_str(&format!("{cell:<width$}  "));
                } else {
                    text.push_str(&format!("{cell:>width$}  "));
                }
            }
            writeln!(f, "{}", text.trim_end())
        };
        line(&mut titles.iter().copied())?;
        for row in &self.rows {
            line(&mut row.iter().map(String::as_str))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_bytes_are_readable() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(999), "999");
        assert_eq!(counted(1, "line"), "1 line");
        assert_eq!(counted(1_000, "line"), "1,000 lines");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(bytes(12), "12 B");
    }

    #[test]
    fn a_cause_that_was_said_already_is_not_said_again() {
        let texts = [
            "no store",
            "database: (14) cannot open",
            "(14) cannot open",
            "cannot open",
            "else",
        ];
        let said: Vec<String> = causes(texts.into_iter().map(str::to_owned)).collect();
        assert_eq!(said, ["no store", "database: (14) cannot open", "else"]);
    }

    #[test]
    fn a_table_aligns_its_columns() {
        let mut table = Table::new(&["<name", "qty"]);
        table.row(vec!["a".into(), "10".into()]);
        table.row(vec!["long".into(), "7".into()]);
        assert_eq!(table.to_string(), "name  qty\na      10\nlong    7\n");
    }
}
