//! Serves the dashboard's files and nothing else, with their headers.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use tradewind_web::{SECURITY_HEADERS, asset};

/// Starts it on a free port, which it gives. It ends with the test's process.
pub(crate) fn start() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A browser opens connections ahead and may say nothing on them: each has a thread.
            std::thread::spawn(move || answer(stream));
        }
    });
    port
}

fn answer(mut stream: TcpStream) -> Option<()> {
    let mut head = BufReader::new(stream.try_clone().ok()?)
        .lines()
        .map_while(Result::ok);
    let request = head.next()?;
    head.take_while(|line| !line.is_empty()).for_each(drop);
    let path = request.split(' ').nth(1)?;
    let (status, content_type, bytes) = match asset(path) {
        Some(asset) => ("200 OK", asset.content_type, asset.bytes),
        None => ("404 Not Found", "text/plain", &b""[..]),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n",
        bytes.len()
    )
    .ok()?;
    for (name, value) in SECURITY_HEADERS {
        write!(stream, "{name}: {value}\r\n").ok()?;
    }
    stream.write_all(b"\r\n").ok()?;
    stream.write_all(bytes).ok()
}
