//! `tradewind top`: a running engine on a terminal, for people on ssh. Its figures come through the control socket, so who may use that
//! needs no password.
//!
//! # Invariants
//! - The terminal is given back as it was: after `q`, Ctrl-C, a signal, an error and a panic.
//! - The engine is asked on a thread of its own. One that stops is waited for, with its last figures on the screen and marked as old.
//! - Whatever the terminal's size, nothing panics: what has no room is left out.

mod app;
mod draw;
mod figures;
mod panels;
mod poll;
mod text;

use crate::cli::TopArgs;
use crate::output;
use anyhow::{Context, ensure};
use app::{Act, App, News};
use draw::{Screen, Style};
use poll::Poll;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use ratatui::{DefaultTerminal, Terminal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::TryRecvError;
use std::time::Duration;
use tradewind_machine::clock::Clock;

/// How long a key is waited for before the screen is drawn again.
const TICK: Duration = Duration::from_millis(100);

/// Runs the command.
pub fn run(args: &TopArgs) -> anyhow::Result<ExitCode> {
    if args.engine.json {
        output::json(&poll::ask_once(&args.engine)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let clock = Clock::start()?;
    if args.once {
        output::text(once(args, &clock)?);
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(
        std::io::stdout().is_terminal(),
        "this is no terminal: --once prints one frame as text, --json the figures"
    );
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let poll = Poll::start(&args.engine, Duration::from_millis(args.interval))?;
    // From here to `restore` the terminal is ours; the panic hook that is set gives it back too.
    let mut terminal = ratatui::try_init().context("the terminal cannot be used")?;
    let ended = show(&mut terminal, args, &poll, &clock, &stop);
    ratatui::restore();
    ended.map(|()| ExitCode::SUCCESS)
}

/// One frame as text.
fn once(args: &TopArgs, clock: &Clock) -> anyhow::Result<String> {
    let figures = serde_json::from_value(poll::ask_once(&args.engine)?)
        .context("the engine's answer cannot be read")?;
    let mut app = App::new(args.view);
    let now_ns = clock.now_ns();
    app.hear(News::Figures(Box::new(figures)), now_ns);
    let (columns, rows) = args.size;
    let mut terminal = Terminal::new(TestBackend::new(columns, rows))?;
    let screen = Screen::new(args, &app, now_ns, Style::plain());
    terminal.draw(|frame| draw::draw(frame, &screen))?;
    let buffer = terminal.backend().buffer();
    let lines = buffer.content().chunks(usize::from(columns).max(1)).map(|cells| {
        let line: String = cells.iter().map(|cell| cell.symbol()).collect();
        format!("{}\n", line.trim_end())
    });
    Ok(lines.collect())
}

/// Until somebody wants it to end.
fn show(
    terminal: &mut DefaultTerminal,
    args: &TopArgs,
    poll: &Poll,
    clock: &Clock,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let mut app = App::new(args.view);
    let style = Style::of_terminal();
    while !stop.load(Ordering::Relaxed) {
        loop {
            match poll.news.try_recv() {
                Ok(news) => app.hear(news, clock.now_ns()),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => anyhow::bail!("the thread that asks the engine has ended"),
            }
        }
        let screen = Screen::new(args, &app, clock.now_ns(), style);
        terminal.draw(|frame| draw::draw(frame, &screen))?;
        // A signal interrupts the wait; the loop looks at the flag.
        let is_pressed = match event::poll(TICK) {
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => return Err(error.into()),
            polled => polled.unwrap_or(false),
        };
        if !is_pressed {
            continue;
        }
        let Event::Key(key) = event::read()? else {
            continue; // a new size: the next frame has it
        };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        match app.press(key) {
            Act::Nothing => {}
            Act::Quit => return Ok(()),
            Act::Ask(wish) => poll
                .wishes
                .send(wish)
                .context("the thread that asks the engine has ended")?,
        }
    }
    Ok(())
}
