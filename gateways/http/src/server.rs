//! The listener: connections in plain text or TLS, how many, how long they may take, and their end.
//!
//! # Invariants
//! - Beyond this machine nothing is listened to without TLS, unless the settings say so by name.
//! - A connection that sends nothing, or its request byte by byte, costs its buffers for a bounded time. One connection more than are
//!   allowed is closed at once.
//! - A stop finishes the requests that are at work, for a bounded time.
//!
//! Not here: what requests mean (see `router`).

use crate::counters::add;
use crate::gateway::Gateway;
use crate::settings::HttpSettings;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

/// How long a TLS handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Bytes that a connection reads ahead.
const BUFFER_BYTES: usize = 16 * 1024;
/// How long requests at work have to finish once the server stops.
const DRAIN_MAX: Duration = Duration::from_secs(5);
/// How long the listener rests where the system has no descriptors left.
const REST: Duration = Duration::from_millis(50);

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be had.
    #[error("cannot listen on {address} (http.listen; 127.0.0.1:0 takes any free port, empty takes none)")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// Others could read passwords and orders on their way.
    #[error(
        "{address} can be reached from other machines, and there is no TLS: set http.tls_cert_file and http.tls_key_file, or say \
         http.insecure_remote=true where something in front of it encrypts"
    )]
    Insecure {
        /// The address.
        address: SocketAddr,
    },
    /// Certificate or key cannot be used.
    #[error("TLS cannot use {}: {what}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// No runtime, no thread.
    #[error("the HTTP server cannot start")]
    Start(#[source] io::Error),
    /// Identities cannot be opened.
    #[error("identities are not available")]
    Identity(#[from] tradewind_identity::IdentityError),
}

/// A listener that is bound and not yet served.
pub(crate) struct Bound {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
    tls: Option<TlsAcceptor>,
}

/// The address of the settings, and how connections are encrypted.
fn terms(settings: &HttpSettings) -> Result<(SocketAddr, Option<TlsAcceptor>), ServerError> {
    let failed = |source| listen_failed(settings, source);
    let mut addresses = settings.listen.to_socket_addrs().map_err(failed)?;
    let address = addresses
        .next()
        .ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    let tls = tls(settings)?;
    if !address.ip().is_loopback() && tls.is_none() && !settings.insecure_remote {
        return Err(ServerError::Insecure { address });
    }
    Ok((address, tls))
}

fn listen_failed(settings: &HttpSettings, source: io::Error) -> ServerError {
    ServerError::Listen {
        address: settings.listen.clone(),
        source,
    }
}

/// Says whether a server could start with these settings: certificates and key are read, the address is looked up, and nothing listens.
pub(crate) fn check(settings: &HttpSettings) -> Result<(), ServerError> {
    terms(settings).map(drop)
}

/// Binds the address of the settings.
pub(crate) async fn bind(settings: &HttpSettings) -> Result<Bound, ServerError> {
    let (address, tls) = terms(settings)?;
    let failed = |source| listen_failed(settings, source);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Bound {
        listener,
        address,
        tls,
    })
}

impl Bound {
    /// True where connections are encrypted.
    pub(crate) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }
}

fn tls(settings: &HttpSettings) -> Result<Option<TlsAcceptor>, ServerError> {
    let (cert, key) = match (&settings.tls_cert_file, &settings.tls_key_file) {
        (Some(cert), Some(key)) => (cert, key),
        (None, None) => return Ok(None),
        // Half of it is a mistake, and no wish for plain text.
        (Some(path), None) | (None, Some(path)) => {
            let what = "http.tls_cert_file and http.tls_key_file go together".to_owned();
            return Err(ServerError::Tls {
                path: path.clone(),
                what,
            });
        }
    };
    let failed = |path: &PathBuf| {
        let path = path.clone();
        move |what: String| ServerError::Tls { path, what }
    };
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .map_err(|error| failed(cert)(error.to_string()))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| failed(key)(error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(certificates, private)
        })
        .map_err(|error| failed(cert)(error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

/// Takes connections until `stop` says so.
pub(crate) async fn serve(
    bound: Bound,
    router: Router,
    gateway: Arc<Gateway>,
    settings: HttpSettings,
    mut stop: watch::Receiver<bool>,
) {
    let slots = Arc::new(Semaphore::new(settings.connections_max as usize));
    let header_timeout = Duration::from_millis(settings.header_timeout_ms.into());
    loop {
        let accepted = tokio::select! {
            accepted = bound.listener.accept() => accepted,
            _ = stop.wait_for(|is_stopping| *is_stopping) => break,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(REST).await;
            continue;
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            add(&gateway.counters.connections_refused);
            continue;
        };
        let connection = Connection {
            router: router.clone(),
            peer,
            header_timeout,
            stop: stop.clone(),
        };
        let (gateway, tls) = (Arc::clone(&gateway), bound.tls.clone());
        tokio::spawn(async move {
            add(&gateway.counters.connections);
            connection.run(stream, tls).await;
            gateway.counters.connections.fetch_sub(1, Ordering::Relaxed);
            drop(slot);
        });
    }
    drop(bound.listener);
    let connections = settings.connections_max;
    // Whoever holds a slot is at work; what does not end in time ends with the runtime.
    let _ = tokio::time::timeout(DRAIN_MAX, slots.acquire_many(connections)).await;
}

/// The address at the other end, for whoever is not logged in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

struct Connection {
    router: Router,
    peer: SocketAddr,
    header_timeout: Duration,
    stop: watch::Receiver<bool>,
}

impl Connection {
    async fn run(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        let _ = stream.set_nodelay(true); // answers are small
        // An answer that nobody takes ends the connection, however often the other end says that it has no room.
        let patience_ms = u32::try_from(self.header_timeout.as_millis()).unwrap_or(u32::MAX);
        let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, patience_ms);
        match tls {
            None => self.converse(stream).await,
            Some(tls) => {
                if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_MAX, tls.accept(stream)).await {
                    self.converse(stream).await;
                }
            }
        }
    }

    async fn converse(mut self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let (router, peer) = (self.router, Peer(self.peer));
        let service =
            hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(peer);
                router.clone().call(request)
            });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            // How a connection ended is its client's affair.
            _ = connection.as_mut() => return,
            _ = self.stop.wait_for(|is_stopping| *is_stopping) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}
