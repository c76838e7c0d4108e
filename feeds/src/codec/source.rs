//! The byte stream of a recording: plain, gzip or a zip archive with one file; and its lines.
//!
//! A zip entry is found through the archive's directory and then inflated as a stream, and its checksum is compared at the
//! end, so that a damaged archive cannot pass for a short one.

use super::error::{LineError, OpenError, Reason};
use flate2::Crc;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use zip::CompressionMethod;

/// The longest line that is read, in bytes: room for a depth snapshot of 5,000 levels a side.
pub const LINE_MAX: usize = 1 << 20;

const BUFFER: usize = 1 << 16;

/// How far a file was read, in bytes as it lies on disk.
#[derive(Clone, Debug)]
pub struct Progress {
    read: Arc<AtomicU64>,
    total: u64,
}

impl Progress {
    /// Bytes read.
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed).min(self.total)
    }

    /// What a zip archive holds beside its file counts as read at the end.
    fn finish(&self) {
        self.read.store(self.total, Ordering::Relaxed);
    }

    /// Bytes of the file.
    pub fn total(&self) -> u64 {
        self.total
    }
}

/// Counts what is read through it.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        self.read.fetch_add(len as u64, Ordering::Relaxed);
        Ok(len)
    }
}

/// Compares length and CRC-32 at the end of a zip entry.
struct Checked<R> {
    inner: R,
    crc: Crc,
    expected_crc: u32,
    expected_len: u64,
    len: u64,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        self.len += len as u64;
        self.crc.update(&buffer[..len]);
        if len == 0
            && !buffer.is_empty()
            && (self.len, self.crc.sum()) != (self.expected_len, self.expected_crc)
        {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "length or checksum of the archived file is wrong",
            ));
        }
        Ok(len)
    }
}

/// An opened recording.
pub(super) struct Source {
    stream: Box<dyn Read + Send>,
    progress: Progress,
    /// Name of the file within a zip archive.
    pub(super) entry_name: Option<String>,
}

impl Source {
    pub(super) fn open<R: Read + Seek + Send + 'static>(mut reader: R, len: u64) -> Result<Self, OpenError> {
        let mut magic = Vec::with_capacity(4);
        reader
            .by_ref()
            .take(4)
            .read_to_end(&mut magic)
            .map_err(OpenError::Beginning)?;
        reader.rewind().map_err(OpenError::Beginning)?;
        let read = Arc::new(AtomicU64::new(0));
        let progress = Progress {
            read: Arc::clone(&read),
            total: len,
        };
        match magic[..] {
            [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] => Self::open_zip(reader, read, progress),
            [0x1f, 0x8b, ..] => {
                let stream = Box::new(MultiGzDecoder::new(Counted { inner: reader, read }));
                Ok(Self {
                    stream,
                    progress,
                    entry_name: None,
                })
            }
            _ => Ok(Self {
                stream: Box::new(Counted { inner: reader, read }),
                progress,
                entry_name: None,
            }),
        }
    }

    fn open_zip<R: Read + Seek + Send + 'static>(
        reader: R,
        read: Arc<AtomicU64>,
        progress: Progress,
    ) -> Result<Self, OpenError> {
        let mut archive = zip::ZipArchive::new(reader).map_err(OpenError::Zip)?;
        if archive.len() != 1 {
            return Err(OpenError::Entries { count: archive.len() });
        }
        let entry = archive.by_index_raw(0).map_err(OpenError::Zip)?;
        let method = entry.compression();
        if entry.encrypted() || !matches!(method, CompressionMethod::Deflated | CompressionMethod::Stored) {
            return Err(OpenError::Method);
        }
        let start = entry.data_start().unwrap_or_default();
        let (compressed_len, expected_len, expected_crc) =
            (entry.compressed_size(), entry.size(), entry.crc32());
        let entry_name = Some(entry.name().to_owned());
        drop(entry);
        let mut reader = archive.into_inner();
        reader
            .seek(SeekFrom::Start(start))
            .map_err(OpenError::Beginning)?;
        let packed = Counted { inner: reader, read }.take(compressed_len);
        let inflated: Box<dyn Read + Send> = match method {
            CompressionMethod::Stored => Box::new(packed),
            _ => Box::new(DeflateDecoder::new(packed)),
        };
        let stream = Checked {
            inner: inflated,
            crc: Crc::new(),
            expected_crc,
            expected_len,
            len: 0,
        };
        Ok(Self {
            stream: Box::new(stream),
            progress,
            entry_name,
        })
    }
}

/// Lines of a stream, one at a time in one buffer. Empty lines are passed over, but counted in the numbers.
pub(super) struct Lines {
    stream: BufReader<Box<dyn Read + Send>>,
    progress: Progress,
    line: Vec<u8>,
    number: u64,
    ended: bool,
}

impl Lines {
    pub(super) fn new(source: Source) -> Self {
        Self {
            stream: BufReader::with_capacity(BUFFER, source.stream),
            progress: source.progress,
            line: Vec::with_capacity(1 << 10),
            number: 0,
            ended: false,
        }
    }

    pub(super) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// The next line with its number, without its end; `None` at the end of the file or after a broken stream.
    pub(super) fn next_line(&mut self) -> Option<Result<(u64, &[u8]), LineError>> {
        while !self.ended {
            self.number += 1;
            let reason = match self.fill() {
                Ok(Fill::Line) if self.text_len() == 0 => continue,
                Ok(Fill::Line) => {
                    let len = self.text_len();
                    return Some(Ok((self.number, &self.line[..len])));
                }
                Ok(Fill::TooLong) => Reason::TooLong,
                Ok(Fill::End) => {
                    self.ended = true;
                    self.progress.finish();
                    return None;
                }
                Err(source) => {
                    self.ended = true;
                    Reason::Stream(source)
                }
            };
            return Some(Err(LineError {
                line: self.number,
                reason,
            }));
        }
        None
    }

    /// Reads a line into the buffer. Of a line that is too long the rest is passed over.
    fn fill(&mut self) -> io::Result<Fill> {
        const WITH_END: usize = LINE_MAX + 2;
        self.line.clear();
        let taken = self
            .stream
            .by_ref()
            .take(WITH_END as u64)
            .read_until(b'\n', &mut self.line)?;
        if taken == WITH_END && self.line.last() != Some(&b'\n') {
            self.stream.skip_until(b'\n')?;
            return Ok(Fill::TooLong);
        }
        Ok(match taken {
            0 => Fill::End,
            _ if self.text_len() > LINE_MAX => Fill::TooLong,
            _ => Fill::Line,
        })
    }

    fn text_len(&self) -> usize {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        line.strip_suffix(b"\r").unwrap_or(line).len()
    }
}

/// What the line buffer holds.
enum Fill {
    Line,
    TooLong,
    End,
}
