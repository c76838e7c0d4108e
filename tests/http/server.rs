//! The server itself: broken requests, slow clients, many connections, TLS, headers, health, its end.

use crate::client::{Engine, Place, buy, read_answer};
use crate::socket::Socket;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

#[test]
fn health_readiness_and_metrics_are_there_for_everybody() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let nobody = engine.anybody();
    for path in ["/health", "/livez", "/ready", "/readyz"] {
        let health = nobody.get(path).must(200);
        assert_eq!(
            (&health["status"], &health["phase"]),
            (&"pass".into(), &"READY".into()),
            "{path}: {health}"
        );
    }
    let admin = engine.admin();
    admin
        .keyed("POST", "/api/v1/orders", "k", &buy("FREE", "7"))
        .refused(422, "INVALID_LOT");
    let trade = json!({ "account": "FREE", "symbol": "GIZMO", "side": "BUY", "qty": "10", "px": "50", "exec_id": "x" });
    for _ in 0..2 {
        admin
            .post("/api/v1/trades", &json!({ "trades": [trade] }))
            .must(200);
    }
    let metrics = nobody.get("/metrics");
    assert!(metrics.headers["content-type"].starts_with("text/plain"));
    for name in [
        "tradewind_build_info{version=\"",
        "\",git=\"",
        "tradewind_stage_events_total{stage=\"limit\"}",
        "tradewind_stage_latency_seconds_bucket{stage=\"ingest\",le=\"+Inf\"}",
        "tradewind_ring_occupancy_ratio{ring=\"http_orders\"} 0",
        "tradewind_ring_occupancy_ratio{ring=\"http_trades\"} 0",
        "tradewind_ring_occupancy_ratio{ring=\"admin\"} 0",
        "tradewind_ring_occupancy_ratio{ring=\"engine\"} ",
        "tradewind_journal_unsynced_bytes ",
        "tradewind_rejects_total{code=\"INVALID_LOT\"} 1",
        "tradewind_trades_total{stage=\"limit\",result=\"booked\"} 1",
        "tradewind_trades_total{stage=\"limit\",result=\"duplicate\"} 1",
        "tradewind_http_requests_total{method=\"post\",path=\"/api/v1/orders\",status=\"4xx\"} 1",
        "tradewind_http_connections ",
    ] {
        assert!(
            metrics.text.contains(name),
            "{name} is missing in {}",
            metrics.text
        );
    }
    assert!(!metrics.text.contains("FREE"), "no account stands in the metrics");
}

#[test]
fn every_answer_names_its_request_and_every_refusal_is_a_problem() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let nobody = engine.anybody();
    let missing = nobody.get("/api/v1/nothing");
    assert!(!missing.headers["x-request-id"].is_empty());
    missing.refused(404, "NOT_FOUND");
    nobody.get("/nothing").refused(404, "NOT_FOUND");
    nobody
        .delete("/api/v1/auth/login")
        .refused(405, "METHOD_NOT_ALLOWED");
    nobody.get("/api/v1/orders/%ff").refused(400, "MALFORMED");
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let named = nobody.ask(
        "GET",
        "/api/v1/orders",
        &[("X-Request-Id", "mine-1"), ("traceparent", trace)],
        None,
    );
    assert_eq!(named.headers["x-request-id"], "mine-1");
    let problem = named.json();
    assert_eq!(
        (&problem["request_id"], &problem["trace_id"]),
        (&"mine-1".into(), &"4bf92f3577b34da6a3ce929d0e0e4736".into())
    );
    let admin = engine.admin();
    let first = admin.get("/api/v1/instruments");
    assert_eq!(first.headers["cache-control"], "no-store");
    let tag = first.headers["etag"].clone();
    let again = admin.ask("GET", "/api/v1/instruments", &[("If-None-Match", &tag)], None);
    assert_eq!((again.status, again.text.as_str()), (304, ""));
}

#[test]
fn refusals_at_the_edge_are_journaled_by_reason() {
    use tradewind_domain::event::{EdgeStats, Kind};
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    engine
        .anybody()
        .get("/api/v1/orders")
        .refused(401, "UNAUTHENTICATED");
    admin.get("/api/v1/orders?x=1").refused(400, "MALFORMED");
    admin
        .keyed("POST", "/api/v1/orders", "k", &buy("FREE", "7"))
        .refused(422, "INVALID_LOT");
    let told = || {
        let events = crate::client::records(&place);
        let stats: Vec<EdgeStats> = crate::client::of_kind(&events, Kind::EdgeStats)
            .iter()
            .map(|event| *event.body())
            .collect();
        let sum = |figure: fn(&EdgeStats) -> u64| stats.iter().map(figure).sum::<u64>();
        (sum(|stats| stats.unauthenticated), sum(|stats| stats.malformed))
    };
    while told() != (1, 1) {
        std::thread::yield_now();
    }
    assert_eq!(
        told(),
        (1, 1),
        "what the engine refused is no refusal of the edge"
    );
    engine.stop();
}

