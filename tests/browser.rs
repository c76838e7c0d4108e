//! The dashboard as people meet it: the real binary with its demo session, and Debian's Chromium in front of it.
//!
//! Each test has an engine and a browser of its own. What the page knows is looked at through its own modules
//! (`import("/js/data/store.js")` gives the instance that the page uses); what a person sees, through the page.

#[path = "../gateways/web/tests/modules/webdriver.rs"]
mod webdriver;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use webdriver::{Browser, request_as};

const BINARY: &str = env!("CARGO_BIN_EXE_tradewind");
/// Keys as WebDriver writes them.
const ENTER: &str = "\u{E007}";
const ESCAPE: &str = "\u{E00C}";
const DOWN: &str = "\u{E015}";
const UP: &str = "\u{E013}";
const TAB: &str = "\u{E004}";

/// `tradewind run` with the demo session.
struct Engine {
    process: Child,
    port: u16,
    /// Said once, at the first start.
    password: Option<String>,
}

impl Engine {
    fn start(data: &Path, port: u16, settings: &[&str]) -> Self {
        let mut command = Command::new(BINARY);
        command.args(["run", "--profile", "demo", "--data"]).arg(data);
        let listen = format!("http.listen=127.0.0.1:{port}");
        for setting in [&[listen.as_str(), "log.status_interval_ms=0"], settings].concat() {
            command.args(["--set", setting]);
        }
        let mut process = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(process.stderr.take().expect("a pipe")).lines();
        let (mut said, mut password) = (Vec::new(), None);
        loop {
            let line = lines.next().and_then(Result::ok);
            let Some(line) = line else {
                panic!("the engine ended instead of running: {said:#?}")
            };
            password = password.or_else(|| password_in(&line));
            let is_up = line.starts_with("run ");
            said.push(line);
            if is_up {
                break;
            }
        }
        // What it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            process,
            port,
            password,
        }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Ends it as an operator does.
    fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        self.process.wait().expect("it ends");
    }

    /// A request of the administrator.
    fn ask(&self, token: &str, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = request_as(self.port, token, method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    fn login(&self, user: &str, password: &str) -> String {
        let body = json!({"user": user, "password": password});
        let answer = self.ask("", "POST", "/api/v1/auth/login", &body);
        answer["access_token"].as_str().expect("a token").to_owned()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // One that has ended already is no mistake.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The password that the first start prints.
fn password_in(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("password ")?;
    rest.split_whitespace()
        .next()
        .map(|word| word.trim_matches(['"', '.', ',']).to_owned())
}

/// A port that was free a moment ago: the engine must come back at the same one.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// An engine at a fresh folder, and a browser whose user is its administrator.
struct Desk {
    browser: Browser,
    engine: Engine,
    data: TempDir,
}

impl Desk {
    fn open(settings: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let engine = Engine::start(data.path(), free_port(), settings);
        let browser = Browser::start(1680, 950);
        browser.open(&engine.url());
        Self {
            browser,
            engine,
            data,
        }
    }

    /// An open desk whose grids have rows.
    fn logged_in(settings: &[&str]) -> Self {
        let desk = Self::open(settings);
        desk.log_in("admin", &desk.password());
        desk.browser.wait(
            "positions are listed",
            "document.querySelectorAll('#positions .grid-body .grid-row:not([hidden])').length > 3",
        );
        desk
    }

    fn password(&self) -> String {
        self.engine
            .password
            .clone()
            .expect("the first start says the administrator's password")
    }

    fn log_in(&self, user: &str, password: &str) {
        self.browser.write("input[name=user]", user);
        self.browser.write("input[name=password]", password);
        self.browser.press("[data-testid=login] button[type=submit]");
    }

    /// Fills the ticket for an account and an instrument that it holds or may trade.
    fn fill_ticket(&self, account: &str, symbol: &str, qty: &str) {
        self.browser.write("#ticket-account", account);
        self.browser.write("#ticket-symbol", symbol);
        self.browser.run("const type = document.querySelector('#ticket-type'); type.value = 'MARKET'; type.dispatchEvent(new Event('change', { bubbles: true }));");
        self.browser.write("#ticket-qty", qty);
    }

    fn says(&self, testid: &str, words: &str) -> Value {
        let words = json!(words);
        let what = format!("{testid} says {words}");
        self.browser.wait(
            &what,
            &format!("document.querySelector('[data-testid={testid}]').innerText.includes({words})"),
        )
    }

    /// What the console complained of, without the refusals that a test asked for: the browser lists each answer of 400 and above.
    fn complaints(&self) -> Vec<(String, String)> {
        let mut lines = self.browser.console();
        lines.retain(|(level, text)| level != "DEBUG" && !text.contains("Failed to load resource"));
        lines
    }
}

/// Something of the page's own state.
fn store(expression: &str) -> String {
    format!("const store = await import('/js/data/store.js'); return {expression};")
}

#[test]
fn a_login_leads_to_rows_that_change_and_nobody_else_is_asked() {
    let desk = Desk::open(&[]);
    desk.log_in("admin", "this is not it");
    desk.says("login-problem", "✕");
    desk.log_in("admin", &desk.password());
    desk.says("connection", "● Live");
    desk.says("environment", "DEMO");
    desk.browser.wait(
        "positions are listed",
        "document.querySelectorAll('#positions .grid-body .grid-row:not([hidden])').length > 3",
    );
    desk.browser
        .run("window.before = document.querySelector('#positions .grid-body').innerText;");
    desk.browser.wait(
        "rows change",
        "document.querySelector('#positions .grid-body').innerText !== window.before",
    );
    desk.browser.wait(
        "something moved up or down",
        "document.querySelector('.flash-up, .flash-down')",
    );
    desk.browser.wait(
        "executions come",
        "document.querySelector('[data-testid=tile-rate] .tile-value').innerText !== '–'",
    );
    for view in ["risk", "operations", "desk"] {
        desk.browser.run(&format!("location.hash = '{view}';"));
        desk.browser.wait(
            "the view is shown",
            &format!("document.querySelector('.layout-{view}')"),
        );
    }
    let complaints = desk.complaints();
    assert!(complaints.is_empty(), "{complaints:?}");
    let ours = format!("127.0.0.1:{}", desk.engine.port);
    let requests = desk.browser.requests();
    assert!(
        requests.iter().any(|url| url == &format!("ws://{ours}/ws")),
        "WebSockets are seen"
    );
    let elsewhere: Vec<_> = requests
        .iter()
        .filter(|url| url.contains("://") && !url.contains(&ours))
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

#[test]
fn an_order_fills_and_a_refused_one_says_why_in_words() {
    // Few others, so that ours is not one of thousands.
    let desk = Desk::logged_in(&["demo.orders_per_s=20"]);
    desk.fill_ticket("N-MARGIN-1", "QUILO", "10");
    desk.says("verdict", "would pass");
    desk.browser.press("[data-testid=send]");
    desk.says("sent", "FILLED");
    let id = desk
        .browser
        .run("return document.querySelector('[data-testid=sent]').innerText.match(/order (\\S+)/)[1];");
    let id = id.as_str().unwrap();
    desk.browser.press("#blotter-tab-trades");
    // The grid draws the rows that are in sight: on a busy machine others' fills have moved ours below them.
    desk.browser.write("[aria-label='Filter the blotter']", id);
    desk.browser.wait(
        "its fill is in the blotter",
        &format!("document.querySelector('#blotter .grid-body').innerText.includes('{id}')"),
    );
    // One that no limit lets through: said before it is sent, and after, and listed with its reason.
    desk.fill_ticket("N-MARGIN-1", "QUILO", "90000000");
    desk.says("verdict", "would be refused");
    desk.browser.press("[data-testid=send]");
    let words = desk.says("sent", "was refused");
    assert_eq!(words, true);
    desk.browser.press("#blotter-tab-rejects");
    desk.browser
        .write("[aria-label='Filter the blotter']", "90000000");
    let row = "[...document.querySelectorAll('#blotter .grid-body .grid-row:not([hidden])')].find((row) => row.innerText.includes('90,000,000'))";
    let why = desk.browser.wait(
        "the refusal is in the blotter",
        &format!("{row}?.querySelector('[data-column=why]').innerText"),
    );
    let why = why.as_str().unwrap();
    assert!(
        why.ends_with('.') && why.split(' ').count() >= 4,
        "a sentence: {why}"
    );
}

#[test]
fn an_alert_is_taken_with_a_comment() {
    let desk = Desk::logged_in(&[]);
    let open = "document.querySelectorAll('[data-testid=alert][data-state=OPEN]')";
    desk.browser
        .wait("an incident is open", &format!("{open}.length > 0"));
    desk.browser
        .wait("the title counts it", "/^\\(\\d+\\)/.test(document.title)");
    let id = desk.browser.run(&format!("return {open}[0].dataset.id;"));
    let id = id.as_str().unwrap();
    desk.browser
        .press(&format!("[data-testid=alert][data-id='{id}'] .take-button"));
    // The list is painted anew each second, and must not take the focus from where somebody types.
    desk.browser
        .run("document.querySelector('#ticket-qty').focus(); window.since = Date.now();");
    desk.browser
        .wait("some seconds have passed", "Date.now() - window.since > 2_500");
    assert_eq!(
        desk.browser.run("return document.activeElement.id;"),
        "ticket-qty"
    );
    desk.browser
        .write(".take input[name=comment]", "calling the desk");
    desk.browser.keys(ENTER);
    let taken = format!("[data-testid=alert][data-id='{id}'][data-state=ACKNOWLEDGED]");
    let text = desk.browser.wait(
        "it is taken",
        &format!("document.querySelector(\"{taken}\")?.innerText"),
    );
    assert!(
        text.as_str().unwrap().contains("taken by you: calling the desk"),
        "{text}"
    );
}

#[test]
fn the_kill_switch_wants_the_name_typed_and_its_undoing_a_second_person() {
    let desk = Desk::logged_in(&[]);
    desk.browser.press("[data-testid=kill]");
    desk.browser
        .wait("the dialog is open", "document.querySelector('dialog[open]')");
    desk.browser.wait("nodes are listed", "[...document.querySelectorAll('[data-testid=kill-node] option')].some((one) => one.value === 'NORTH')");
    desk.browser.run("const node = document.querySelector('[data-testid=kill-node]'); node.value = 'NORTH'; node.dispatchEvent(new Event('change', { bubbles: true }));");
    desk.browser.write("[data-testid=kill-reason]", "runaway algo");
    desk.browser.write("[data-testid=kill-confirm]", "NORT");
    assert_eq!(
        desk.browser
            .run("return document.querySelector('[data-testid=kill-send]').disabled;"),
        true
    );
    desk.browser.keys("H");
    desk.browser.press("[data-testid=kill-send]");
    desk.says("restriction", "KILL: NORTH");
    desk.fill_ticket("N-MARGIN-1", "QUILO", "10");
    desk.says("verdict", "Trading is stopped here");
    desk.browser.press("[data-testid=rearm]");
    desk.browser.write("dialog[open] input[name=reason]", "all clear");
    desk.browser.keys(ENTER);
    desk.says("restriction", "waits for a second person");
}

#[test]
fn after_a_restart_of_the_server_the_page_goes_on_without_a_gap() {
    let desk = Desk::logged_in(&[]);
    let seen = |what: &str| desk.browser.run_async(&store(what));
    desk.browser.wait(
        "executions are listed",
        "(await import('/js/data/store.js')).trades.size > 20",
    );
    let first = seen("store.trades.list[0].row[0]").as_u64().unwrap();
    let Desk {
        browser,
        engine,
        data,
    } = desk;
    let port = engine.port;
    engine.stop();
    browser.wait(
        "the page says so",
        "document.querySelector('[data-testid=connection]').dataset.phase !== 'live'",
    );
    let engine = Engine::start(data.path(), port, &[]);
    browser.wait(
        "the page is back",
        "document.querySelector('[data-testid=connection]').innerText.includes('Live')",
    );
    browser.run_async("window.seen = (await import('/js/data/store.js')).trades.seen;");
    browser.wait(
        "executions of the new run come",
        "(await import('/js/data/store.js')).trades.seen > window.seen + 20",
    );
    let page = browser.run_async(&store("{ rows: store.trades.list.map(({ row }) => [row[0], row[1]]), gap: store.trades.hasGap.value, gaps: store.faults.value.gaps }"));
    assert_eq!((&page["gap"], &page["gaps"]), (&json!(false), &json!(0)));
    let rows: Vec<(u64, u64)> = serde_json::from_value(page["rows"].clone()).unwrap();
    assert!(
        rows.is_sorted_by(|a, b| a < b),
        "in the journal's order, none twice"
    );
    // All that the server knows from the first row on until the page's last is there.
    let token = browser.run_async("return (await import('/js/net/session.js')).session.value.access;");
    let known = engine.ask(
        token.as_str().unwrap(),
        "GET",
        "/api/v1/trades?limit=5000",
        &Value::Null,
    );
    let known = known["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["seq"].as_u64().unwrap(), row["part"].as_u64().unwrap()));
    let last = *rows.last().unwrap();
    let missing: Vec<_> = known
        .filter(|row| row.0 >= first && *row <= last && rows.binary_search(row).is_err())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn who_is_revoked_is_shown_the_door() {
    let desk = Desk::open(&[]);
    let token = desk.engine.login("admin", &desk.password());
    let user = json!({"name": "tess", "password": "a long enough password"});
    let user = desk.engine.ask(&token, "POST", "/api/v1/users", &user)["id"].clone();
    let access = |status: &str| json!({"user": user, "node": "NORTH", "role": "TRADER", "status": status, "reason": "a test"});
    desk.engine
        .ask(&token, "POST", "/api/v1/access", &access("GRANTED"));
    desk.log_in("tess", "a long enough password");
    desk.says("connection", "● Live");
    desk.browser.wait(
        "she sees her own",
        "document.querySelectorAll('#positions .grid-body .grid-row:not([hidden])').length > 0",
    );
    let others = desk.browser.run_async(&store(
        "[...store.positions.all()].filter(({ row }) => !row[0].startsWith('N-')).length",
    ));
    assert_eq!(others, 0, "rows of accounts that are not hers");
    assert_eq!(
        desk.browser
            .run("return document.querySelector('[data-testid=kill]');"),
        Value::Null,
        "a trader has no kill switch"
    );
    desk.engine
        .ask(&token, "POST", "/api/v1/access", &access("REVOKED"));
    desk.says("farewell", "access was taken away");
    assert_eq!(
        desk.browser
            .run("return sessionStorage.getItem('tradewind.session');"),
        Value::Null
    );
}

#[test]
fn everything_can_be_reached_by_keyboard() {
    let desk = Desk::logged_in(&[]);
    let browser = &desk.browser;
    browser.run("document.activeElement.blur();");
    browser.keys("p");
    browser.wait(
        "the grid has the focus",
        "document.activeElement.getAttribute('aria-label') === 'Positions'",
    );
    browser.keys(DOWN);
    browser.keys(ENTER);
    browser.wait(
        "the row is in the ticket",
        "document.querySelector('#ticket-account').value && document.querySelector('#ticket-symbol').value",
    );
    // Above the first row is the head: Enter sorts.
    browser.run(
        "window.order = document.querySelector('#positions [role=columnheader]').getAttribute('aria-sort');",
    );
    browser.keys(&UP.repeat(3));
    browser.keys(ENTER);
    browser.wait(
        "the head sorts",
        "document.querySelector('#positions [role=columnheader]').getAttribute('aria-sort') !== window.order",
    );
    browser.keys("s");
    browser.wait("the ticket sells", "document.querySelector('.side.sell[aria-pressed=true]') && document.activeElement.id === 'ticket-qty'");
    browser.keys("7");
    browser.wait(
        "letters of a field are no shortcuts",
        "document.querySelector('#ticket-qty').value === '7'",
    );
    browser.run("document.activeElement.blur();");
    browser.keys("?");
    browser.wait(
        "the list of keys is open",
        "document.querySelector('dialog[open] .keys')",
    );
    browser.keys(ESCAPE);
    browser.wait("it is closed", "!document.querySelector('dialog')");
    browser.keys("2");
    browser.wait("the risk view is shown", "document.querySelector('.layout-risk')");
    browser.keys("1");
    // What the Tab key reaches has a name, and shows that it has the focus.
    let mut reached = 0;
    for _ in 0..12 {
        browser.keys(TAB);
        let focused = browser.run(
            "const at = document.activeElement;
             const name = at.getAttribute('aria-label') || at.innerText || at.labels?.[0]?.innerText || '';
             return [at.tagName, name.trim(), getComputedStyle(at).outlineStyle];",
        );
        assert_ne!(focused[1], "", "it has a name: {focused}");
        assert_ne!(focused[2], "none", "it shows the focus: {focused}");
        reached += usize::from(focused[0] != "BODY");
    }
    assert!(reached > 8);
    let nameless = browser.run(
        "return [...document.querySelectorAll('button, input, select, [role=grid], [role=img]')]
             .filter((one) => !(one.getAttribute('aria-label') || one.innerText?.trim() || one.labels?.length || one.title))
             .map((one) => one.outerHTML.slice(0, 120));",
    );
    assert_eq!(nameless, json!([]));
}

/// Not how quick it is: that is the machine's. What it holds stays bounded, and nothing is lost on the way.
#[test]
fn under_load_the_page_holds_no_more_and_loses_nothing() {
    let desk = Desk::logged_in(&["demo.orders_per_s=4000", "demo.quotes_per_s=8000"]);
    desk.browser.wait(
        "more executions came than are kept",
        "(await import('/js/data/store.js')).trades.seen > 15_000",
    );
    let held = desk.browser.run_async(&store(
        "{ rows: store.trades.size, elements: document.querySelectorAll('*').length, gaps: store.faults.value.gaps, cut: store.trades.hasGap.value }",
    ));
    assert!(held["rows"].as_u64() <= Some(12_500), "{held}");
    assert!(held["elements"].as_u64() < Some(4_000), "{held}");
    assert_eq!((&held["gaps"], &held["cut"]), (&json!(0), &json!(false)));
    assert_eq!(desk.complaints(), []);
}

/// What the page does in so many seconds: tasks that hold it up, pictures, and the way of each execution from the engine to the picture. A
/// message that is sent in an animation frame comes once that frame is painted.
const WATCH: &str = r#"
    const { trades } = await import('/js/data/store.js');
    const tasks = [], ways = [];
    const observer = new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => tasks.push(duration)));
    observer.observe({ type: 'longtask' });
    const now = () => performance.timeOrigin + performance.now();
    const painted = (run) => requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = run;
        port2.postMessage(0);
    });
    const { apply } = trades;
    trades.apply = function (frame) {
        apply.call(this, frame);
        if (frame.type !== 'update') return;
        const taken = frame.data.map((row) => Date.parse(row[trades.at.time]));
        painted(() => taken.forEach((ms) => ways.push(now() - ms)));
    };
    let pictures = 0, isOver = false;
    const picture = () => { pictures += 1; if (!isOver) requestAnimationFrame(picture); };
    requestAnimationFrame(picture);
    const before = trades.seen;
    await new Promise((done) => setTimeout(done, seconds * 1_000));
    isOver = true;
    observer.disconnect();
    delete trades.apply;
    ways.sort((a, b) => a - b);
    const way = (share) => ways[Math.min(ways.length - 1, Math.floor(ways.length * share))] ?? null;
    return {
        seconds, trades_per_s: Math.round((trades.seen - before) / seconds), pictures_per_s: Math.round(pictures / seconds),
        tasks_over_50_ms: tasks.length, longest_task_ms: Math.max(0, ...tasks), fill_to_picture_ms: { p50: way(0.5), p99: way(0.99), max: way(1) },
    };
"#;

/// Tasks longer than this are felt.
const LONG_TASK_MS: f64 = 200.0;
/// Seconds that an ordinary run looks.
const LOOK_S: u64 = 5;
/// Seconds of a measurement at most: a script may run no longer.
const LOOK_S_MAX: u64 = 100;

/// An ordinary run says nothing about time, which is the machine's: under load pictures go on, and nothing is lost. With
/// `TRADEWIND_BROWSER_SECONDS` it is a measurement, for a machine that does nothing else: one look of so many seconds under
/// `TRADEWIND_BROWSER_ORDERS` orders a second, whose figures are printed, and no task may be long (docs/dashboard.md says how).
#[test]
fn under_load_pictures_go_on_and_no_task_that_is_measured_is_long() {
    let variable = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let measured_s = variable("TRADEWIND_BROWSER_SECONDS");
    let orders = variable("TRADEWIND_BROWSER_ORDERS").unwrap_or(500);
    let orders = format!("demo.orders_per_s={orders}");
    let desk = Desk::logged_in(&[&orders]);
    desk.browser.wait(
        "executions come",
        "(await import('/js/data/store.js')).trades.seen > 1_000",
    );
    let seconds = measured_s.unwrap_or(LOOK_S).min(LOOK_S_MAX);
    let figures = desk
        .browser
        .run_async(&format!("const seconds = {seconds}; {WATCH}"));
    let lost = desk.browser.run_async(&store("store.faults.value.gaps"));
    assert_eq!(lost, 0, "{figures}");
    for name in ["trades_per_s", "pictures_per_s"] {
        assert!(figures[name].as_u64() > Some(0), "{name}: {figures}");
    }
    assert!(figures["fill_to_picture_ms"]["p99"].is_number(), "{figures}");
    if measured_s.is_some() {
        eprintln!("{figures:#}");
        let longest = figures["longest_task_ms"].as_f64();
        assert!(longest < Some(LONG_TASK_MS), "{figures}");
    }
}

#[test]
fn profit_from_before_the_page_was_opened_is_charted() {
    let desk = Desk::open(&["demo.orders_per_s=50"]);
    let token = desk.engine.login("admin", &desk.password());
    // The engine's time passes a full ten seconds twice before there are two points.
    let points = || {
        let answer = desk
            .engine
            .ask(&token, "GET", "/api/v1/pnl/history", &Value::Null);
        answer["data"].as_array().expect("points").clone()
    };
    desk.browser.run(&format!("window.token = {};", json!(token)));
    desk.browser.wait(
        "the server has two points",
        "(await (await fetch('/api/v1/pnl/history', { headers: { authorization: `Bearer ${window.token}` } })).json()).data.length >= 2",
    );
    let known = points();
    desk.log_in("admin", &desk.password());
    desk.says("connection", "● Live");
    let first = known[0]["time"].as_str().expect("a time");
    desk.browser.wait(
        "the chart begins before the page was opened",
        &format!(
            "(await import('/js/data/store.js')).pnlSeries.columns[0][0] <= Date.parse({}) / 1_000 + 1",
            json!(first)
        ),
    );
    let order = desk.browser.run_async(&store(
        "{ times: store.pnlSeries.columns[0], drawdown: Math.max(...store.pnlSeries.columns[4].filter((one) => one !== null)) }",
    ));
    let times: Vec<f64> = serde_json::from_value(order["times"].clone()).expect("times");
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    assert_eq!(order["drawdown"], 0, "never above the highest total");
}

#[test]
fn an_alert_is_snoozed_on_one_screen_and_comes_back_when_it_gets_worse() {
    let desk = Desk::logged_in(&[]);
    let browser = &desk.browser;
    browser.wait(
        "one that may be snoozed is open",
        "document.querySelector('[data-testid=alert][data-state=OPEN] .snooze')",
    );
    let id = browser.run(
        "return document.querySelector('[data-testid=alert][data-state=OPEN]:has(.snooze)').dataset.id;",
    );
    let id = id.as_str().expect("a number");
    let shown = format!("document.querySelector(\"[data-testid=alert][data-id='{id}']\")");
    browser.press(&format!("[data-testid=alert][data-id='{id}'] .snooze"));
    browser.wait("it is not shown", &format!("!{shown}"));
    let waiting =
        "(await import('/js/data/attention.js')).open.value.waiting.some((row) => String(row[0]) === ID)"
            .replace("ID", &json!(id).to_string());
    assert_eq!(
        browser.run_async(&format!("return {waiting};")),
        false,
        "it does not count"
    );
    // What the server would say of one that escalated.
    browser.run_async(&format!(
        "const {{ alerts }} = await import('/js/data/store.js');
         const row = [...alerts.get('{id}').row];
         row[alerts.at.level] += 1;
         alerts.apply({{ type: 'update', data: [row], removed: [] }});"
    ));
    browser.wait("it is shown again", &shown);
}
