//! The dashboard's modules by themselves, in the browser that runs them: exact sums, and a feed that never shows a row out of order.

mod server;
#[allow(dead_code, reason = "the tests of the running engine use the rest")]
mod webdriver;

use serde_json::{Value, json};
use webdriver::Browser;

/// The login page, which asks for nothing by itself.
fn page() -> Browser {
    let browser = Browser::start(1366, 768);
    browser.open(&format!("http://127.0.0.1:{}/", server::start()));
    browser.wait(
        "the login is shown",
        "document.querySelector('[data-testid=login]')",
    );
    browser
}

/// The page loads under its own policy, asks nobody else, and has nothing to complain about.
#[test]
fn the_page_loads_under_its_policy_without_a_complaint() {
    let browser = page();
    let console = browser.console();
    assert!(console.is_empty(), "{console:?}");
    let origin = browser.run("return location.host;");
    let origin = origin.as_str().unwrap();
    let requests = browser.requests();
    assert!(requests.len() > 20, "requests are seen at all: {requests:?}");
    let elsewhere: Vec<_> = requests
        .iter()
        .filter(|url| !url.contains(origin) && url.contains("://"))
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    let blocked = browser.run("const style = document.createElement('style'); style.textContent = 'body { color: red }'; document.head.append(style); return style.sheet === null;");
    assert_eq!(blocked, true, "an inline style is refused");
}

#[test]
fn sums_are_exact_and_figures_are_written_for_people() {
    let browser = page();
    decimals_are_exact(&browser);
    figures_are_written_for_people(&browser);
}

#[test]
fn a_grid_of_thousands_of_rows_has_few_elements_and_shows_the_right_ones() {
    let browser = page();
    let body = r#"
        const { Table } = await import('/js/data/table.js');
        const { View } = await import('/js/grid/view.js');
        const { Grid } = await import('/js/grid/grid.js');
        const host = document.createElement('div');
        host.className = 'grid-host';
        host.style.height = '300px';
        document.body.replaceChildren(host);
        const table = new Table();
        const row = (index, price) => [`K${String(index).padStart(4, '0')}`, price];
        const columns = [
            { id: 'key', label: 'Key', width: [80, 1], text: ([key]) => key },
            { id: 'price', label: 'Price', width: [80, 1], align: 'number', flash: true, text: ([, price]) => price, order: ([, price]) => Number(price) },
        ];
        table.apply({ type: 'snapshot', columns: ['key', 'price'], key_columns: 1, data: Array.from({ length: 5000 }, (_, index) => row(index, String(index))) });
        const view = new View(table, columns, { sortBy: 'key' });
        const grid = new Grid(host, view, { label: 'Test', empty: 'Nothing' });
        const picture = () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
        const seen = () => [...host.querySelectorAll('.grid-body .grid-row:not([hidden])')].sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map((one) => one.innerText.replace(/\s+/g, ' ').trim());
        await picture();
        const first = seen();
        grid.root.scrollTop = 24 * 2500;
        await picture(); await picture();
        const middle = seen();
        table.apply({ type: 'update', data: [row(2504, '9999')], removed: [] });
        await picture();
        const flashed = [...host.querySelectorAll('.flash-up')].map((one) => one.innerText);
        view.sort('price');
        grid.root.scrollTop = 0;
        grid.repaint();
        await picture(); await picture();
        const highest = seen()[0];
        view.filter('k4999');
        grid.repaint();
        await picture();
        return { first: first[0], middle: middle.includes('K2500 2500'), elements: host.querySelectorAll('.grid-body .grid-row').length, flashed, highest, filtered: seen(), rows: grid.root.ariaRowCount };
    "#;
    let answer = browser.run_async(body);
    assert!(
        answer["elements"].as_u64().is_some_and(|elements| elements < 40),
        "{answer}"
    );
    let expected = json!({
        "first": "K0000 0", "middle": true, "elements": answer["elements"], "flashed": ["9999"], "highest": "K2504 9999", "filtered": ["K4999 4999"], "rows": "2",
    });
    assert_eq!(answer, expected);
}