#[test]
fn pages_of_other_origins_ask_only_where_the_settings_say_so() {
    let place = Place::new();
    let engine = Engine::start_with(&place, &["http.cors_origins=https://desk.example.org"]);
    let nobody = engine.anybody();
    let from = |origin: &'static str| nobody.ask("GET", "/health", &[("Origin", origin)], None);
    assert_eq!(
        from("https://desk.example.org").headers["access-control-allow-origin"],
        "https://desk.example.org"
    );
    assert!(
        !from("https://evil.example.org")
            .headers
            .contains_key("access-control-allow-origin")
    );
    let ask = [
        ("Origin", "https://desk.example.org"),
        ("Access-Control-Request-Method", "POST"),
    ];
    let preflight = nobody.ask("OPTIONS", "/api/v1/orders", &ask, None);
    assert_eq!(preflight.status, 204);
    assert!(preflight.headers["access-control-allow-headers"].contains("Idempotency-Key"));
}

#[test]
fn the_dashboard_and_the_documents_are_served_under_a_strict_policy() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let nobody = engine.anybody();
    for path in ["/", "/docs"] {
        let page = nobody.get(path);
        assert_eq!(
            (page.status, page.headers["content-type"].as_str()),
            (200, "text/html; charset=utf-8"),
            "{path}"
        );
        assert!(
            page.headers["content-security-policy"].contains("default-src 'none'")
                || page.headers["content-security-policy"].contains("default-src 'self'")
        );
    }
    assert_eq!(nobody.get("/docs/docs.js").status, 200);
    assert_eq!(nobody.get("/openapi.json").json()["openapi"], "3.1.0");
    nobody.get("/../Cargo.toml").refused(404, "NOT_FOUND");
}

#[test]
fn a_body_that_is_too_large_is_refused_and_the_server_goes_on() {
    let place = Place::new();
    let engine = Engine::start_with(&place, &["http.body_bytes=1KiB"]);
    let admin = engine.admin();
    let large = vec![b' '; 10_000];
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "k")];
    admin
        .raw("POST", "/api/v1/orders", &headers, &large)
        .refused(413, "BODY_TOO_LARGE");
    // Chunked, without a length.
    let mut stream = admin.connect();
    let token = admin.token().expect("a token");
    let head = format!(
        "POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: k\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("it takes bytes");
    for _ in 0..10 {
        let _ = stream.write_all(b"400\r\n");
        let _ = stream.write_all(&[b' '; 1024]);
        let _ = stream.write_all(b"\r\n");
    }
    read_answer(stream).refused(413, "BODY_TOO_LARGE");
    admin
        .keyed("POST", "/api/v1/orders", "k", &buy("FREE", "10"))
        .must(201);
}

#[test]
fn broken_requests_end_their_connection_and_nothing_else() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let nobody = engine.anybody();
    let long_header = format!("GET /health HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(100_000));
    let many_headers = format!("GET /health HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(10_000));
    let no_end = "GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc";
    for bytes in [
        "\u{0}\u{1}\u{2}",
        "GET\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\n",
        "GET /health HTTP/9.9\r\n\r\n",
        long_header.as_str(),
        many_headers.as_str(),
        no_end,
    ] {
        let mut stream = nobody.connect();
        let _ = stream.write_all(bytes.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer);
        assert!(!text.contains(" 500 "), "{text}");
    }
    nobody.get("/health").must(200);
}

#[test]
fn a_client_that_sends_byte_by_byte_or_nothing_is_let_go() {
    let place = Place::new();
    let engine = Engine::start_with(&place, &["http.header_timeout_ms=300"]);
    let nobody = engine.anybody();
    let mut slow = nobody.connect();
    slow.write_all(b"GET /health HTT").expect("it takes bytes");
    let mut idle = nobody.connect();
    for stream in [&mut slow, &mut idle] {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest); // until the server closes
        assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
    }
    nobody.get("/health").must(200);
}

#[test]
fn a_client_that_does_not_read_its_answers_is_let_go() {
    let place = Place::new();
    let engine = Engine::start_with(&place, &["http.header_timeout_ms=500"]);
    let nobody = engine.anybody();
    let mut deaf = nobody.connect();
    let request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
    deaf.set_write_timeout(Some(std::time::Duration::from_millis(200)))
        .expect("a timeout");
    // More than the buffers of both ends hold.
    for _ in 0..500 {
        if deaf.write_all(request).is_err() {
            break;
        }
    }
    let open = || {
        let metrics = nobody.get("/metrics").text;
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("tradewind_http_connections "));
        line.and_then(|count| count.parse::<f64>().ok())
            .expect("a figure")
    };
    while open() > 1.0 {
        std::thread::yield_now();
    }
    drop(deaf);
}

