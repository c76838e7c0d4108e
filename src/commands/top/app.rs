//! What the terminal knows and what keys do. Draws nothing and asks nobody, so that it is tested without either.

use super::figures::{Figures, Incident, Reject};
use crate::cli::TopView;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::collections::VecDeque;
use tradewind_domain::time::{NANOS_PER_SEC, parse_rfc3339};

/// Looks that are remembered for the pictures over time.
const LOOKS_MAX: usize = 600;
/// Refusals "lately" are those of so many nanoseconds.
const LATELY_NS: u64 = 60 * NANOS_PER_SEC;
/// Bytes of a comment at most; the engine takes 400.
const COMMENT_MAX: usize = 200;
/// How far Page Up and Page Down go.
const PAGE: usize = 10;

/// All views, in the order of their keys.
pub(super) const VIEWS: [(TopView, &str); 6] = [
    (TopView::Overview, "Overview"),
    (TopView::Latency, "Latency"),
    (TopView::Rejects, "Rejects"),
    (TopView::Positions, "Positions"),
    (TopView::Alerts, "Alerts"),
    (TopView::Health, "Health"),
];

/// What is to be asked of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Figures now.
    Look,
    /// An incident is taken, with words.
    Acknowledge { incident: u64, comment: String },
}

/// What came from the engine.
#[derive(Clone, Debug)]
pub(super) enum News {
    Figures(Box<Figures>),
    /// It does not answer; why.
    Lost(String),
    /// What became of a wish.
    Said(Result<String, String>),
}

/// What a key leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Nothing,
    Quit,
    Ask(Wish),
}

/// A comment that is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prompt {
    pub(super) incident: u64,
    pub(super) text: String,
}

/// Figures of a past look.
#[derive(Clone, Debug)]
struct Look {
    time_ns: u64,
    events_per_s: u64,
    p99_ns: u64,
    rejects: Vec<Reject>,
}

/// The state of the screen.
#[derive(Clone, Debug, Default)]
pub(super) struct App {
    pub(super) view: TopView,
    /// What is shown; while the screen stands still, what was when it began to.
    pub(super) figures: Option<Figures>,
    /// When figures came last, on the clock of the program.
    pub(super) heard_ns: Option<u64>,
    /// Why the engine does not answer.
    pub(super) trouble: Option<String>,
    pub(super) is_paused: bool,
    pub(super) is_helping: bool,
    pub(super) prompt: Option<Prompt>,
    /// What became of the last wish.
    pub(super) said: Option<Result<String, String>>,
    /// Row of the view's list.
    pub(super) selected: usize,
    looks: VecDeque<Look>,
}

impl App {
    pub(super) fn new(view: TopView) -> Self {
        Self {
            view,
            ..Self::default()
        }
    }

    /// Takes what came.
    pub(super) fn hear(&mut self, news: News, now_ns: u64) {
        match news {
            News::Figures(figures) => {
                (self.heard_ns, self.trouble) = (Some(now_ns), None);
                if !self.is_paused {
                    self.take(*figures);
                }
            }
            News::Lost(why) => self.trouble = Some(why),
            News::Said(said) => self.said = Some(said),
        }
    }

    fn take(&mut self, mut figures: Figures) {
        figures.incidents.sort_by_key(Incident::rank);
        figures
            .rejects
            .sort_by(|a, b| (b.count, &a.code).cmp(&(a.count, &b.code)));
        let is_same_run = self
            .figures
            .as_ref()
            .is_some_and(|held| held.epoch == figures.epoch);
        if !is_same_run {
            self.looks.clear();
        }
        let pipeline = figures.pipeline();
        self.looks.push_back(Look {
            time_ns: parse_rfc3339(&figures.time).unwrap_or(0),
            events_per_s: pipeline.map_or(0, |row| row.events_per_s),
            p99_ns: pipeline.and_then(|row| row.p99_ns).unwrap_or(0),
            rejects: figures.rejects.clone(),
        });
        if self.looks.len() > LOOKS_MAX {
            self.looks.pop_front();
        }
        self.selected = self.selected.min(self.rows_of(&figures).saturating_sub(1));
        self.figures = Some(figures);
    }

    /// Rows of the view's list.
    fn rows_of(&self, figures: &Figures) -> usize {
        match self.view {
            TopView::Rejects => figures.rejects.len(),
            TopView::Positions => figures.positions.len(),
            TopView::Alerts | TopView::Overview => figures.incidents.len(),
            TopView::Health => figures.checks.len(),
            TopView::Latency => figures.stages.len(),
        }
    }

    /// Events a second over time, oldest first.
    pub(super) fn rates(&self) -> Vec<u64> {
        self.looks.iter().map(|look| look.events_per_s).collect()
    }