/// Points of the server and of the page are one curve: in order, and none twice.
#[test]
fn the_past_is_put_between_what_the_page_has_seen() {
    let browser = page();
    let body = r"
        const series = new Series(1, 6);
        for (const second of [20, 21, 22, 40]) series.push(second, [second]);
        series.merge([0, 10, 20, 30, 40, 50].map((second) => ({ seconds: second + 0.5, values: [-second] })));
        const [times, values] = series.columns;
        const empty = new Series(1, 6);
        empty.merge([{ seconds: 5, values: [1] }]);
        return { times, values, empty: empty.columns };
    ";
    let answer = with_module(&browser, "/js/data/series.js", "Series", body);
    let expected = json!({
        // The oldest make room; what the page has at about the same time stays.
        "times": [20, 21, 22, 30.5, 40, 50.5], "values": [20, 21, 22, -30, 40, -50], "empty": [[5], [1]],
    });
    assert_eq!(answer, expected);
}

#[test]
fn the_feed_mends_gaps_comes_back_and_knows_when_to_stop() {
    let browser = page();
    a_gap_is_found_and_mended(&browser);
    a_lost_connection_is_resumed(&browser);
    a_silent_connection_is_given_up(&browser);
    a_revoked_user_is_not_tried_again(&browser);
    a_hidden_page_asks_for_less(&browser);
}

/// Evaluates the body of an async function that has the named exports of a module at hand.
fn with_module(browser: &Browser, module: &str, exports: &str, body: &str) -> Value {
    browser.run_async(&format!(
        "const {{ {exports} }} = await import('{module}'); {body}"
    ))
}

/// Figures are added up as whole numbers, never as doubles.
fn decimals_are_exact(browser: &Browser) {
    let decimal = |body: &str| {
        with_module(
            browser,
            "/js/data/decimal.js",
            "parse, text, fixed, sum, sign",
            body,
        )
    };
    assert_eq!(decimal("return text(sum(Array(10).fill('0.1')));"), json!("1"));
    assert_eq!(
        decimal("return text(sum(['9007199254740993', '0.00000001', '-1']));"),
        json!("9007199254740992.00000001")
    );
    assert_eq!(
        decimal(
            "return ['-0.5', '12', '-1234.5', '0', '0.000000000000000001', '1.50'].map((one) => text(parse(one)));"
        ),
        json!(["-0.5", "12", "-1234.5", "0", "0.000000000000000001", "1.5"])
    );
    assert_eq!(
        decimal("return ['', 'x', '1e5', '1,5', '.5', '0.0000000000000000001', null].map(parse);"),
        json!([null, null, null, null, null, null, null])
    );
    assert_eq!(
        decimal(
            "return [['1.005', 2], ['-1.005', 2], ['-0.004', 2], ['999.999', 2], ['12', 0]].map(([one, places]) => fixed(parse(one), places));"
        ),
        json!(["1.01", "-1.01", "0.00", "1000.00", "12"])
    );
}

/// Figures on the screen: signs beside colours, separators, and nothing lost.
fn figures_are_written_for_people(browser: &Browser) {
    let format = |body: &str| {
        with_module(
            browser,
            "/js/data/format.js",
            "fitted, fittedResult, money, signed, plain, price, short, span",
            body,
        )
    };
    assert_eq!(
        format(
            "return [money('-1234567.891'), signed('12.5'), signed('-0.001'), plain('1000000.5'), plain(null)];"
        ),
        json!(["−1,234,567.89", "+12.50", "0.00", "1,000,000.5", "–"])
    );
    assert_eq!(
        format(
            "return [fitted('99999999.99'), fitted('-138387118.456'), fitted('123456789012.3'), fittedResult('999999.99'), fittedResult('-1234567.8'), fitted(null)];"
        ),
        json!([
            "99,999,999.99",
            "−138,387,118",
            "123,456.79M",
            "+999,999.99",
            "−1,234,568",
            "–"
        ])
    );
    assert_eq!(
        format("return [price('189.25'), price('189.2512345'), price('-0.5'), price('100')];"),
        json!(["189.25", "189.25123", "−0.50", "100.00"])
    );
    assert_eq!(
        format("return [price('0.413', 4), price('0.4131', 4), price('61354.6', 2), price('5023.25', 3)];"),
        json!(["0.4130", "0.4131", "61,354.60", "5,023.250"])
    );
    assert_eq!(
        format("return [short(0), short(950), short(1234567), short(-20000), short(10)];"),
        json!(["0", "950", "1.23M", "−20k", "10"])
    );
    assert_eq!(
        format("return [span(410), span(1800), span(12_400_000), span(null)];"),
        json!(["410\u{2009}ns", "1.8\u{2009}µs", "12.4\u{2009}ms", "–"])
    );
}

