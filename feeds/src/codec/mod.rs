//! Recorded files in, [`Inbound`] out: what `tradewind ingest` carries through the pipeline. docs/file-formats.md describes
//! the formats field by field.
//!
//! # Invariants
//! - Memory is bounded whatever the file holds: one line of at most [`LINE_MAX`] bytes at a time, compressed or not.
//! - Bytes never panic. A line that cannot be read is a [`LineError`] with its number and field, is counted, and reading
//!   goes on with the next line; only a broken stream or a broken header ends it.
//! - What comes out depends on the bytes and the [`Options`] alone.
//!
//! Not here: what normalize and the limit check make of the values.

mod binance;
mod columns;
mod error;
mod fields;
mod jsonl;
mod rows;
mod source;
mod spread;
mod table;
#[cfg(test)]
mod tests;
mod us_equity;

pub use error::{LineError, OpenError, Reason};
pub use source::LINE_MAX;
pub use spread::{BINANCE, venue_of_letter};

use source::{Lines, Progress, Source};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::Path;
use std::str::FromStr;
use tradewind_domain::event::Inbound;
use tradewind_domain::ids::{SessionId, VenueId};
use tradewind_domain::text::{Code, Symbol};
use tradewind_domain::time::DayNumber;

/// A format of recorded files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Executed trades, one per line (our own).
    TradesCsv,
    /// Orders, cancels and replaces, one per line (our own).
    OrdersCsv,
    /// Trades and orders as JSON objects, one per line (our own).
    Jsonl,
    /// Prints of the US consolidated tape, a zip archive with one CSV of one symbol and day.
    UsEquityTrades,
    /// Trades recorded at Binance, flattened to CSV.
    BinanceTradesCsv,
    /// Frames recorded at Binance with their time of receipt.
    BinanceFrames,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 6] = [
        Format::TradesCsv,
        Format::OrdersCsv,
        Format::Jsonl,
        Format::UsEquityTrades,
        Format::BinanceTradesCsv,
        Format::BinanceFrames,
    ];

    /// The name on the command line.
    pub const fn text(self) -> &'static str {
        match self {
            Format::TradesCsv => "trades-csv",
            Format::OrdersCsv => "orders-csv",
            Format::Jsonl => "jsonl",
            Format::UsEquityTrades => "us-equity-trades",
            Format::BinanceTradesCsv => "binance-trades-csv",
            Format::BinanceFrames => "binance-frames",
        }
    }

    /// True where [`Options::accounts`] must name at least one account: prints of a market become trades of our accounts.
    pub const fn needs_accounts(self) -> bool {
        matches!(self, Format::UsEquityTrades | Format::BinanceTradesCsv)
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.text())
    }
}

/// A name that is no [`Format`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no format {name:?}; did you mean {nearest}? Formats: {}", Format::ALL.map(Format::text).join(", "))]
pub struct UnknownFormat {
    name: String,
    nearest: &'static str,
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Format::ALL.into_iter().find(|format| format.text() == name);
        found.ok_or_else(|| UnknownFormat {
            name: name.to_owned(),
            nearest: error::nearest(name, &Format::ALL.map(Format::text)),
        })
    }
}

/// What a file does not say itself.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Accounts over which prints of a market are spread, in this order.
    pub accounts: Vec<Code>,
    /// Prints of a market also become last trades, so that marks exist.
    pub last_trades: bool,
    /// Session of orders and trades whose line names none. The default is `SessionId::NONE`.
    pub session: SessionId,
    /// Symbol of a `us-equity-trades` file, where its name does not say it or is to be overridden.
    pub symbol: Option<Symbol>,
    /// Trade date of a `us-equity-trades` file, as for the symbol.
    pub date: Option<DayNumber>,
    /// Venue of the Binance formats; the default is [`BINANCE`].
    pub venue: Option<VenueId>,
}

/// What was read so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines with something on them, header apart.
    pub lines: u64,
    /// Messages that came out.
    pub events: u64,
    /// Lines that hold nothing for the pipeline (depth updates, subscriptions).
    pub skipped: u64,
    /// Lines that could not be read.
    pub errors: u64,
}

/// Messages of one line, until they are taken.
type Outbox = VecDeque<Inbound>;

