//! TLS: with a certificate the server speaks nothing else, also beyond this machine.

use crate::client::{Place, records};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill(); // a test that failed leaves no engine behind
        let _ = self.0.wait();
    }
}

#[test]
fn with_a_certificate_it_speaks_tls_and_nothing_else() {
    let place = Place::new();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (cert_file, key_file) = (place.root().join("cert.pem"), place.root().join("key.pem"));
    std::fs::write(&cert_file, cert.pem()).expect("a file");
    std::fs::write(&key_file, signing_key.serialize_pem()).expect("a file");
    let (cert_set, key_set) = (
        format!("http.tls_cert_file={}", cert_file.display()),
        format!("http.tls_key_file={}", key_file.display()),
    );
    let sets = [
        "engine.clock=wall",
        "demo.orders_per_s=0",
        "demo.quotes_per_s=0",
        "capacity.nodes=1024",
        "capacity.limits=1024",
        "capacity.instruments=1024",
        "http.listen=0.0.0.0:0",
        cert_set.as_str(),
        key_set.as_str(),
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
    command
        .args(["run", "--data"])
        .arg(place.data())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    for set in place.sets(&sets) {
        command.args(["--set", &set]);
    }
    let mut running = Running(command.spawn().expect("the binary starts"));
    let lines = BufReader::new(running.0.stderr.take().expect("a pipe")).lines();
    let mut lines = lines.map_while(Result::ok);
    let url = lines
        .find_map(|line| line.split_once("interface at ").map(|(_, url)| url.to_owned()))
        .expect("an address");
    std::thread::spawn(move || lines.for_each(drop));
    let port = url.strip_prefix("https://0.0.0.0:").expect("https");
    let address = format!("127.0.0.1:{port}");

    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let client = ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut stream = StreamOwned::new(client, TcpStream::connect(&address).expect("it listens"));
    stream
        .write_all(b"GET /docs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .expect("it takes bytes");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let mut plain = TcpStream::connect(&address).expect("it listens");
    let _ = plain.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut bytes = Vec::new();
    let _ = plain.read_to_end(&mut bytes);
    assert!(!String::from_utf8_lossy(&bytes).contains("HTTP/1.1"));
    drop(running);
    assert!(!records(&place).is_empty());
}
