//! The other end: asks a running engine.

use crate::command::Command;
use crate::place;
use crate::protocol::{Answer, Failure, LINE_MAX, Request, VERSION, encode};
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the engine may take for an answer; longer than anything that it waits for itself.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error(
        "no engine answers in {}: start one with `tradewind run --data {}`, or name another folder with --data",
        data_dir.display(),
        data_dir.display()
    )]
    NoEngine {
        /// The data folder.
        data_dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The socket belongs to another user.
    #[error("{} may be used by the engine's user and by root alone", path.display())]
    NotPermitted {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The connection broke.
    #[error("the engine did not answer; whether it acted stands in the journal")]
    Broken(#[source] io::Error),
    /// The answer is none.
    #[error("the engine's answer cannot be read: {0}")]
    NoAnswer(String),
    /// The engine said no.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// A connection to a running engine. One request at a time.
pub struct Client {
    stream: BufReader<UnixStream>,
    last_id: u64,
}

impl Client {
    /// Connects to the engine of a data folder.
    pub fn connect(data_dir: &Path) -> Result<Self, ClientError> {
        let stream = place::connect(data_dir).map_err(|source| match source.kind() {
            io::ErrorKind::PermissionDenied => ClientError::NotPermitted {
                path: place::socket_path(data_dir),
                source,
            },
            _ => ClientError::NoEngine {
                data_dir: data_dir.to_path_buf(),
                source,
            },
        })?;
        stream
            .set_read_timeout(Some(ANSWER_WAIT))
            .map_err(ClientError::Broken)?;
        Ok(Self {
            stream: BufReader::new(stream),
            last_id: 0,
        })
    }

    /// Asks, and waits for the answer.
    pub fn ask(
        &mut self,
        command: Command,
        operator: Option<&str>,
        reason: Option<&str>,
    ) -> Result<Value, ClientError> {
        self.last_id += 1;
        let request = Request {
            id: self.last_id.to_string(),
            operator: operator.map(str::to_owned),
            reason: reason.map(str::to_owned),
            command,
        };
        let line = encode(&request).map_err(|error| ClientError::NoAnswer(error.to_string()))?;
        if line.len() > LINE_MAX {
            return Err(crate::protocol::too_long().into());
        }
        // Who was turned away at the door finds the word about it in what the engine wrote before it closed.
        let written = self.stream.get_mut().write_all(&line);
        let answer = self.answer().map_err(|error| match written {
            Err(source) => ClientError::Broken(source),
            Ok(()) => error,
        })?;
        if answer.v != VERSION || (answer.id != request.id && !answer.id.is_empty()) {
            return Err(ClientError::NoAnswer("it answers something else".to_owned()));
        }
        match (answer.result, answer.error) {
            (Some(result), None) => Ok(result),
            (_, Some(failure)) => Err(failure.into()),
            (None, None) => Err(ClientError::NoAnswer("it says nothing".to_owned())),
        }
    }

    fn answer(&mut self) -> Result<Answer, ClientError> {
        let mut line = Vec::new();
        let read = self.stream.read_until(b'\n', &mut line);
        if read.map_err(ClientError::Broken)? == 0 {
            return Err(ClientError::Broken(io::ErrorKind::UnexpectedEof.into()));
        }
        serde_json::from_slice(&line).map_err(|error| ClientError::NoAnswer(error.to_string()))
    }
}
