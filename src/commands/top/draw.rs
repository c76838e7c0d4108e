//! The frame: head, tabs, tiles, the view's panels, foot. Pure: the same state draws the same picture.

use super::app::{App, VIEWS};
use super::panels;
use super::text;
use crate::cli::{TopArgs, TopView};
use crate::output::count;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style as Look};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph};

/// Without a word of the engine for so long, figures are old.
const OLD_NS: u64 = 3_000_000_000;
/// From so many columns on panels stand beside one another.
const WIDE: u16 = 100;
/// From so many rows on there is room for refusals where panels stand below one another.
const TALL: u16 = 30;

/// Colours by meaning. Without colours the signs in front of words say the same.
#[derive(Clone, Copy)]
pub(super) struct Style {
    is_coloured: bool,
}

impl Style {
    /// As the terminal's user wants it (no-color.org).
    pub(super) fn of_terminal() -> Self {
        Self {
            is_coloured: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    pub(super) const fn plain() -> Self {
        Self { is_coloured: false }
    }

    fn colour(self, colour: Color) -> Look {
        if self.is_coloured {
            Look::new().fg(colour)
        } else {
            Look::new()
        }
    }

    pub(super) fn good(self) -> Look {
        self.colour(Color::Green)
    }
    pub(super) fn warn(self) -> Look {
        self.colour(Color::Yellow)
    }
    pub(super) fn bad(self) -> Look {
        self.colour(Color::LightRed).add_modifier(Modifier::BOLD)
    }
    pub(super) fn accent(self) -> Look {
        self.colour(Color::Cyan)
    }
    pub(super) fn muted(self) -> Look {
        Look::new().add_modifier(Modifier::DIM)
    }
    pub(super) fn strong(self) -> Look {
        Look::new().add_modifier(Modifier::BOLD)
    }

    /// Above and below zero.
    pub(super) fn of_sign(self, units: i128) -> Look {
        match units {
            0 => Look::new(),
            1.. => self.good(),
            _ => self.bad(),
        }
    }

    /// Of a severity or the status of a check.
    pub(super) fn of_word(self, word: &str) -> Look {
        match word {
            "CRITICAL" | "ERROR" | "FAIL" => self.bad(),
            "WARNING" | "WARN" => self.warn(),
            "PASS" => self.good(),
            _ => Look::new(),
        }
    }
}

/// What a frame is drawn from.
pub(super) struct Screen<'a> {
    pub(super) app: &'a App,
    pub(super) style: Style,
    data: String,
    now_ns: u64,
}

impl<'a> Screen<'a> {
    pub(super) fn new(args: &TopArgs, app: &'a App, now_ns: u64, style: Style) -> Self {
        Self {
            app,
            style,
            data: args.engine.data.display().to_string(),
            now_ns,
        }
    }

    /// Nanoseconds since the engine was heard.
    fn age_ns(&self) -> Option<u64> {
        Some(self.now_ns.saturating_sub(self.app.heard_ns?))
    }
}

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, screen: &Screen<'_>) {
    let [head, tabs, tiles, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(2),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    draw_head(frame, head, screen);
    draw_tabs(frame, tabs, screen);
    draw_tiles(frame, tiles, screen);
    draw_body(frame, body, screen);
    frame.render_widget(Paragraph::new(foot_line(screen)), foot);
    if screen.app.is_helping {
        draw_help(frame, screen);
    }
}

fn draw_head(frame: &mut Frame<'_>, area: Rect, screen: &Screen<'_>) {
    let (app, style) = (screen.app, screen.style);
    let mut left = vec![Span::styled(" TRADEWIND ", style.strong())];
    if let Some(figures) = &app.figures {
        left.push(Span::styled(figures.environment.to_uppercase(), style.accent()));
        left.push(Span::styled(
            format!("  {}, run {}, {}", figures.build, figures.epoch, screen.data),
            style.muted(),
        ));
    }
    let state = connection(screen);
    let width = u16::try_from(state.width()).unwrap_or(u16::MAX);
    let [left_area, right_area] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(width)]).areas(area);
    frame.render_widget(Paragraph::new(Line::from(left)), left_area);
    frame.render_widget(Paragraph::new(state), right_area);
}

