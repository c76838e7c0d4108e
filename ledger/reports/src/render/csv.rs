//! CSV (RFC 4180): a block of lines for each section, blank lines between them.

use crate::model::Report;
use crate::render::json::head;
use std::fmt::Write;

/// The report as CSV. The first block has what it is about; each further block begins with a line `section,NAME`, then the columns.
pub fn csv(report: &Report) -> String {
    let mut text = String::new();
    for (key, value) in head(report) {
        line(&mut text, [key, value.as_str()].into_iter());
    }
    for section in &report.sections {
        text.push_str("\r\n");
        line(&mut text, ["section", section.key].into_iter());
        line(&mut text, section.columns.iter().map(|column| column.key));
        for row in &section.rows {
            let cells: Vec<String> = row.iter().map(|cell| cell.plain()).collect();
            line(&mut text, cells.iter().map(String::as_str));
        }
    }
    text
}

fn line<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            text.push(',');
        }
        field(text, cell);
    }
    text.push_str("\r\n");
}

/// Quoted where a reader would cut it, and where a spreadsheet would take a word for a formula.
fn field(text: &mut String, cell: &str) {
    let is_number = cell.parse::<f64>().is_ok();
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
    let cell = if is_formula {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if cell.contains([',', '"', '\n', '\r']) {
        // Writing to a string cannot fail.
        let _ = write!(text, "\"{}\"", cell.replace('"', "\"\""));
    } else {
        text.push_str(&cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_a_reader_would_cut_them_and_formulas_are_words() {
        let of = |cell: &str| {
            let mut text = String::new();
            field(&mut text, cell);
            text
        };
        assert_eq!(of("a,b"), "\"a,b\"");
        assert_eq!(of("say \"no\""), "\"say \"\"no\"\"\"");
        assert_eq!(of("-12.50"), "-12.50");
        assert_eq!(of("=1+1"), "'=1+1");
        assert_eq!(of("-cmd"), "'-cmd");
        assert_eq!(of(""), "");
    }
}
