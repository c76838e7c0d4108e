//! The topics `two_phase` and `linked`: commands to a ledger by itself.

use super::{Got, Plays, found};
use crate::conformance::decimals::Decimal;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tradewind_books::ledger::{AccountNo, Action, Books, Code, Command, Flag, TransferId};

/// Decimals of every amount.
const DP: u32 = 8;
/// Room for the largest case.
const TRANSFERS_MAX: u32 = 4_096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setup {
    accounts: BTreeMap<String, Account>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    ledger: String,
    flag: Option<String>,
}

/// A step as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    op: String,
    id: Option<String>,
    dr: Option<String>,
    cr: Option<String>,
    amount: Option<Decimal>,
    timeout_s: Option<u64>,
    pending_id: Option<String>,
    #[serde(default)]
    items: Vec<Step>,
    t: Option<u64>,
}

/// A ledger, and the numbers behind its names.
pub(super) struct Player {
    books: Books,
    accounts: BTreeMap<String, AccountNo>,
    /// Names of transfers; a transfer's identifier is its place.
    names: Vec<String>,
}

impl Player {
    /// Opens the accounts.
    pub(super) fn open(setup: Value, _: &[Map<String, Value>]) -> Result<Self, String> {
        let setup: Setup = serde_json::from_value(setup).map_err(|error| error.to_string())?;
        let mut books = Books::new(setup.accounts.len() as u32, TRANSFERS_MAX);
        let mut ledgers: Vec<String> = Vec::new();
        let mut accounts = BTreeMap::new();
        for (name, account) in setup.accounts {
            let ledger = place_of(&mut ledgers, &account.ledger);
            let flag = match account.flag.as_deref() {
                None => Flag::None,
                Some("DEBITS_MUST_NOT_EXCEED_CREDITS") => Flag::DebitsMustNotExceedCredits,
                Some("CREDITS_MUST_NOT_EXCEED_DEBITS") => Flag::CreditsMustNotExceedDebits,
                Some(flag) => return Err(format!("unknown flag {flag}")),
            };
            let number = books.open(ledger, flag).ok_or("too many accounts")?;
            accounts.insert(name, number);
        }
        Ok(Self {
            books,
            accounts,
            names: Vec::new(),
        })
    }

    fn id(&mut self, name: Option<&String>) -> Result<TransferId, String> {
        let name = name.ok_or("a transfer has no name")?;
        Ok(TransferId(place_of(&mut self.names, name).into()))
    }

    /// An account that is not there has the number that none has.
    fn account(&self, name: Option<&String>) -> AccountNo {
        let found = name.and_then(|name| self.accounts.get(name));
        found.copied().unwrap_or(AccountNo(u32::MAX))
    }

    fn command(&mut self, step: &Step) -> Result<Command, String> {
        let amount = match step.amount {
            Some(amount) => Some(amount.raw(DP).ok_or("an amount has too many decimals")?),
            None => None,
        };
        let (debit, credit) = (self.account(step.dr.as_ref()), self.account(step.cr.as_ref()));
        let action = match step.op.as_str() {
            "transfer" => Action::Transfer {
                debit,
                credit,
                amount: amount.ok_or("a transfer has no amount")?,
            },
            "pending" => Action::Pending {
                debit,
                credit,
                amount: amount.ok_or("a pending transfer has no amount")?,
                timeout: step.timeout_s.unwrap_or(0),
            },
            "post" => Action::Post {
                pending: self.id(step.pending_id.as_ref())?,
                amount,
            },
            "void" => Action::Void {
                pending: self.id(step.pending_id.as_ref())?,
            },
            op => return Err(format!("unknown op {op}")),
        };
        Ok(Command {
            id: self.id(step.id.as_ref())?,
            action,
        })
    }

    fn balances(&self) -> Value {
        let shown = |sum: u128| {
            let sum = i128::try_from(sum).ok().and_then(|sum| Decimal::scaled(sum, DP));
            json!(sum)
        };
        let rows = self.accounts.iter().filter_map(|(name, number)| {
            let row = self.books.account(*number)?;
            let sums = json!({
                "debits_pending": shown(row.debits_pending),
                "debits_posted": shown(row.debits_posted),
                "credits_pending": shown(row.credits_pending),
                "credits_posted": shown(row.credits_posted),
            });
            Some((name.clone(), sums))
        });
        Value::Object(rows.collect())
    }
}

impl Plays for Player {
    type Step = Step;

    fn play(&mut self, step: Step) -> Got {
        let mut expired = Vec::new();
        if let Some(now) = step.t {
            self.books.advance(now, |id| expired.push(id));
        }
        let mut got = match step.op.as_str() {
            "tick" => Map::new(),
            "linked" => {
                let commands: Result<Vec<Command>, String> =
                    step.items.iter().map(|item| self.command(item)).collect();
                let commands = commands?;
                let mut codes = vec![Code::Ok; commands.len()];
                self.books.submit_linked(&commands, &mut codes);
                let codes: Vec<&str> = codes.into_iter().map(Code::text).collect();
                found([("results", json!(codes))])
            }
            _ => {
                let command = self.command(&step)?;
                found([("result", json!(self.books.submit(&command).text()))])
            }
        };
        let name = |id: &TransferId| self.names.get(id.0 as usize).cloned();
        let expired: Vec<String> = expired.iter().filter_map(name).collect();
        if !expired.is_empty() || step.op == "tick" {
            got.insert("expired".to_owned(), json!(expired));
        }
        got.insert("balances".to_owned(), self.balances());
        Ok(got)
    }
}

/// A name's place in a list, which takes it where it is new.
fn place_of(names: &mut Vec<String>, name: &str) -> u32 {
    let at = names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    });
    at as u32
}