/// Whether the engine answers, how old the figures are, and its clock.
fn connection(screen: &Screen<'_>) -> Line<'static> {
    let (app, style) = (screen.app, screen.style);
    let mut spans = vec![Span::raw(" ")];
    if app.is_paused {
        spans.push(Span::styled(
            " PAUSED ",
            style.warn().add_modifier(Modifier::REVERSED),
        ));
        spans.push(Span::raw(" "));
    }
    let age_ns = screen.age_ns();
    let age = age_ns.map_or(String::new(), |ns| {
        format!("{}.{} s", ns / 1_000_000_000, ns / 100_000_000 % 10)
    });
    match (&app.trouble, age_ns) {
        (None, Some(ns)) if ns < OLD_NS => spans.push(Span::styled(format!("● live {age}"), style.good())),
        (None, Some(_)) => spans.push(Span::styled(format!("▲ stale {age}"), style.warn())),
        (None, None) => spans.push(Span::styled("… connecting", style.muted())),
        (Some(_), _) => spans.push(Span::styled(format!("✕ no engine {age}"), style.bad())),
    }
    if let Some(figures) = &app.figures {
        spans.push(Span::styled("  UTC ", style.muted()));
        spans.push(Span::raw(text::time_of_day(&figures.time).to_owned()));
    }
    spans.push(Span::raw(" "));
    Line::from(spans)
}

fn draw_tabs(frame: &mut Frame<'_>, area: Rect, screen: &Screen<'_>) {
    let (app, style) = (screen.app, screen.style);
    let mut spans = vec![Span::raw(" ")];
    for (at, (view, name)) in VIEWS.iter().enumerate() {
        let look = if *view == app.view {
            style.accent().add_modifier(Modifier::REVERSED)
        } else {
            style.muted()
        };
        spans.push(Span::styled(format!(" {} {name} ", at + 1), look));
    }
    if let Some(figures) = &app.figures {
        for held in &figures.restrictions {
            spans.push(Span::styled(
                format!("  ■ {}: {}", held.state, held.node),
                style.bad(),
            ));
        }
        if let Some(fault) = &figures.replica_fault {
            spans.push(Span::styled(
                format!("  ■ reads have failed: {fault}"),
                style.bad(),
            ));
        }
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// The figures that one looks at first.
fn draw_tiles(frame: &mut Frame<'_>, area: Rect, screen: &Screen<'_>) {
    let tiles = panels::tiles(screen);
    let room = usize::from(area.width / 14).max(1);
    let shown = &tiles[..tiles.len().min(room)];
    let areas = Layout::horizontal(shown.iter().map(|_| Constraint::Fill(1))).split(area);
    for ((label, value), area) in shown.iter().zip(areas.iter()) {
        let lines = vec![
            Line::styled(format!(" {label}"), screen.style.muted()),
            Line::from(vec![Span::raw(" "), value.clone()]),
        ];
        frame.render_widget(Paragraph::new(lines), *area);
    }
}

fn draw_body(frame: &mut Frame<'_>, area: Rect, screen: &Screen<'_>) {
    let app = screen.app;
    let Some(figures) = &app.figures else {
        let why = app.trouble.clone().unwrap_or_default();
        let lines = vec![
            Line::raw(""),
            Line::raw(format!(" {why}")),
            Line::raw(" It is asked for again and again; q ends this."),
        ];
        let lines = if app.trouble.is_some() { lines } else { Vec::new() };
        frame.render_widget(Paragraph::new(lines), area);
        return;
    };
    let chosen = Some(app.selected);
    match app.view {
        TopView::Overview => draw_overview(frame, area, screen),
        TopView::Latency => {
            let [chart, table] = Layout::vertical([Constraint::Length(8), Constraint::Fill(1)]).areas(area);
            let [rates, tails] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)])
                .spacing(1)
                .areas(chart);
            panels::rates(frame, rates, screen);
            panels::tails(frame, tails, screen);
            panels::stages(frame, table, screen, figures, chosen);
        }
        TopView::Rejects => panels::rejects(frame, area, screen, figures, chosen),
        TopView::Positions => panels::positions(frame, area, screen, figures, chosen),
        TopView::Alerts => {
            let [list, one] = Layout::vertical([Constraint::Fill(1), Constraint::Length(6)]).areas(area);
            panels::alerts(frame, list, screen, figures, chosen);
            panels::incident(frame, one, screen);
        }
        TopView::Health => panels::checks(frame, area, screen, figures, chosen),
    }
}

fn draw_overview(frame: &mut Frame<'_>, area: Rect, screen: &Screen<'_>) {
    let Some(figures) = &screen.app.figures else {
        return;
    };
    if area.width < WIDE {
        // What has no room is left out, not squeezed.
        let rejects = if area.height < TALL { 0 } else { 8 };
        let [stages, alerts, rejects, positions] = Layout::vertical([
            Constraint::Length(11),
            Constraint::Length(6),
            Constraint::Length(rejects),
            Constraint::Fill(1),
        ])
        .areas(area);
        panels::stages(frame, stages, screen, figures, None);
        panels::alerts(frame, alerts, screen, figures, None);
        panels::rejects(frame, rejects, screen, figures, None);
        panels::positions(frame, positions, screen, figures, None);
        return;
    }
    let [upper, lower] = Layout::vertical([Constraint::Length(17), Constraint::Fill(1)]).areas(area);
    let [left, right] = Layout::horizontal([Constraint::Fill(3), Constraint::Fill(2)])
        .spacing(1)
        .areas(upper);
    let [rates, stages] = Layout::vertical([Constraint::Length(6), Constraint::Fill(1)]).areas(left);
    panels::rates(frame, rates, screen);
    panels::stages(frame, stages, screen, figures, None);
    panels::rejects(frame, right, screen, figures, None);
    let [positions, alerts] = Layout::horizontal([Constraint::Fill(3), Constraint::Fill(2)])
        .spacing(1)
        .areas(lower);
    panels::positions(frame, positions, screen, figures, None);
    panels::alerts(frame, alerts, screen, figures, None);
}