    /// p99 of the pipeline over time, nanoseconds, oldest first.
    pub(super) fn tails(&self) -> Vec<u64> {
        self.looks.iter().map(|look| look.p99_ns).collect()
    }

    /// Refusals with a code, or with any, since at most a minute; `None` before there is anything to compare with.
    pub(super) fn rejects_lately(&self, code: Option<&str>) -> Option<u64> {
        let last = self.looks.back()?;
        let from = last.time_ns.saturating_sub(LATELY_NS);
        let first = self.looks.iter().find(|look| look.time_ns >= from)?;
        if first.time_ns == last.time_ns {
            return None;
        }
        let count = |look: &Look| -> u64 {
            let rows = look.rejects.iter();
            rows.filter(|row| code.is_none_or(|code| row.code == code))
                .map(|row| row.count)
                .sum()
        };
        Some(count(last).saturating_sub(count(first)))
    }

    /// The incident that keys are about: the selected one, else the first that nobody has taken.
    pub(super) fn incident(&self) -> Option<&Incident> {
        let figures = self.figures.as_ref()?;
        match self.view {
            TopView::Alerts => figures.incidents.get(self.selected),
            _ => figures.incidents.iter().find(|incident| incident.is_open()),
        }
    }

    /// A key was pressed.
    pub(super) fn press(&mut self, key: KeyEvent) -> Act {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c' | 'd') => Act::Quit,
                _ => Act::Nothing,
            };
        }
        if self.prompt.is_some() {
            return self.write(key.code);
        }
        if std::mem::take(&mut self.is_helping) {
            return Act::Nothing;
        }
        match key.code {
            KeyCode::Char('q') => return Act::Quit,
            KeyCode::Char('?') | KeyCode::F(1) => self.is_helping = true,
            KeyCode::Char('p' | ' ') => {
                self.is_paused = !self.is_paused;
                return if self.is_paused {
                    Act::Nothing
                } else {
                    Act::Ask(Wish::Look)
                };
            }
            KeyCode::Char('r') => return Act::Ask(Wish::Look),
            KeyCode::Char('a') => self.begin_prompt(),
            KeyCode::Char(digit @ '1'..='6') => self.show(digit as usize - '1' as usize),
            KeyCode::Tab | KeyCode::Right => self.show((self.place() + 1) % VIEWS.len()),
            KeyCode::BackTab | KeyCode::Left => self.show((self.place() + VIEWS.len() - 1) % VIEWS.len()),
            KeyCode::Down | KeyCode::Char('j') => self.select(self.selected.saturating_add(1)),
            KeyCode::Up | KeyCode::Char('k') => self.select(self.selected.saturating_sub(1)),
            KeyCode::PageDown => self.select(self.selected.saturating_add(PAGE)),
            KeyCode::PageUp => self.select(self.selected.saturating_sub(PAGE)),
            KeyCode::Home => self.select(0),
            KeyCode::End => self.select(usize::MAX),
            _ => {}
        }
        Act::Nothing
    }

    /// Place of the view among [`VIEWS`].
    pub(super) fn place(&self) -> usize {
        VIEWS.iter().position(|(view, _)| *view == self.view).unwrap_or(0)
    }

    fn show(&mut self, place: usize) {
        (self.view, self.selected) = (VIEWS[place].0, 0);
    }

    fn select(&mut self, row: usize) {
        let rows = self.figures.as_ref().map_or(0, |figures| self.rows_of(figures));
        self.selected = row.min(rows.saturating_sub(1));
    }

    fn begin_prompt(&mut self) {
        self.said = None;
        let open = self.incident().filter(|incident| incident.is_open());
        match open.map(|incident| incident.id) {
            Some(incident) => {
                self.prompt = Some(Prompt {
                    incident,
                    text: String::new(),
                });
            }
            None => self.said = Some(Err("there is no incident to take".to_owned())),
        }
    }

    fn write(&mut self, key: KeyCode) -> Act {
        let Some(prompt) = &mut self.prompt else {
            return Act::Nothing;
        };
        match key {
            KeyCode::Esc => self.prompt = None,
            KeyCode::Backspace => {
                prompt.text.pop();
            }
            KeyCode::Char(letter) if prompt.text.len() + letter.len_utf8() <= COMMENT_MAX => {
                prompt.text.push(letter);
            }
            KeyCode::Enter if !prompt.text.trim().is_empty() => {
                let wish = Wish::Acknowledge {
                    incident: prompt.incident,
                    comment: prompt.text.trim().to_owned(),
                };
                self.prompt = None;
                return Act::Ask(wish);
            }
            _ => {}
        }
        Act::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::Stage;
    use super::*;

    fn incident(id: u64, severity: &str, state: &str) -> Incident {
        Incident {
            id,
            severity: severity.into(),
            state: state.into(),
            ..Incident::default()
        }
    }

    fn figures(second: u64, rejects: u64) -> Figures {
        Figures {
            epoch: 1,
            time: format!("2026-03-02T14:{:02}:{:02}Z", second / 60, second % 60),
            rejects: vec![Reject {
                code: "PRICE_COLLAR".into(),
                count: rejects,
            }],
            incidents: vec![
                incident(1, "CRITICAL", "ACKNOWLEDGED"),
                incident(2, "WARNING", "OPEN"),
                incident(3, "ERROR", "OPEN"),
            ],
            stages: vec![Stage {
                stage: "pipeline".into(),
                events_per_s: 100 + second,
                ..Stage::default()
            }],
            ..Figures::default()
        }
    }

    fn hear(app: &mut App, figures: Figures) {
        app.hear(News::Figures(Box::new(figures)), 1);
    }

    fn press(app: &mut App, code: KeyCode) -> Act {
        app.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn refusals_lately_are_those_of_a_minute_of_this_run() {
        let mut app = App::new(TopView::Overview);
        hear(&mut app, figures(0, 10));
        assert_eq!(app.rejects_lately(None), None, "nothing to compare with");
        hear(&mut app, figures(30, 25));
        assert_eq!(app.rejects_lately(Some("PRICE_COLLAR")), Some(15));
        assert_eq!(app.rejects_lately(Some("ANOTHER")), Some(0));
        hear(&mut app, figures(80, 40));
        assert_eq!(
            app.rejects_lately(None),
            Some(15),
            "the first look is older than a minute"
        );
        assert_eq!(app.rates(), [100, 130, 180]);
        let next_run = Figures {
            epoch: 2,
            ..figures(90, 0)
        };
        hear(&mut app, next_run);
        assert_eq!(app.rates().len(), 1, "another run begins anew");
    }

    #[test]
    fn the_worst_incident_that_nobody_has_taken_is_taken_with_words() {
        let mut app = App::new(TopView::Overview);
        hear(&mut app, figures(0, 0));
        press(&mut app, KeyCode::Char('a'));
        assert_eq!(app.prompt.as_ref().map(|prompt| prompt.incident), Some(3));
        assert_eq!(press(&mut app, KeyCode::Enter), Act::Nothing, "words are needed");
        for letter in "on it".chars() {
            press(&mut app, KeyCode::Char(letter));
        }
        let wish = Wish::Acknowledge {
            incident: 3,
            comment: "on it".into(),
        };
        assert_eq!(press(&mut app, KeyCode::Enter), Act::Ask(wish));
        assert_eq!(app.prompt, None);
    }

    #[test]
    fn a_list_says_which_incident_and_one_that_is_taken_cannot_be_taken_again() {
        let mut app = App::new(TopView::Alerts);
        hear(&mut app, figures(0, 0));
        for _ in 0..9 {
            press(&mut app, KeyCode::Down);
        }
        assert_eq!(
            app.incident().map(|incident| incident.id),
            Some(1),
            "the last one"
        );
        press(&mut app, KeyCode::Char('a'));
        assert_eq!((app.prompt.is_none(), app.said.is_some()), (true, true));
    }

    #[test]
    fn a_screen_that_stands_still_keeps_its_figures_and_knows_that_the_engine_lives() {
        let mut app = App::new(TopView::Overview);
        hear(&mut app, figures(0, 10));
        press(&mut app, KeyCode::Char('p'));
        app.hear(News::Lost("gone".into()), 5);
        app.hear(News::Figures(Box::new(figures(1, 11))), 9);
        assert_eq!(app.figures.as_ref().map(Figures::refused), Some(10));
        assert_eq!((app.heard_ns, app.trouble.is_none()), (Some(9), true));
        assert_eq!(press(&mut app, KeyCode::Char('p')), Act::Ask(Wish::Look));
    }

    #[test]
    fn letters_of_a_comment_are_no_shortcuts_and_control_c_ends_it_all() {
        let mut app = App::new(TopView::Overview);
        hear(&mut app, figures(0, 0));
        press(&mut app, KeyCode::Char('a'));
        assert_eq!(press(&mut app, KeyCode::Char('q')), Act::Nothing);
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(app.press(interrupt), Act::Quit);
        press(&mut app, KeyCode::Esc);
        assert_eq!(press(&mut app, KeyCode::Char('q')), Act::Quit);
    }

    #[test]
    fn keys_go_through_the_views() {
        let mut app = App::new(TopView::Overview);
        press(&mut app, KeyCode::Char('4'));
        assert_eq!(app.view, TopView::Positions);
        press(&mut app, KeyCode::Tab);
        assert_eq!(app.view, TopView::Alerts);
        press(&mut app, KeyCode::BackTab);
        press(&mut app, KeyCode::Char('1'));
        press(&mut app, KeyCode::BackTab);
        assert_eq!(app.view, TopView::Health);
    }
}
