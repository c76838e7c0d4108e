//! A broker's statement or drop copy as a file: CSV or JSON (docs/recon.md).
//!
//! # Invariants
//! - What cannot be read exactly is an error that names its line: nothing is guessed, rounded or passed over.
//! - An item stands once for each account; a second line of it is an error, since adding them up would be a guess.

use super::holdings::Broker;
use super::trades::Trade;
use serde::Deserialize;
use std::collections::BTreeMap;
use tradewind_domain::decimal;
use tradewind_domain::fixed::{Money, NetQty, Price, Qty};
use tradewind_domain::time::{parse_rfc3339, utc_day};

/// Why a statement cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// The file is not of the form that its first byte promises.
    #[error("not a statement in JSON")]
    Json(#[from] serde_json::Error),
    /// The first line does not say what the lines are.
    #[error("the first line must name the columns: {0}")]
    Header(String),
    /// A line that cannot be taken.
    #[error("line {line}: {what}")]
    Line {
        /// Its number from 1, the header included; of JSON the number of the entry.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

/// What a broker says, by account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// Positions and cash of each account; an account without any is one of which the statement says nothing.
    pub holdings: BTreeMap<String, Broker>,
    /// Trades of each account.
    pub trades: BTreeMap<String, Vec<Trade>>,
}

impl Statement {
    /// Reads a file: JSON where it begins with a brace, CSV elsewhere.
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match text.trim_start().starts_with('{') {
            true => Self::from_json(text),
            false => Self::from_csv(text),
        }
    }

    /// Reads JSON.
    pub fn from_json(text: &str) -> Result<Self, StatementError> {
        of_json(text)
    }

    /// Reads CSV.
    pub fn from_csv(text: &str) -> Result<Self, StatementError> {
        of_csv(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    fn add(&mut self, row: &Row, line: usize) -> Result<(), StatementError> {
        self.take(row).map_err(|what| StatementError::Line { line, what })
    }

    fn take(&mut self, row: &Row) -> Result<(), String> {
        let account = needed("account", &row.account)?.to_owned();
        match row.kind.as_deref() {
            Some("POSITION") => {
                let name = needed("name", &row.name)?;
                let qty = NetQty::from_raw(figure("amount", &row.amount)?.into());
                let held = &mut self.holdings.entry(account).or_default().positions;
                once(held.insert(name.to_owned(), qty).is_some(), name)
            }
            Some("CASH") => {
                let name = needed("name", &row.name)?;
                let amount = Money::from_raw(figure("amount", &row.amount)?.into());
                let held = &mut self.holdings.entry(account).or_default().cash;
                once(held.insert(name.to_owned(), amount).is_some(), name)
            }
            Some("TRADE") => {
                let trade = trade(row)?;
                self.trades.entry(account).or_default().push(trade);
                Ok(())
            }
            Some(other) => Err(format!("type {other:?} is none of POSITION, CASH, TRADE")),
            None => Err("it has no type".to_owned()),
        }
    }
}

fn once(is_again: bool, name: &str) -> Result<(), String> {
    if is_again {
        return Err(format!("{name} stands in the statement twice"));
    }
    Ok(())
}

/// A line, whatever it is about.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(rename = "type")]
    kind: Option<String>,
    account: Option<String>,
    name: Option<String>,
    amount: Option<String>,
    symbol: Option<String>,
    side: Option<String>,
    qty: Option<String>,
    px: Option<String>,
    exec_id: Option<String>,
    order_id: Option<String>,
    venue: Option<String>,
    fee: Option<String>,
    time: Option<String>,
}

impl Row {
    fn set(&mut self, column: &str, value: String) -> bool {
        let field = match column {
            "type" => &mut self.kind,
            "account" => &mut self.account,
            "name" => &mut self.name,
            "amount" => &mut self.amount,
            "symbol" => &mut self.symbol,
            "side" => &mut self.side,
            "qty" => &mut self.qty,
            "px" => &mut self.px,
            "exec_id" => &mut self.exec_id,
            "order_id" => &mut self.order_id,
            "venue" => &mut self.venue,
            "fee" => &mut self.fee,
            "time" => &mut self.time,
            _ => return false,
        };
        *field = (!value.is_empty()).then_some(value);
        true
    }
}

fn needed<'a>(name: &str, value: &'a Option<String>) -> Result<&'a str, String> {
    value.as_deref().ok_or_else(|| format!("it has no {name}"))
}

fn figure(name: &str, value: &Option<String>) -> Result<i64, String> {
    let text = needed(name, value)?;
    decimal::parse(text.as_bytes()).map_err(|error| format!("{name} {text:?}: {error}"))
}

