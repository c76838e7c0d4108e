//! The panels of the terminal: tables and pictures over time.

use super::draw::{Screen, shown};
use super::figures::{Check, Figures, Incident, Position, Stage};
use super::text::{self, dash, lasting, money_of, plain, short, signed, span, units};
use crate::output::count;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::style::{Modifier, Style as Look};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Borders, Cell, Paragraph, Row, Sparkline, Table, TableState, Wrap};
use tradewind_domain::time::parse_rfc3339;

/// A column. It is as wide as its widest cell; where there is no room for all, those of the highest rank are left out: a figure is shown
/// whole or not at all.
struct Column {
    title: &'static str,
    rank: u8,
    is_right: bool,
    /// Takes the room that is left, and is cut where that is little: words, never figures.
    is_rest: bool,
}

const fn left(title: &'static str, rank: u8) -> Column {
    Column {
        title,
        rank,
        is_right: false,
        is_rest: false,
    }
}
const fn right(title: &'static str, rank: u8) -> Column {
    Column {
        is_right: true,
        ..left(title, rank)
    }
}
const fn rest(title: &'static str, rank: u8) -> Column {
    Column {
        is_rest: true,
        ..left(title, rank)
    }
}

/// Columns of a text that is cut at least.
const REST_MIN: usize = 12;

/// Which columns there is room for, and how wide they are.
fn fitting(columns: &[Column], rows: &[Vec<Span<'_>>], room: u16) -> Vec<(usize, Constraint)> {
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(Span::width);
        cells.max().unwrap_or(0).max(columns[at].title.chars().count())
    };
    let needed = |at: usize| if columns[at].is_rest { REST_MIN } else { width(at) };
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    while kept.len() > 1 && kept.iter().map(|at| needed(*at) + 1).sum::<usize>() > usize::from(room) + 1 {
        let last = kept.iter().copied().max_by_key(|at| columns[*at].rank);
        kept.retain(|at| Some(*at) != last);
    }
    let constraint = |at: usize| match columns[at].is_rest {
        true => Constraint::Fill(1),
        false => Constraint::Length(u16::try_from(width(at)).unwrap_or(u16::MAX)),
    };
    kept.into_iter().map(|at| (at, constraint(at))).collect()
}

fn block(screen: &Screen<'_>, title: String) -> Block<'static> {
    Block::new()
        .borders(Borders::TOP)
        .border_style(screen.style.muted())
        .title(Span::styled(format!(" {title} "), screen.style.strong()))
}

/// A table with a title; `chosen` is the row that keys are about.
fn table(
    frame: &mut Frame<'_>,
    area: Rect,
    screen: &Screen<'_>,
    title: String,
    columns: &[Column],
    rows: Vec<Vec<Span<'static>>>,
    chosen: Option<usize>,
) {
    let kept = fitting(columns, &rows, area.width);
    let cell = |span: Span<'static>, at: usize| {
        let alignment = match columns[at].is_right {
            true => Alignment::Right,
            false => Alignment::Left,
        };
        Cell::from(Text::from(span).alignment(alignment))
    };
    let head = kept
        .iter()
        .map(|(at, _)| cell(Span::styled(columns[*at].title, screen.style.muted()), *at));
    let lines = rows.iter().map(|row| {
        let cells = kept
            .iter()
            .filter_map(|(at, _)| Some(cell(row.get(*at)?.clone(), *at)));
        Row::new(cells)
    });
    let table = Table::new(lines, kept.iter().map(|(_, width)| *width))
        .header(Row::new(head))
        .block(block(screen, title))
        .row_highlight_style(Look::new().add_modifier(Modifier::REVERSED));
    let mut state = TableState::new().with_selected(chosen);
    frame.render_stateful_widget(table, area, &mut state);
}

