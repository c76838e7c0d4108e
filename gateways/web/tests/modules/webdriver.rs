//! A small WebDriver client (W3C WebDriver over HTTP): chromedriver, one headless Chromium, and the few commands that the tests need.
//!
//! Waiting happens in the page: a condition is asked there until it holds, so that nothing here sleeps.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Longest that a condition is waited for: the machine may be busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);
/// The name that WebDriver gives to a member that holds an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Names under which the browser is installed.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// A browser with one page. Gone when dropped.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    /// Starts driver and browser with a window of this size.
    pub(crate) fn start(width: u32, height: u32) -> Self {
        Self::start_with(width, height, &json!({}))
    }

    /// As [`start`](Self::start), and from now on the browser notes what each task takes: see [`tasks_ms`](Self::tasks_ms).
    pub(crate) fn start_traced(width: u32, height: u32) -> Self {
        Self::start_with(width, height, &json!({ "traceCategories": "toplevel" }))
    }

    fn start_with(width: u32, height: u32, logging: &Value) -> Self {
        let (driver, port) = start_driver();
        let mut browser = Self {
            driver,
            port,
            session: String::new(),
        };
        let options = json!({
            "perfLoggingPrefs": logging,
            "binary": find_browser(),
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--disable-background-networking", "--no-first-run", format!("--window-size={width},{height}")],
        });
        let wanted = json!({
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "timeouts": {"script": PATIENCE.as_millis() * 3, "pageLoad": PATIENCE.as_millis()},
        });
        let answer = browser.send(
            "POST",
            "/session",
            &json!({"capabilities": {"alwaysMatch": wanted}}),
        );
        browser.session = answer["sessionId"].as_str().expect("a session").to_owned();
        browser
    }

    /// Loads a page and waits for it.
    pub(crate) fn open(&self, url: &str) {
        self.command("POST", "/url", &json!({"url": url}));
    }

    /// Runs a script and gives what it returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.command("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Runs the body of an async function and gives what it returns.
    pub(crate) fn run_async(&self, body: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async () => {{ {body} }})().then((value) => done({{ value }}), (error) => done({{ error: String(error?.stack ?? error) }}));"
        );
        let answer = self.command("POST", "/execute/async", &json!({"script": script, "args": []}));
        assert!(
            answer["error"].is_null(),
            "in the page: {}",
            answer["error"].as_str().unwrap_or_default()
        );
        answer["value"].clone()
    }

    /// Waits until an expression of the page (it may await) is true, and gives its value. Says `what` was expected where it never is.
    pub(crate) fn wait(&self, what: &str, expression: &str) -> Value {
        let body = format!(
            "const until = performance.now() + {};
             for (;;) {{
                 let value = null;
                 try {{ value = await ({expression}); }} catch {{ value = null; }}
                 if (value) return {{ value }};
                 if (performance.now() > until) return {{ text: document.body.innerText.slice(0, 1500) }};
                 await new Promise((next) => setTimeout(next, 50));
             }}",
            PATIENCE.as_millis()
        );
        let answer = self.run_async(&body);
        assert!(
            !answer["value"].is_null(),
            "{what}: {expression} never held. The page says:\n{}",
            answer["text"].as_str().unwrap_or("")
        );
        answer["value"].clone()
    }

    /// Waits for the first element of a selector and presses it, as a person would: it must be seen and not be covered.
    pub(crate) fn press(&self, selector: &str) {
        let element = self.element(selector);
        self.command("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Writes into a field what a person would type.
    pub(crate) fn write(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.command("POST", &format!("/element/{element}/clear"), &json!({}));
        self.command(
            "POST",
            &format!("/element/{element}/value"),
            &json!({"text": text}),
        );
    }

    /// Presses keys wherever the focus is. Keys without a character are those of WebDriver (`\u{E007}` is Enter).
    pub(crate) fn keys(&self, keys: &str) {
        let element = self.command("GET", "/element/active", &Value::Null);
        let element = element[ELEMENT].as_str().expect("an element");
        self.command(
            "POST",
            &format!("/element/{element}/value"),
            &json!({"text": keys}),
        );
    }

    /// What the console said since it was asked last: level and text.
    pub(crate) fn console(&self) -> Vec<(String, String)> {
        let lines = self.command("POST", "/se/log", &json!({"type": "browser"}));
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let lines = lines.as_array().cloned().unwrap_or_default();
        lines
            .iter()
            .map(|line| (text(line, "level"), text(line, "message")))
            .collect()
    }

    /// What the browser noted since it was asked last.
    fn noted(&self) -> Vec<Value> {
        let lines = self.command("POST", "/se/log", &json!({"type": "performance"}));
        let lines = lines.as_array().cloned().unwrap_or_default();
        let message = |line: &Value| serde_json::from_str::<Value>(line["message"].as_str()?).ok();
        let mut messages: Vec<Value> = lines.iter().filter_map(message).collect();
        messages
            .iter_mut()
            .map(|message| message["message"].take())
            .collect()
    }

    /// Milliseconds on the processor of each task of a page's main thread since the browser was started, to be asked for once. Unlike the
    /// time that passes meanwhile they do not depend on what else the machine does.
    pub(crate) fn tasks_ms(&self) -> Vec<f64> {
        let events = self.noted();
        let events = events
            .iter()
            .filter(|event| event["method"] == "Tracing.dataCollected");
        let events: Vec<&Value> = events.map(|event| &event["params"]).collect();
        let thread = |event: &Value| (event["pid"].as_i64(), event["tid"].as_i64());
        let is_main = |event: &&&Value| event["args"]["name"] == "CrRendererMain";
        let mains: Vec<_> = events.iter().filter(is_main).map(|event| thread(event)).collect();
        let is_task = |event: &&&Value| {
            event["name"]
                .as_str()
                .is_some_and(|name| name.ends_with("RunTask"))
                && mains.contains(&thread(event))
        };
        let tasks = events.iter().filter(is_task);
        tasks
            .filter_map(|task| Some(task["tdur"].as_f64()? / 1_000.0))
            .collect()
    }

    /// Addresses that were asked for since they were asked for last, WebSockets included.
    pub(crate) fn requests(&self) -> Vec<String> {
        let messages = self.noted();
        messages
            .iter()
            .filter_map(|message| match message["method"].as_str()? {
                "Network.requestWillBeSent" => {
                    message["params"]["request"]["url"].as_str().map(str::to_owned)
                }
                "Network.webSocketCreated" => message["params"]["url"].as_str().map(str::to_owned),
                _ => None,
            })
            .collect()
    }

    /// The id of the first element of a selector, once it is there.
    fn element(&self, selector: &str) -> String {
        let selector = json!(selector).to_string();
        self.wait(
            "an element",
            &format!("document.querySelector({selector})?.isConnected"),
        );
        let found = self.run(&format!("return document.querySelector({selector});"));
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        self.send(method, &format!("/session/{}{path}", self.session), body)
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = request_as(self.port, "", method, path, body);
        let value = answer["value"].clone();
        assert!(
            status == 200,
            "{method} {path}: {} {}",
            value["error"],
            value["message"]
        );
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends with its session; killed alone, the driver would leave it behind. A test that fails ends it too.
        if !self.session.is_empty() {
            let end = || self.command("DELETE", "", &Value::Null);
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(end));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Starts chromedriver on a free port, which it says.
fn start_driver() -> (Child, u16) {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver starts (Debian: apt-get install chromium-driver)");
    let mut lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
    let port = loop {
        let line = lines.next().expect("chromedriver says its port").expect("text");
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            break port.trim_end_matches('.').parse().expect("a port");
        }
    };
    std::thread::spawn(move || lines.for_each(drop));
    (driver, port)
}

fn find_browser() -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = BROWSERS.iter().find_map(|name| {
        std::env::split_paths(&path)
            .map(|dir| dir.join(name))
            .find(|file| file.is_file())
    });
    let found = found.expect("a browser (Debian: apt-get install chromium)");
    found.to_str().expect("UTF-8").to_owned()
}

/// One request over a connection of its own, with a bearer token where there is one.
pub(crate) fn request_as(port: u16, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let bearer = if token.is_empty() {
        String::new()
    } else {
        format!("Authorization: Bearer {token}\r\n")
    };
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    stream.set_read_timeout(Some(PATIENCE * 4)).expect("a time-out");
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{bearer}Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .expect("it is taken");
    answer_of(BufReader::new(stream))
}

/// Status and JSON of an answer.
fn answer_of(mut reader: impl BufRead) -> (u16, Value) {
    let mut line = String::new();
    reader.read_line(&mut line).expect("an answer");
    let status = line
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .unwrap_or(0);
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).expect("a header");
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut answer = vec![0; length];
    reader.read_exact(&mut answer).expect("the whole answer");
    (status, serde_json::from_slice(&answer).unwrap_or(Value::Null))
}