fn trade(row: &Row) -> Result<Trade, String> {
    if row.exec_id.is_none() && row.order_id.is_none() {
        return Err("it has neither exec_id nor order_id: nothing says which trade it is".to_owned());
    }
    let side = match row.side.as_deref() {
        Some("BUY") => Some("BUY".to_owned()),
        Some("SELL" | "SELL_SHORT") => Some("SELL".to_owned()),
        Some(other) => return Err(format!("side {other:?} is none of BUY, SELL, SELL_SHORT")),
        None => None,
    };
    let time_ns = match &row.time {
        Some(text) => Some(
            parse_rfc3339(text).ok_or_else(|| format!("time {text:?} is not like 2026-03-02T14:30:00Z"))?,
        ),
        None => None,
    };
    let fee = match &row.fee {
        Some(_) => Some(Money::from_raw(figure("fee", &row.fee)?.into())),
        None => None,
    };
    Ok(Trade {
        venue: row.venue.clone().unwrap_or_default(),
        exec_id: row.exec_id.clone(),
        order_id: row.order_id.clone(),
        symbol: needed("symbol", &row.symbol)?.to_owned(),
        side,
        qty: Qty::from_raw(figure("qty", &row.qty)?),
        px: Price::from_raw(figure("px", &row.px)?),
        fee,
        time_ns,
        trade_date: time_ns.map(utc_day),
    })
}

fn of_json(text: &str) -> Result<Statement, StatementError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        lines: Vec<Row>,
    }
    let file: File = serde_json::from_str(text)?;
    let mut statement = Statement::default();
    for (at, row) in file.lines.iter().enumerate() {
        statement.add(row, at + 1)?;
    }
    Ok(statement)
}

fn of_csv(text: &str) -> Result<Statement, StatementError> {
    let mut lines = text.lines().enumerate();
    let (_, header) = lines.next().unwrap_or_default();
    let columns = fields(header).ok_or_else(|| StatementError::Header(header.to_owned()))?;
    let mut probe = Row::default();
    if let Some(unknown) = columns.iter().find(|column| !probe.set(column, String::new())) {
        return Err(StatementError::Header(format!("{unknown:?} is not known")));
    }
    let mut statement = Statement::default();
    for (at, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let fault = |what: String| StatementError::Line { line: at + 1, what };
        let values = fields(line).ok_or_else(|| fault("a quote is not closed".to_owned()))?;
        if values.len() != columns.len() {
            return Err(fault(format!(
                "{} fields for {} columns",
                values.len(),
                columns.len()
            )));
        }
        let mut row = Row::default();
        for (column, value) in columns.iter().zip(values) {
            row.set(column, value);
        }
        statement.add(&row, at + 1)?;
    }
    Ok(statement)
}

/// The fields of a line, quotes taken off; `None` where one is not closed.
fn fields(line: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars().peekable();
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        let field = fields.last_mut()?;
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            _ => field.push(letter),
        }
    }
    (!is_quoted).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "type,account,name,amount,symbol,side,qty,px,exec_id,venue,fee,time\n\
        POSITION,A1,SPY,-100.5,,,,,,,,\n\
        CASH,A1,USD,10000.25,,,,,,,,\n\
        TRADE,A1,,,SPY,SELL_SHORT,100.5,416.25,\"X,1\",1,0.35,2026-03-02T14:30:00Z\n";

    #[test]
    fn positions_cash_and_trades_are_read_from_csv_and_json_alike() {
        let csv = Statement::parse(CSV).unwrap();
        let json = r#"{"lines": [
            {"type": "POSITION", "account": "A1", "name": "SPY", "amount": "-100.5"},
            {"type": "CASH", "account": "A1", "name": "USD", "amount": "10000.25"},
            {"type": "TRADE", "account": "A1", "symbol": "SPY", "side": "SELL", "qty": "100.5", "px": "416.25", "exec_id": "X,1",
             "venue": "1", "fee": "0.35", "time": "2026-03-02T14:30:00Z"}]}"#;
        assert_eq!(Statement::parse(json).unwrap(), csv);
        let held = &csv.holdings["A1"];
        assert_eq!(held.positions["SPY"].to_string(), "-100.5");
        assert_eq!(held.cash["USD"].to_string(), "10000.25");
        assert_eq!(csv.trades["A1"][0].side.as_deref(), Some("SELL"));
    }

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let error = Statement::parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn what_would_have_to_be_guessed_is_refused_with_its_line() {
        let head = "type,account,name,amount\n";
        refused("typ,account\n", "\"typ\" is not known");
        refused(
            &format!("{head}POSITION,A1,SPY\n"),
            "line 2: 3 fields for 4 columns",
        );
        refused(
            &format!("{head}POSITION,A1,SPY,1e5\n"),
            "line 2: amount \"1e5\": not a decimal number",
        );
        refused(
            &format!("{head}POSITION,A1,SPY,1\nPOSITION,A1,SPY,2\n"),
            "line 3: SPY stands in the statement twice",
        );
        refused(&format!("{head}LOAN,A1,SPY,1\n"), "type \"LOAN\"");
        refused(&format!("{head}CASH,,USD,1\n"), "it has no account");
        refused(&format!("{head}CASH,A1,\"USD,1\n"), "a quote is not closed");
        refused(
            "type,account,symbol,qty,px\nTRADE,A1,SPY,1,2\n",
            "neither exec_id nor order_id",
        );
        refused(
            "{\"lines\": [{\"type\": \"CASH\", \"loan\": 1}]}",
            "not a statement in JSON",
        );
    }
}