/// Label and value of each tile, the most wanted first.
pub(super) fn tiles(screen: &Screen<'_>) -> Vec<(String, Span<'static>)> {
    let (app, style) = (screen.app, screen.style);
    let Some(figures) = &app.figures else {
        return Vec::new();
    };
    let pipeline = figures.pipeline();
    let open = figures.open_incidents();
    let total = pnl(figures);
    let exposure = |text: &str| units(text).unwrap_or(0);
    let (long, shorted) = (
        exposure(&figures.exposure.long),
        exposure(&figures.exposure.short),
    );
    let lag = |name: &str| figures.check(name).map_or_else(dash, figure);
    let strong = |text: String| Span::styled(text, style.strong());
    vec![
        (
            format!("P&L {}", figures.base_currency),
            total.map_or_else(
                || strong(dash()),
                |total| Span::styled(signed(total, 2), style.of_sign(total)),
            ),
        ),
        (
            "events/s".into(),
            strong(shown(pipeline.map(|row| row.events_per_s))),
        ),
        (
            "p99 latency".into(),
            strong(span(pipeline.and_then(|row| row.p99_ns))),
        ),
        (
            "alerts open".into(),
            Span::styled(
                open.to_string(),
                if open > 0 { style.bad() } else { style.good() },
            ),
        ),
        ("rejects 1 min".into(), strong(shown(app.rejects_lately(None)))),
        ("open orders".into(), strong(count(figures.open_orders))),
        ("gross".into(), strong(short(long.saturating_add(shorted)))),
        ("net".into(), strong(short(long.saturating_sub(shorted)))),
        ("journal lag".into(), strong(lag("journal:lag"))),
        ("store lag".into(), strong(lag("store:lag"))),
    ]
}

/// Profit of the firm in base currency; none where a rate is missing.
fn pnl(figures: &Figures) -> Option<i128> {
    let parts = figures
        .pnl
        .iter()
        .map(|row| row.total_base.as_deref().and_then(units));
    parts.sum()
}

fn sparkline(frame: &mut Frame<'_>, area: Rect, screen: &Screen<'_>, title: String, values: &[u64]) {
    let inside = block(screen, title);
    let room = usize::from(inside.inner(area).width);
    let newest = &values[values.len().saturating_sub(room)..];
    let picture = Sparkline::default()
        .block(inside)
        .data(newest.iter().copied())
        .style(screen.style.accent());
    frame.render_widget(picture, area);
}

/// Events a second over time.
pub(super) fn rates(frame: &mut Frame<'_>, area: Rect, screen: &Screen<'_>) {
    let rates = screen.app.rates();
    let title = format!("Events a second, at most {}", shown(rates.iter().max().copied()));
    sparkline(frame, area, screen, title, &rates);
}

/// p99 of the pipeline over time.
pub(super) fn tails(frame: &mut Frame<'_>, area: Rect, screen: &Screen<'_>) {
    let tails = screen.app.tails();
    let title = format!(
        "p99 from ingest to release, at most {}",
        span(tails.iter().max().copied())
    );
    sparkline(frame, area, screen, title, &tails);
}

/// Latency of each stage.
pub(super) fn stages(
    frame: &mut Frame<'_>,
    area: Rect,
    screen: &Screen<'_>,
    figures: &Figures,
    chosen: Option<usize>,
) {
    let columns = [
        left("stage", 0),
        right("events/s", 3),
        right("p50", 1),
        right("p90", 6),
        right("p99", 2),
        right("p99.9", 5),
        right("max", 4),
        right("idle", 8),
        right("waits", 7),
        right("events", 9),
    ];
    let line = |row: &Stage| {
        let look = if row.stage == "pipeline" {
            screen.style.strong()
        } else {
            Look::new()
        };
        let cell = |text: String| Span::styled(text, look);
        vec![
            cell(row.stage.clone()),
            cell(count(row.events_per_s)),
            cell(span(row.p50_ns)),
            cell(span(row.p90_ns)),
            cell(span(row.p99_ns)),
            cell(span(row.p999_ns)),
            cell(span(row.max_ns)),
            cell(row.idle_pct.map_or_else(dash, |pct| format!("{pct} %"))),
            cell(count(row.full_waits)),
            cell(count(row.events)),
        ]
    };
    let rows = figures.stages.iter().map(line).collect();
    table(
        frame,
        area,
        screen,
        "Latency by stage, last 10 s".into(),
        &columns,
        rows,
        chosen,
    );
}

