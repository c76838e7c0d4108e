//! What the server is told.

use std::path::PathBuf;

/// Settings of the server; docs/settings.md has their meaning.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Address and port; port 0 takes a free one.
    pub listen: String,
    /// Certificates, PEM.
    pub tls_cert_file: Option<PathBuf>,
    /// Their key, PEM.
    pub tls_key_file: Option<PathBuf>,
    /// True listens beyond this machine without TLS.
    pub insecure_remote: bool,
    /// Origins whose pages may ask.
    pub cors_origins: Vec<String>,
    /// Bytes of a body at most.
    pub body_bytes_max: usize,
    /// Connections at one time.
    pub connections_max: u32,
    /// Milliseconds from the first byte of a request's head, or from the answer before it, to its last.
    pub header_timeout_ms: u32,
    /// Requests a second of one user; 0 for any number.
    pub requests_per_s: u32,
    /// Requests of one user at once.
    pub requests_burst: u32,
    /// Threads.
    pub threads: u32,
    /// True tells the log of each answer, false of the server's own faults alone.
    pub log: bool,
}