/// A world for a feed: sockets that the test opens, answers and closes, and time that stands still until the test moves it.
const WORLD: &str = r#"
    const sockets = [], timers = [], statuses = [], pauses = [], gone = [], frames = [];
    let now = 1000, tokens = 0;
    class Socket {
        constructor() { this.sent = []; sockets.push(this); }
        send(text) { this.sent.push(JSON.parse(text)); }
        close(code) { this.closedWith = code; }
        say(message) { this.onmessage({ data: JSON.stringify(message) }); }
        last(method) { return this.sent.filter((one) => one.method === method).at(-1); }
    }
    const feed = new Feed({
        open: () => new Socket(),
        token: async (isStale) => { tokens += 1; return isStale ? 'second' : 'first'; },
        onStatus: ({ phase, retryAt }) => {
            statuses.push(phase);
            if (retryAt) pauses.push(retryAt - now);
        },
        onWelcome: () => {},
        onHeard: () => {},
        onGone: (reason) => gone.push(reason),
        world: { now: () => now, random: () => 1, later: (run, ms) => timers.push({ run, at: now + ms }), forget: () => {} },
    });
    const settle = () => new Promise((next) => setTimeout(next, 0));
    const pass = async (ms) => {
        now += ms;
        for (const timer of timers.splice(0).filter((one) => (one.at <= now ? true : (timers.push(one), false)))) timer.run();
        await settle();
    };
    const connect = async () => {
        await settle();
        const socket = sockets.at(-1);
        socket.onopen();
        socket.say({ method: 'authenticate', success: true, result: {} });
        return socket;
    };
    const accept = (socket, channel) => {
        const asked = socket.sent.filter((one) => one.method === 'subscribe' && one.params.channel === channel).at(-1);
        socket.say({ method: 'subscribe', req_id: asked.req_id, success: true, result: {} });
        return asked.params;
    };
    const frame = (channel, type, prev, seq) => ({ channel, type, prev, seq, ts: '2026-01-01T00:00:00Z', data: [] });
    const seen = (frame) => frames.push([frame.channel, frame.type, frame.seq]);
"#;

fn with_feed(browser: &Browser, body: &str) -> Value {
    with_module(browser, "/js/net/socket.js", "Feed", &format!("{WORLD} {body}"))
}

/// A frame that does not follow the last one is not shown: the channel is subscribed anew, events go on behind what was seen.
fn a_gap_is_found_and_mended(browser: &Browser) {
    let body = r"
        feed.subscribe('positions', 'state', { hz: 10 }, seen);
        feed.subscribe('trades', 'event', {}, seen);
        feed.start();
        const socket = await connect();
        accept(socket, 'positions');
        accept(socket, 'trades');
        socket.say(frame('positions', 'snapshot', 0, 7));
        socket.say(frame('positions', 'update', 7, 8));
        socket.say(frame('positions', 'update', 9, 10));
        socket.say(frame('positions', 'update', 10, 11));
        const again = accept(socket, 'positions');
        socket.say(frame('positions', 'snapshot', 0, 20));
        socket.say(frame('trades', 'snapshot', 0, 500));
        socket.say(frame('trades', 'update', 510, 520));
        const behind = accept(socket, 'trades');
        socket.say(frame('trades', 'update', 500, 520));
        return { frames, gaps: feed.gaps, again, behind, left: socket.sent.filter((one) => one.method === 'unsubscribe').length };
    ";
    let expected = json!({
        "frames": [["positions", "snapshot", 7], ["positions", "update", 8], ["positions", "snapshot", 20], ["trades", "snapshot", 500], ["trades", "update", 520]],
        "gaps": 2,
        "again": {"channel": "positions", "hz": 10},
        "behind": {"channel": "trades", "from_seq": 500},
        "left": 2,
    });
    assert_eq!(with_feed(browser, body), expected);
}

