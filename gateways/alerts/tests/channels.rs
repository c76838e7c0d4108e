//! Mail, chat, text messages and https against real servers on this host: an SMTP server that speaks clear, STARTTLS and TLS, and
//! one that takes requests over TLS, with certificates of an authority that is made for the test.

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tradewind_alerts::delivery::{
    Authorities, Channel, DeliveryError, MailChannel, MailSettings, MailTls, Template, TemplatedChannel,
    WebhookChannel,
};
use tradewind_alerts::{Cause, Notification, Severity};

const TIMEOUT: Duration = Duration::from_secs(10);

fn notification() -> Notification {
    Notification {
        id: "7:1".into(),
        incident: 7,
        cause: Cause::Opened,
        level: 1,
        severity: Severity::Error,
        rule: "feed_silent".into(),
        scope: "venue 4".into(),
        instrument: String::new(),
        text: "no \"market\" data".into(),
        count: 1,
        opened_at: "2026-03-02T10:00:00.000000000Z".into(),
        at: "2026-03-02T10:00:00.000000000Z".into(),
        at_ns: 1,
        route: "error".into(),
        muted: false,
    }
}

/// An authority's certificate (PEM), and what a server at localhost needs.
fn authority() -> (String, Arc<ServerConfig>) {
    let issuer = CertifiedIssuer::self_signed(
        {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            params
        },
        KeyPair::generate().unwrap(),
    )
    .unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".into()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (issuer.pem(), Arc::new(config))
}

/// Listens, and gives each connection to `serve` on a thread that ends with the test.
fn listen(serve: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("localhost:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            serve(stream.unwrap());
        }
    });
    port
}

trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

/// What one receiver has heard.
type Heard = Arc<Mutex<Vec<String>>>;

/// An HTTP server that takes everything; over TLS where there is a configuration.
fn http(tls: Option<Arc<ServerConfig>>) -> (u16, Heard) {
    let heard = Heard::default();
    let port = listen({
        let heard = Arc::clone(&heard);
        move |stream| {
            let mut wire: Box<dyn Wire> = match &tls {
                Some(tls) => {
                    let connection = ServerConnection::new(Arc::clone(tls)).unwrap();
                    Box::new(StreamOwned::new(connection, stream))
                }
                None => Box::new(stream),
            };
            if let Some(request) = request(&mut wire) {
                heard.lock().unwrap().push(request);
                let _ = wire.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
            }
        }
    });
    (port, heard)
}

/// Head and body of a request; `None` where the peer goes away, as one that does not trust us does.
fn request(wire: &mut dyn Wire) -> Option<String> {
    let mut reader = BufReader::new(wire);
    let (mut text, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        text.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(text + &String::from_utf8(body).unwrap())
}

/// How the SMTP server speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Smtp {
    Clear,
    StartTls,
    Wrapped,
    /// Takes nobody's mail now, with this code.
    Refuses(u16),
}

/// An SMTP server that keeps the commands and the messages.
fn smtp(manner: Smtp, tls: Arc<ServerConfig>) -> (u16, Heard) {
    let heard = Heard::default();
    let port = listen({
        let heard = Arc::clone(&heard);
        move |stream| {
            if manner == Smtp::Wrapped {
                let connection = ServerConnection::new(Arc::clone(&tls)).unwrap();
                talk(&mut StreamOwned::new(connection, stream), manner, &heard, true);
                return;
            }
            let mut stream = stream;
            if talk(&mut stream, manner, &heard, true) {
                let connection = ServerConnection::new(Arc::clone(&tls)).unwrap();
                talk(&mut StreamOwned::new(connection, stream), manner, &heard, false);
            }
        }
    });
    (port, heard)
}