/// Keys; or what is being written, or what was said.
fn foot_line(screen: &Screen<'_>) -> Line<'static> {
    let (app, style) = (screen.app, screen.style);
    if let Some(prompt) = &app.prompt {
        return Line::from(vec![
            Span::styled(format!(" Take incident {}: ", prompt.incident), style.strong()),
            Span::raw(format!("{}▏", prompt.text)),
            Span::styled(
                "  what are you doing about it? Enter sends, Esc leaves it",
                style.muted(),
            ),
        ]);
    }
    match (&app.trouble, &app.said) {
        (Some(why), _) if app.figures.is_some() => Line::styled(format!(" ✕ {why}"), style.bad()),
        (_, Some(Ok(said))) => Line::styled(format!(" ✓ {said}"), style.good()),
        (_, Some(Err(said))) => Line::styled(format!(" ✕ {said}"), style.bad()),
        _ => Line::styled(
            " q quit  1-6 Tab views  ↑↓ select  a take alert  p pause  r look now  ? help",
            style.muted(),
        ),
    }
}

const HELP: [(&str, &str); 9] = [
    ("q, Ctrl-C", "quit"),
    ("1 to 6, Tab, ←→", "views"),
    ("↑ ↓ j k PgUp PgDn", "select a row"),
    (
        "a",
        "take the selected alert, elsewhere the worst that nobody has",
    ),
    ("p, space", "let the screen stand still, and go on"),
    ("r", "look now"),
    ("?", "this list; any key closes it"),
    ("● ▲ ■", "well, look at it, not well"),
    ("", "stage times are of sampled batches of the last 10 seconds"),
];

fn draw_help(frame: &mut Frame<'_>, screen: &Screen<'_>) {
    let area = frame.area();
    let (width, height) = (area.width.min(84), area.height.min(HELP.len() as u16 + 2));
    let area = Rect {
        x: (area.width - width) / 2,
        y: (area.height - height) / 2,
        width,
        height,
    };
    let line = |(keys, what): &(&'static str, &'static str)| {
        Line::from(vec![
            Span::styled(format!(" {keys:<19}"), screen.style.strong()),
            Span::raw(*what),
        ])
    };
    let lines: Vec<Line<'_>> = HELP.iter().map(line).collect();
    frame.render_widget(Clear, area);
    frame.render_widget(
        Paragraph::new(lines).block(Block::bordered().title(" Keys ")),
        area,
    );
}

/// A count for a tile.
pub(super) fn shown(value: Option<u64>) -> String {
    value.map_or_else(text::dash, count)
}

#[cfg(test)]
mod tests {
    use super::super::app::News;
    use super::super::figures::{Figures, Incident, Position, Stage};
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn figures() -> Figures {
        Figures {
            environment: "demo".into(),
            time: "2026-03-02T14:30:00Z".into(),
            stages: vec![Stage {
                stage: "pipeline".into(),
                p99_ns: Some(154_000),
                ..Stage::default()
            }],
            positions: vec![Position {
                symbol: "ACME".into(),
                qty: "-300".into(),
                realised: "12.5".into(),
                ..Position::default()
            }],
            incidents: vec![Incident {
                severity: "ERROR".into(),
                state: "OPEN".into(),
                text: "é".repeat(300),
                ..Incident::default()
            }],
            ..Figures::default()
        }
    }

    fn drawn(app: &App, now_ns: u64, columns: u16, rows: u16) -> String {
        let screen = Screen {
            app,
            style: Style::plain(),
            data: "data".into(),
            now_ns,
        };
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| draw(frame, &screen)).unwrap();
        let cells = terminal.backend().buffer().content().iter();
        cells.map(|cell| cell.symbol()).collect()
    }

    #[test]
    fn every_view_is_drawn_whatever_the_size() {
        for (view, _) in VIEWS {
            let mut app = App::new(view);
            app.is_helping = view == TopView::Latency;
            drawn(&app, 0, 80, 24);
            app.hear(News::Figures(Box::new(figures())), 0);
            for (columns, rows) in [(1, 1), (3, 50), (40, 3), (80, 24), (300, 90)] {
                drawn(&app, 0, columns, rows);
            }
        }
    }

    #[test]
    fn figures_are_marked_as_old_once_the_engine_says_nothing() {
        let mut app = App::new(TopView::Positions);
        assert!(drawn(&app, 0, 120, 30).contains("connecting"));
        app.hear(News::Figures(Box::new(figures())), 0);
        assert!(drawn(&app, OLD_NS - 1, 120, 30).contains("● live 2.9 s"));
        assert!(drawn(&app, OLD_NS, 120, 30).contains("▲ stale 3.0 s"));
        app.hear(News::Lost("it has stopped".into()), OLD_NS);
        let text = drawn(&app, 2 * OLD_NS, 120, 30);
        assert!(
            text.contains("✕ no engine 6.0 s") && text.contains("it has stopped"),
            "{text}"
        );
        assert!(
            text.contains("ACME") && text.contains("-300"),
            "the last figures stay"
        );
    }
}
