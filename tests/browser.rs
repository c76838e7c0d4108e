//! The dashboard as people meet it: the real binary with its demo session, and Debian's Chromium in front of it.
//!
//! Each test has an engine and a browser of its own. What the page knows is looked at through its own modules
//! (`import("/js/data/store.js")` gives the instance that the page uses); what a person sees, through the page.

#[path = "browser/desk.rs"]
mod desk;
#[path = "browser/load.rs"]
mod load;
#[allow(dead_code, reason = "tests of the page have no use for all of it")]
#[path = "support/running.rs"]
mod running;
#[path = "../gateways/web/tests/modules/webdriver.rs"]
mod webdriver;

use desk::{DOWN, Desk, ENTER, ESCAPE, Engine, TAB, UP, store};
use serde_json::{Value, json};
use webdriver::Browser;

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
    climb_to_the_head(browser);
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

/// Goes up in the positions until the head is active: rows above the one that is may come in meanwhile.
fn climb_to_the_head(browser: &Browser) {
    for _ in 0..1_000 {
        browser.keys(UP);
        let is_there = "return document.querySelector('#positions [role=columnheader].is-active') !== null;";
        if browser.run(is_there) == true {
            return;
        }
    }
    panic!("no way up leads to the head");
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
