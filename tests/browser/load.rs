//! The page under load: what it holds is bounded, nothing is lost, and no task is long.

use crate::desk::{Desk, store};
use crate::webdriver::Browser;
use serde_json::json;

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

/// Tasks longer than this are felt; here they are held against it by their time on the processor.
const LONG_TASK_MS: f64 = 200.0;
/// Seconds that an ordinary run looks: what happens once a minute is in it.
const LOOK_S: u64 = 60;
/// Seconds of a measurement at most: a script may run no longer.
const LOOK_S_MAX: u64 = 100;

/// How long things take is the machine's; what a task of the page takes of a processor is the page's. `BROWSER_SECONDS` and
/// `BROWSER_ORDERS` make it a measurement: a look of so many seconds under so many orders a second, whose figures are printed
/// (docs/dashboard.md says how).
#[test]
fn under_load_pictures_go_on_and_no_task_is_long() {
    let variable = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let measured_s = variable("BROWSER_SECONDS");
    let orders = variable("BROWSER_ORDERS").unwrap_or(500);
    let orders = format!("demo.orders_per_s={orders}");
    let desk = Desk::open_in(Browser::start_traced(1680, 950), &[&orders]).with_rows();
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
    let tasks = desk.browser.tasks_ms();
    let longest = tasks.iter().copied().fold(0.0, f64::max);
    if measured_s.is_some() {
        let all: f64 = tasks.iter().sum();
        eprintln!("{figures:#}");
        eprintln!(
            "on the processor: {all:.0} ms in {} tasks, the longest {longest:.1} ms",
            tasks.len()
        );
    }
    assert!(tasks.len() > 100, "tasks are seen: {}", tasks.len());
    assert!(longest < LONG_TASK_MS, "{longest} ms: {figures}");
}