/// Reads the lines of one format.
trait Decoder: Send {
    /// True where the first line names the columns.
    fn has_header(&self) -> bool {
        false
    }
    /// Takes the first line.
    fn header(&mut self, line: &[u8]) -> Result<(), Reason> {
        let _ = line;
        Ok(())
    }
    /// Appends the messages of a line to `out`; none means that the line is skipped.
    fn line(&mut self, number: u64, line: &[u8], out: &mut Outbox) -> Result<(), Reason>;
}

/// A recorded file, as an iterator over its messages and the lines that could not be read.
pub struct Recording {
    lines: Lines,
    decoder: Box<dyn Decoder>,
    outbox: Outbox,
    counts: Counts,
}

/// Opens a recorded file. Gzip and zip are recognised by their first bytes.
pub fn open(format: Format, path: &Path, options: &Options) -> Result<Recording, OpenError> {
    let fault = |source| OpenError::File {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(fault)?;
    let len = file.metadata().map_err(fault)?.len();
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    read(format, file, len, name, options)
}

/// Reads a whole recording from memory with one account and drops what comes out: the entry of fuzz targets. Whatever the
/// bytes are, it returns.
pub fn decode_bytes(format: Format, bytes: &[u8]) -> Counts {
    let options = Options {
        accounts: vec![Code::lossy("FUZZ")],
        last_trades: true,
        ..Options::default()
    };
    let source = Cursor::new(bytes.to_vec());
    let Ok(mut recording) = read(
        format,
        source,
        bytes.len() as u64,
        "20131008_spy_trade.csv",
        &options,
    ) else {
        return Counts::default();
    };
    recording.by_ref().for_each(drop);
    recording.counts()
}

fn read<R: Read + Seek + Send + 'static>(
    format: Format,
    reader: R,
    len: u64,
    name: &str,
    options: &Options,
) -> Result<Recording, OpenError> {
    if format.needs_accounts() && options.accounts.is_empty() {
        return Err(OpenError::NoAccounts { format });
    }
    let source = Source::open(reader, len)?;
    let names = [source.entry_name.as_deref().unwrap_or_default(), name];
    let decoder: Box<dyn Decoder> = match format {
        Format::TradesCsv => Box::new(table::TradesCsv::new(options)),
        Format::OrdersCsv => Box::new(table::OrdersCsv::new(options)),
        Format::Jsonl => Box::new(jsonl::Jsonl::new(options)),
        Format::UsEquityTrades => Box::new(us_equity::Prints::new(names, options)?),
        Format::BinanceTradesCsv => Box::new(binance::Trades::new(options)),
        Format::BinanceFrames => Box::new(binance::Frames::new(options)),
    };
    let mut recording = Recording {
        lines: Lines::new(source),
        decoder,
        outbox: Outbox::with_capacity(2),
        counts: Counts::default(),
    };
    if recording.decoder.has_header() {
        recording.read_header()?;
    }
    Ok(recording)
}

impl Recording {
    /// What was read so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Bytes of the file read so far and in all, as it lies on disk. The handle stays valid on other threads.
    pub fn progress(&self) -> Progress {
        self.lines.progress()
    }

    fn read_header(&mut self) -> Result<(), OpenError> {
        let header = match self.lines.next_line() {
            None => {
                return Err(OpenError::Header(LineError {
                    line: 1,
                    reason: Reason::NoHeader,
                }));
            }
            Some(line) => line.and_then(|(line, bytes)| {
                // A byte order mark is what spreadsheets write before the first column.
                let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
                self.decoder
                    .header(bytes)
                    .map_err(|reason| LineError { line, reason })
            }),
        };
        header.map_err(OpenError::Header)
    }
}

impl Iterator for Recording {
    type Item = Result<Inbound, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(inbound) = self.outbox.pop_front() {
                self.counts.events += 1;
                return Some(Ok(inbound));
            }
            let read = self.lines.next_line()?;
            self.counts.lines += 1;
            let read = read.and_then(|(line, bytes)| {
                self.decoder
                    .line(line, bytes, &mut self.outbox)
                    .map_err(|reason| LineError { line, reason })
            });
            if let Err(error) = read {
                self.outbox.clear();
                self.counts.errors += 1;
                return Some(Err(error));
            }
            if self.outbox.is_empty() {
                self.counts.skipped += 1;
            }
        }
    }
}
