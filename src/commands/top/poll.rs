//! Asks the engine at a steady pace, on a thread of its own: a slow answer never holds the keyboard up.
//!
//! Invariant: an engine that goes away is asked for until it is back; each connection lives as long as its engine does.

use super::app::{News, Wish};
use super::figures::Figures;
use crate::cli::EngineArgs;
use crate::commands::ask::operator;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tradewind_control::{AlertAct, Client, ClientError, Command, FiguresAsk};

/// Positions that are asked for.
const POSITIONS: u32 = 200;

/// The other end of the thread. It ends with this.
pub(super) struct Poll {
    pub(super) wishes: Sender<Wish>,
    pub(super) news: Receiver<News>,
}

impl Poll {
    /// Begins to ask, every so often.
    pub(super) fn start(engine: &EngineArgs, interval: Duration) -> std::io::Result<Self> {
        let (wishes, asked) = channel();
        let (told, news) = channel();
        let asker = Asker {
            data: engine.data.clone(),
            operator: operator(engine),
            client: None,
        };
        std::thread::Builder::new()
            .name("tw-top".into())
            .spawn(move || asker.run(&asked, &told, interval))?;
        Ok(Self { wishes, news })
    }
}

/// The figures of this moment, as the engine gives them.
pub(super) fn ask_once(engine: &EngineArgs) -> anyhow::Result<Value> {
    Ok(Client::connect(&engine.data)?.ask(question(), operator(engine).as_deref(), None)?)
}

fn question() -> Command {
    Command::Figures(FiguresAsk {
        positions: Some(POSITIONS),
    })
}

struct Asker {
    data: PathBuf,
    operator: Option<String>,
    client: Option<Client>,
}

impl Asker {
    /// Asks until nobody listens any more.
    fn run(mut self, asked: &Receiver<Wish>, told: &Sender<News>, interval: Duration) {
        let mut is_wanted = told.send(self.look()).is_ok();
        while is_wanted {
            let news = match asked.recv_timeout(interval) {
                Ok(Wish::Look) | Err(RecvTimeoutError::Timeout) => self.look(),
                Ok(Wish::Acknowledge { incident, comment }) => {
                    let said = self.acknowledge(incident, &comment);
                    if told.send(News::Said(said)).is_err() {
                        return;
                    }
                    self.look()
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            is_wanted = told.send(news).is_ok();
        }
    }

    fn look(&mut self) -> News {
        let answer = self.ask(question(), None);
        let figures = answer.and_then(|answer| {
            serde_json::from_value(answer).map_err(|error| ClientError::NoAnswer(error.to_string()))
        });
        match figures {
            Ok(figures) => News::Figures(Box::<Figures>::new(figures)),
            Err(error) => News::Lost(error.to_string()),
        }
    }

    fn acknowledge(&mut self, incident: u64, comment: &str) -> Result<String, String> {
        let act = AlertAct {
            incident,
            action: "ACKNOWLEDGE".to_owned(),
        };
        match self.ask(Command::AlertsAct(act), Some(comment)) {
            Ok(_) => Ok(format!("incident {incident} is taken")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Asks over the connection that there is, else over a new one. What the engine says no to leaves it open.
    fn ask(&mut self, command: Command, reason: Option<&str>) -> Result<Value, ClientError> {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => Client::connect(&self.data)?,
        };
        let answer = client.ask(command, self.operator.as_deref(), reason);
        if matches!(answer, Ok(_) | Err(ClientError::Failed(_))) {
            self.client = Some(client);
        }
        answer
    }
}