/// Refusals by code.
pub(super) fn rejects(
    frame: &mut Frame<'_>,
    area: Rect,
    screen: &Screen<'_>,
    figures: &Figures,
    chosen: Option<usize>,
) {
    let columns = [left("code", 0), right("1 min", 2), right("all", 1)];
    let rows = figures.rejects.iter().map(|row| {
        let lately = screen.app.rejects_lately(Some(&row.code));
        let look = if lately.is_some_and(|count| count > 0) {
            screen.style.warn()
        } else {
            Look::new()
        };
        vec![
            Span::raw(row.code.clone()),
            Span::styled(shown(lately), look),
            Span::raw(count(row.count)),
        ]
    });
    let title = format!(
        "Rejects by code, {} since the journal began",
        count(figures.refused())
    );
    table(frame, area, screen, title, &columns, rows.collect(), chosen);
}

/// The largest positions.
pub(super) fn positions(
    frame: &mut Frame<'_>,
    area: Rect,
    screen: &Screen<'_>,
    figures: &Figures,
    chosen: Option<usize>,
) {
    let columns = [
        left("symbol", 0),
        left("account", 1),
        right("position", 2),
        right("avg px", 7),
        right("mark", 6),
        right("value base", 4),
        right("unrealised", 3),
        right("realised", 5),
        left("ccy", 8),
    ];
    let profit = |text: Option<&str>| {
        let amount = text.and_then(units);
        let look = screen.style.of_sign(amount.unwrap_or(0));
        Span::styled(amount.map_or_else(dash, |amount| signed(amount, 2)), look)
    };
    let price = |text: &Option<String>| Span::raw(text.as_deref().map_or_else(dash, plain));
    let line = |row: &Position| {
        vec![
            Span::styled(row.symbol.clone(), screen.style.strong()),
            Span::raw(row.account.clone()),
            Span::raw(plain(&row.qty)),
            price(&row.avg_px),
            price(&row.mark),
            Span::raw(money_of(row.value_base.as_deref())),
            profit(row.unrealised.as_deref()),
            profit(Some(&row.realised)),
            Span::styled(row.currency.clone(), screen.style.muted()),
        ]
    };
    let unvalued = match figures.exposure.unvalued {
        0 => String::new(),
        count => format!(", {count} without a value"),
    };
    let title = format!("Positions, largest of {} open{unvalued}", figures.exposure.open);
    let rows = figures.positions.iter().map(line).collect();
    table(frame, area, screen, title, &columns, rows, chosen);
}

/// A sign beside the word, for who sees no colours.
fn sign(word: &str) -> &'static str {
    match word {
        "CRITICAL" | "FAIL" => "■",
        "ERROR" => "◆",
        "WARNING" | "WARN" => "▲",
        _ => "●",
    }
}

/// What it is about.
fn about(incident: &Incident) -> String {
    if incident.instrument.is_empty() {
        incident.scope.clone()
    } else {
        format!("{} {}", incident.scope, incident.instrument)
    }
}

/// When it escalates, or who has it.
fn whose(incident: &Incident, time_ns: u64) -> String {
    if !incident.is_open() {
        let name = incident.acknowledged_by.as_deref().unwrap_or("");
        return format!("{} {name}", incident.state.to_lowercase());
    }
    let next = incident.next_level_at.as_deref().and_then(parse_rfc3339);
    match next {
        Some(next_ns) => {
            let left_s = next_ns.saturating_sub(time_ns) / 1_000_000_000;
            format!(
                "level {} in {}",
                incident.level.saturating_add(1),
                lasting(left_s)
            )
        }
        None => format!("level {}", incident.level),
    }
}

/// Incidents, the worst that nobody has taken first.
pub(super) fn alerts(
    frame: &mut Frame<'_>,
    area: Rect,
    screen: &Screen<'_>,
    figures: &Figures,
    chosen: Option<usize>,
) {
    let columns = [
        left("severity", 0),
        left("whose", 3),
        left("about", 1),
        right("times", 4),
        rest("what", 2),
    ];
    let time_ns = parse_rfc3339(&figures.time).unwrap_or(0);
    let line = |row: &Incident| {
        let look = if row.is_open() {
            screen.style.of_word(&row.severity)
        } else {
            screen.style.muted()
        };
        vec![
            Span::styled(format!("{} {}", sign(&row.severity), row.severity), look),
            Span::raw(whose(row, time_ns)),
            Span::styled(about(row), screen.style.strong()),
            Span::raw(count(row.count)),
            Span::raw(row.text.clone()),
        ]
    };
    let title = format!("Alerts, {} that nobody has taken", figures.open_incidents());
    let rows = figures.incidents.iter().map(line).collect();
    table(frame, area, screen, title, &columns, rows, chosen);
}