/// One conversation; true where it is to go on in TLS.
fn talk(wire: &mut dyn Wire, manner: Smtp, heard: &Heard, greets: bool) -> bool {
    if greets && wire.write_all(b"220 test\r\n").is_err() {
        return false;
    }
    let is_clear = manner == Smtp::StartTls && greets;
    while let Some(line) = line(wire) {
        heard.lock().unwrap().push(line.clone());
        let answer: String = match line.split([' ', ':']).next().unwrap() {
            "EHLO" if is_clear => "250-test\r\n250 STARTTLS\r\n".into(),
            "EHLO" => "250-test\r\n250 AUTH PLAIN\r\n".into(),
            "STARTTLS" => {
                wire.write_all(b"220 go on\r\n").unwrap();
                return true;
            }
            "AUTH" => "235 welcome\r\n".into(),
            "MAIL" => match manner {
                Smtp::Refuses(code) => format!("{code} no\r\n"),
                _ => "250 ok\r\n".into(),
            },
            "DATA" => {
                wire.write_all(b"354 go on\r\n").unwrap();
                let mut message = String::new();
                while let Some(line) = self::line(wire).filter(|line| line != ".") {
                    message.push_str(&line);
                    message.push('\n');
                }
                heard.lock().unwrap().push(message);
                "250 taken\r\n".into()
            }
            _ => "250 ok\r\n".into(),
        };
        if wire.write_all(answer.as_bytes()).is_err() {
            return false;
        }
    }
    false
}

/// A line byte by byte, so that nothing of a TLS handshake behind it is taken.
fn line(wire: &mut dyn Wire) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut byte = [0];
        if wire.read(&mut byte).ok()? == 0 {
            return None;
        }
        match byte[0] {
            b'\n' => return String::from_utf8(bytes).ok(),
            b'\r' => {}
            byte => bytes.push(byte),
        }
    }
}

fn mail(port: u16, tls: MailTls, authorities: Option<&str>) -> MailChannel {
    MailChannel::new(&MailSettings {
        server: format!("localhost:{port}"),
        tls,
        login: Some(("desk".into(), "hunter2".into())),
        from: "alerts@example.com".into(),
        to: ["desk@example.com".into(), String::new(), String::new()],
        timeout: TIMEOUT,
        authorities: authorities.map_or_else(Authorities::default, |pem| {
            Authorities::of_pem(pem.as_bytes()).unwrap()
        }),
    })
    .unwrap()
}

#[test]
fn a_mail_arrives_in_clear_over_starttls_and_over_tls() {
    let (pem, config) = authority();
    for (manner, tls) in [
        (Smtp::Clear, MailTls::None),
        (Smtp::StartTls, MailTls::StartTls),
        (Smtp::Wrapped, MailTls::Wrapped),
    ] {
        let (port, heard) = smtp(manner, Arc::clone(&config));
        mail(port, tls, Some(&pem)).deliver(&notification()).unwrap();
        let heard = heard.lock().unwrap();
        let message = heard
            .iter()
            .find(|line| line.contains("Subject: "))
            .expect("a message");
        assert!(
            message.contains("Subject: [ERROR] feed_silent venue 4: no \"market\" data"),
            "{message}"
        );
        assert!(message.contains("To: desk@example.com"), "{message}");
        assert!(message.contains("tradewind alerts ack 7"), "{message}");
        let logged_in = heard.iter().position(|line| line.starts_with("AUTH PLAIN"));
        assert!(logged_in.is_some(), "{heard:?}");
        if manner == Smtp::StartTls {
            assert!(
                logged_in > heard.iter().position(|line| line == "STARTTLS"),
                "{heard:?}"
            );
        }
    }
}

#[test]
fn a_mail_server_that_nobody_vouches_for_gets_no_password() {
    let (_, config) = authority();
    let (other, _) = authority();
    for (manner, tls) in [
        (Smtp::StartTls, MailTls::StartTls),
        (Smtp::Wrapped, MailTls::Wrapped),
    ] {
        for authorities in [None, Some(&*other)] {
            let (port, heard) = smtp(manner, Arc::clone(&config));
            let refused = mail(port, tls, authorities).deliver(&notification());
            assert!(matches!(refused, Err(DeliveryError::Failed(_))), "{refused:?}");
            assert!(!heard.lock().unwrap().iter().any(|line| line.starts_with("AUTH")));
        }
    }
    // One that does not offer to be secured gets nothing either.
    let (port, heard) = smtp(Smtp::Clear, config);
    assert!(
        mail(port, MailTls::StartTls, None)
            .deliver(&notification())
            .is_err()
    );
    assert!(!heard.lock().unwrap().iter().any(|line| line.starts_with("AUTH")));
}