/// A lost connection comes back: state channels with a snapshot, event channels behind what was seen, and ever longer pauses between tries.
fn a_lost_connection_is_resumed(browser: &Browser) {
    let body = r"
        feed.subscribe('positions', 'state', {}, seen);
        feed.subscribe('trades', 'event', {}, seen);
        feed.start();
        let socket = await connect();
        accept(socket, 'positions');
        accept(socket, 'trades');
        socket.say(frame('trades', 'snapshot', 0, 41));
        socket.onclose({ code: 1006 });
        await pass(600);
        sockets.at(-1).onclose({ code: 1006 });
        await pass(1500);
        socket = await connect();
        const stale = sockets[0];
        stale.say(frame('trades', 'update', 41, 99));
        return { pauses, positions: accept(socket, 'positions'), trades: accept(socket, 'trades'), frames, connections: sockets.length };
    ";
    let answer = with_feed(browser, body);
    assert_eq!(answer["pauses"], json!([500, 1000]));
    assert_eq!(answer["positions"], json!({"channel": "positions"}));
    assert_eq!(answer["trades"], json!({"channel": "trades", "from_seq": 41}));
    assert_eq!(
        answer["frames"],
        json!([["trades", "snapshot", 41]]),
        "a connection that was given up says nothing any more"
    );
    assert_eq!(answer["connections"], json!(3));
}

/// A server that says nothing for ten seconds is given up, although the connection stands.
fn a_silent_connection_is_given_up(browser: &Browser) {
    let body = r"
        feed.start();
        const socket = await connect();
        for (let second = 0; second < 9; second += 1) await pass(1000);
        const before = socket.closedWith ?? null;
        for (let second = 0; second < 3; second += 1) await pass(1000);
        return { before, after: socket.closedWith ?? null, status: statuses.at(-1) };
    ";
    let answer = with_feed(browser, body);
    assert_eq!(answer["before"], Value::Null);
    assert_eq!(answer["after"], json!(4000));
}

/// Revoked is the end; a token that ran out is renewed once and tried again.
fn a_revoked_user_is_not_tried_again(browser: &Browser) {
    let body = r"
        feed.start();
        let socket = await connect();
        socket.onclose({ code: 4001 });
        await pass(1000);
        socket = await connect();
        const token = socket.last('authenticate').params.token;
        socket.onclose({ code: 4003 });
        for (let second = 0; second < 30; second += 1) await pass(1000);
        return { token, gone, connections: sockets.length };
    ";
    assert_eq!(
        with_feed(browser, body),
        json!({"token": "second", "gone": ["revoked"], "connections": 2})
    );
}

/// A page that nobody looks at leaves the channels that only a screen needs, and gets snapshots when somebody looks again.
fn a_hidden_page_asks_for_less(browser: &Browser) {
    let body = r"
        feed.subscribe('positions', 'state', {}, seen);
        feed.subscribe('alerts', 'state', {}, seen, true);
        feed.start();
        const socket = await connect();
        accept(socket, 'positions');
        accept(socket, 'alerts');
        feed.pause();
        const left = socket.sent.filter((one) => one.method === 'unsubscribe').map((one) => one.params.channel);
        const before = socket.sent.length;
        feed.resume();
        return { left, asked: socket.sent.slice(before).map((one) => [one.method, one.params.channel]) };
    ";
    assert_eq!(
        with_feed(browser, body),
        json!({"left": ["positions"], "asked": [["subscribe", "positions"]]})
    );
}