#[test]
fn one_connection_more_than_are_allowed_is_closed_and_a_place_is_given_again() {
    let place = Place::new();
    let engine = Engine::start_with(&place, &["http.connections=4"]);
    let nobody = engine.anybody();
    let held: Vec<TcpStream> = (0..4).map(|_| nobody.connect()).collect();
    let mut fifth = nobody.connect();
    let _ = fifth.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut rest = Vec::new();
    let _ = fifth.read_to_end(&mut rest);
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    drop(held);
    while {
        let mut stream = nobody.connect();
        let _ = stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        !answer.starts_with("HTTP/1.1 200")
    } {}
}

/// Resident memory of a process, KiB.
fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("a figure");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// How many descriptors this process and its children may have, once it has asked for all that it may.
fn descriptors() -> u64 {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let all = rustix::process::Rlimit {
        current: limit.maximum,
        ..limit
    };
    let _ = setrlimit(Resource::Nofile, all); // what there is counts below
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[test]
fn ten_thousand_idle_connections_cost_no_more_than_24_kib_each() {
    const KIB_EACH: u64 = 24;
    let count = 10_000.min(descriptors().saturating_sub(200));
    let place = Place::new();
    let engine = Engine::start(&place);
    let nobody = engine.anybody();
    nobody.get("/health").must(200);
    let before = resident_kib(engine.pid());
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut stream = nobody.connect();
        stream
            .write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            .expect("it takes bytes");
        streams.push(stream);
    }
    for stream in &mut streams {
        let mut first = [0; 12];
        stream.read_exact(&mut first).expect("an answer");
        assert_eq!(&first, b"HTTP/1.1 200");
    }
    let after = resident_kib(engine.pid());
    let each = after.saturating_sub(before) / count;
    assert!(each <= KIB_EACH, "{count} connections cost {each} KiB each");
    nobody.get("/health").must(200);
}

#[test]
fn a_thousand_clients_of_the_live_feed_cost_no_more_than_24_kib_each() {
    const KIB_EACH: u64 = 24;
    let count = 1_000.min(descriptors().saturating_sub(200));
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    Socket::login(&admin).snapshot("market");
    let before = resident_kib(engine.pid());
    let clients: Vec<Socket> = (0..count).map(|_| Socket::login(&admin)).collect();
    let each = resident_kib(engine.pid()).saturating_sub(before) / count;
    assert!(each <= KIB_EACH, "{count} clients cost {each} KiB each");
    drop(clients);
}

/// What the engine says where it does not start under these settings.
fn refusal(place: &Place, more: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
    command
        .args(["run", "--duration", "1", "--data"])
        .arg(place.data());
    let base = [
        "engine.clock=wall",
        "demo.orders_per_s=0",
        "demo.quotes_per_s=0",
        "capacity.nodes=1024",
        "capacity.limits=1024",
        "capacity.instruments=1024",
    ];
    for set in place.sets(&[&base, more].concat()) {
        command.args(["--set", &set]);
    }
    let output = command.output().expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    said
}

#[test]
fn beyond_this_machine_nothing_is_listened_to_without_tls() {
    let said = refusal(&Place::new(), &["http.listen=0.0.0.0:0"]);
    assert!(said.contains("http.tls_cert_file"), "{said}");
}

#[test]
fn a_certificate_without_a_key_is_a_mistake_and_no_wish_for_plain_text() {
    let sets = ["http.listen=127.0.0.1:0", "http.tls_cert_file=/nowhere/cert.pem"];
    let said = refusal(&Place::new(), &sets);
    assert!(said.contains("go together"), "{said}");
}

#[test]
fn a_stop_finishes_the_requests_at_work_and_frees_the_port() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let admin = engine.admin();
    let address = engine.address.clone();
    let answers = std::thread::scope(|scope| {
        let orders = scope.spawn(|| {
            let mut answers = Vec::new();
            for number in 0.. {
                let mut stream = match TcpStream::connect(&address) {
                    Ok(stream) => stream,
                    Err(_) => break,
                };
                let body = buy("FREE", "10").to_string();
                let token = admin.token().expect("a token");
                let request = format!(
                    "POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: s-{number}\r\n\
                     Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                let mut answer = String::new();
                if stream.write_all(request.as_bytes()).is_ok() && stream.read_to_string(&mut answer).is_ok() && !answer.is_empty() {
                    answers.push(answer);
                }
                if number == 20 {
                    engine.terminate();
                }
            }
            answers
        });
        orders.join().expect("a client")
    });
    let placed = answers
        .iter()
        .filter(|answer| answer.starts_with("HTTP/1.1 201"))
        .count();
    assert!(placed >= 20);
    assert!(
        answers
            .iter()
            .all(|answer| answer.starts_with("HTTP/1.1 201") || answer.starts_with("HTTP/1.1 503")),
        "{answers:?}"
    );
    let events = engine.ended();
    let orders = crate::client::of_kind(&events, tradewind_domain::event::Kind::OrderNew).len();
    assert_eq!(
        orders, placed,
        "what was answered is in the journal, and nothing else"
    );
}