#[test]
fn a_mail_server_says_whether_to_come_back() {
    let (_, config) = authority();
    for (code, may_pass) in [(451, true), (550, false)] {
        let (port, _) = smtp(Smtp::Refuses(code), Arc::clone(&config));
        let error = mail(port, MailTls::None, None)
            .deliver(&notification())
            .unwrap_err();
        assert_eq!(matches!(error, DeliveryError::Failed(_)), may_pass, "{error}");
    }
    let gone = TcpListener::bind("localhost:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = mail(gone, MailTls::None, None)
        .deliver(&notification())
        .unwrap_err();
    assert!(matches!(error, DeliveryError::Failed(_)), "{error}");
}

#[test]
fn a_webhook_over_https_reaches_whom_the_authority_vouches_for_and_nobody_else() {
    let (pem, config) = authority();
    let (other, _) = authority();
    let (port, heard) = http(Some(config));
    let url = format!("https://localhost:{port}/hook");
    let send = |authorities: &Authorities| {
        WebhookChannel::new(&url, Some(b"key".to_vec()), TIMEOUT, authorities)
            .unwrap()
            .deliver(&notification())
    };
    send(&Authorities::of_pem(pem.as_bytes()).unwrap()).unwrap();
    assert!(heard.lock().unwrap()[0].contains("\"incident\":7"));
    for stranger in [
        Authorities::of_pem(other.as_bytes()).unwrap(),
        Authorities::default(),
    ] {
        assert!(matches!(send(&stranger), Err(DeliveryError::Failed(_))));
    }
    assert_eq!(heard.lock().unwrap().len(), 1);
}

#[test]
fn a_chat_and_a_sender_of_text_messages_get_the_form_that_they_ask_for() {
    let (port, heard) = http(None);
    let url = format!("http://localhost:{port}/T0/B0/secret");
    let mut chat = TemplatedChannel::new(
        "chat",
        &url,
        Template::parse(r#"{"text":"{line}"}"#).unwrap(),
        None,
        TIMEOUT,
        &Authorities::default(),
    )
    .unwrap();
    chat.deliver(&notification()).unwrap();
    let mut sms = TemplatedChannel::new(
        "sms",
        &url,
        Template::parse("To=%2B491234&Body={short}").unwrap(),
        Some("Basic eDp5".into()),
        TIMEOUT,
        &Authorities::default(),
    )
    .unwrap();
    sms.deliver(&notification()).unwrap();
    let heard = heard.lock().unwrap();
    assert!(
        heard[0]
            .ends_with(r#"{"text":"alert 7 ERROR level 1 opened: feed_silent venue 4: no \"market\" data"}"#),
        "{}",
        heard[0]
    );
    assert!(
        heard[1]
            .to_ascii_lowercase()
            .contains("authorization: basic edp5"),
        "{}",
        heard[1]
    );
    assert!(
        heard[1].contains("application/x-www-form-urlencoded"),
        "{}",
        heard[1]
    );
    assert!(
        heard[1].ends_with("To=%2B491234&Body=alert%207%20ERROR%20level%201%20opened%3A%20feed_silent%20venue%204%3A%20no%20%22market%22%20data"),
        "{}",
        heard[1]
    );
}

#[test]
fn the_address_of_a_chat_is_in_no_error() {
    let gone = TcpListener::bind("localhost:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://localhost:{gone}/T0/B0/secret");
    let mut chat = TemplatedChannel::new(
        "chat",
        &url,
        Template::parse(r#"{"text":"{line}"}"#).unwrap(),
        None,
        TIMEOUT,
        &Authorities::default(),
    )
    .unwrap();
    let error = chat.deliver(&notification()).unwrap_err().to_string();
    assert!(!error.contains("secret") && !error.contains("T0"), "{error}");
}