/// The selected incident, all of it.
pub(super) fn incident(frame: &mut Frame<'_>, area: Rect, screen: &Screen<'_>) {
    let Some(row) = screen.app.incident() else { return };
    let taken = match (&row.acknowledged_by, &row.acknowledge_comment) {
        (Some(name), comment) => format!("taken by {name}: {}", comment.as_deref().unwrap_or("")),
        (None, _) => "nobody has taken it: press a".to_owned(),
    };
    let lines = vec![
        Line::from(vec![
            Span::styled(
                format!("{} {} ", sign(&row.severity), row.severity),
                screen.style.of_word(&row.severity),
            ),
            Span::styled(about(row), screen.style.strong()),
        ]),
        Line::raw(row.text.clone()),
        Line::styled(
            format!(
                "{}, since {}, {} times; {taken}",
                row.rule,
                text::time_of_day(&row.opened_at),
                count(row.count)
            ),
            screen.style.muted(),
        ),
    ];
    let block = block(screen, format!("Incident {}", row.id));
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }).block(block), area);
}

/// A check's figure with its unit.
fn figure(check: &Check) -> String {
    let Some(value) = check.value.as_deref() else {
        return dash();
    };
    let whole = value.parse::<u64>().ok();
    match (check.unit.as_str(), whole) {
        ("bytes", Some(bytes)) => crate::output::bytes(bytes),
        ("percent", _) => format!("{} %", plain(value)),
        ("per_s", _) => format!("{}/s", plain(value)),
        ("count" | "", _) => plain(value),
        (unit, _) => format!("{} {unit}", plain(value)),
    }
}

/// How the engine's parts are, the worst first.
pub(super) fn checks(
    frame: &mut Frame<'_>,
    area: Rect,
    screen: &Screen<'_>,
    figures: &Figures,
    chosen: Option<usize>,
) {
    let columns = [left("status", 0), left("part", 1), right("value", 2), rest("", 3)];
    let rank = |check: &&Check| {
        ["FAIL", "WARN"]
            .iter()
            .position(|one| *one == check.status)
            .unwrap_or(2)
    };
    let mut sorted: Vec<&Check> = figures.checks.iter().collect();
    sorted.sort_by_key(rank);
    let rows = sorted.into_iter().map(|row| {
        vec![
            Span::styled(
                format!("{} {}", sign(&row.status), row.status),
                screen.style.of_word(&row.status),
            ),
            Span::styled(row.name.clone(), screen.style.strong()),
            Span::raw(figure(row)),
            Span::styled(row.text.clone(), screen.style.muted()),
        ]
    });
    let title = format!(
        "System health as of input {}, {}",
        count(figures.as_of),
        text::time_of_day(&figures.as_of_time)
    );
    table(frame, area, screen, title, &columns, rows.collect(), chosen);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_shown_whole_or_not_at_all() {
        let columns = [left("symbol", 0), right("mark", 2), right("qty", 1)];
        let rows = [vec![
            Span::raw("TWX500"),
            Span::raw("4,998.08333"),
            Span::raw("-1,234"),
        ]];
        let kept = |room| -> Vec<usize> {
            let kept = fitting(&columns, &rows, room).into_iter();
            kept.map(|(at, _)| at).collect()
        };
        assert_eq!(kept(25), [0, 1, 2], "6 and 11 and 6, and room between");
        assert_eq!(kept(24), [0, 2]);
        assert_eq!(kept(13), [0, 2]);
        assert_eq!(kept(12), [0]);
        assert_eq!(kept(1), [0], "the first one is cut rather than nothing shown");
    }
}
