//! The desk of the tests: `tradewind run` with its demo session, and a browser in front of it.

use crate::running::Running;
use crate::webdriver::{Browser, request_as};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::Path;
use tempfile::TempDir;

/// Keys as WebDriver writes them.
pub(crate) const ENTER: &str = "\u{E007}";
pub(crate) const ESCAPE: &str = "\u{E00C}";
pub(crate) const DOWN: &str = "\u{E015}";
pub(crate) const UP: &str = "\u{E013}";
pub(crate) const TAB: &str = "\u{E004}";

/// `tradewind run` with the demo session.
pub(crate) struct Engine {
    process: Running,
    pub(crate) port: u16,
    /// Said once, at the first start.
    password: Option<String>,
}

impl Engine {
    pub(crate) fn start(data: &Path, port: u16, settings: &[&str]) -> Self {
        let listen = format!("http.listen=127.0.0.1:{port}");
        let data = data.display().to_string();
        let mut args = vec!["run", "--profile", "demo", "--data", &data];
        for setting in [&[listen.as_str(), "log.status_interval_ms=0"], settings].concat() {
            args.extend(["--set", setting]);
        }
        let process = Running::start(args);
        let password = process.told("with the password ");
        Self {
            process,
            port,
            password,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Ends it as an operator does.
    pub(crate) fn stop(mut self) {
        self.process.terminate();
        self.process.ended();
    }

    /// A request of the administrator.
    pub(crate) fn ask(&self, token: &str, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = request_as(self.port, token, method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    pub(crate) fn login(&self, user: &str, password: &str) -> String {
        let body = json!({"user": user, "password": password});
        let answer = self.ask("", "POST", "/api/v1/auth/login", &body);
        answer["access_token"].as_str().expect("a token").to_owned()
    }
}

/// A port that was free a moment ago: the engine must come back at the same one.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// An engine at a fresh folder, and a browser whose user is its administrator.
pub(crate) struct Desk {
    pub(crate) browser: Browser,
    pub(crate) engine: Engine,
    pub(crate) data: TempDir,
}

impl Desk {
    pub(crate) fn open(settings: &[&str]) -> Self {
        Self::open_in(Browser::start(1680, 950), settings)
    }

    pub(crate) fn open_in(browser: Browser, settings: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let engine = Engine::start(data.path(), free_port(), settings);
        browser.open(&engine.url());
        Self {
            browser,
            engine,
            data,
        }
    }

    /// An open desk whose grids have rows.
    pub(crate) fn logged_in(settings: &[&str]) -> Self {
        Self::open(settings).with_rows()
    }

    pub(crate) fn with_rows(self) -> Self {
        let desk = self;
        desk.log_in("admin", &desk.password());
        desk.browser.wait(
            "positions are listed",
            "document.querySelectorAll('#positions .grid-body .grid-row:not([hidden])').length > 3",
        );
        desk
    }

    pub(crate) fn password(&self) -> String {
        self.engine
            .password
            .clone()
            .expect("the first start says the administrator's password")
    }

    pub(crate) fn log_in(&self, user: &str, password: &str) {
        self.browser.write("input[name=user]", user);
        self.browser.write("input[name=password]", password);
        self.browser.press("[data-testid=login] button[type=submit]");
    }

    /// Fills the ticket for an account and an instrument that it holds or may trade.
    pub(crate) fn fill_ticket(&self, account: &str, symbol: &str, qty: &str) {
        self.browser.write("#ticket-account", account);
        self.browser.write("#ticket-symbol", symbol);
        self.browser.run("const type = document.querySelector('#ticket-type'); type.value = 'MARKET'; type.dispatchEvent(new Event('change', { bubbles: true }));");
        self.browser.write("#ticket-qty", qty);
    }

    pub(crate) fn says(&self, testid: &str, words: &str) -> Value {
        let words = json!(words);
        let what = format!("{testid} says {words}");
        self.browser.wait(
            &what,
            &format!("document.querySelector('[data-testid={testid}]').innerText.includes({words})"),
        )
    }

    /// What the console complained of, without the refusals that a test asked for: the browser lists each answer of 400 and above.
    pub(crate) fn complaints(&self) -> Vec<(String, String)> {
        let mut lines = self.browser.console();
        lines.retain(|(level, text)| level != "DEBUG" && !text.contains("Failed to load resource"));
        lines
    }
}

/// Something of the page's own state.
pub(crate) fn store(expression: &str) -> String {
    format!("const store = await import('/js/data/store.js'); return {expression};")
}
