//! HTML: one file that needs nothing else, for the screen and for paper.
//!
//! # Invariants
//! - No request leaves it: style and pictures are inside, there is no script.
//! - Everything that came from a wire or a person is escaped.

use super::charts::svg;
use crate::model::{Cell, Chart, Highlight, Report, Section};
use std::borrow::Cow;
use std::fmt::Write;
use tradewind_analytics::Figure;
use tradewind_domain::rounding::{Rounding, div_round};
use tradewind_domain::time::{Date, Rfc3339};

const STYLE: &str = include_str!("report.css");

/// The report as a page.
pub fn html(report: &Report) -> String {
    let mut text = String::with_capacity(64 * 1024);
    let account = escape(&report.scope.account);
    let _ = write!(
        text,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{} {account}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        escape(report.title)
    );
    header(&mut text, report);
    highlights(&mut text, &report.highlights);
    contents(&mut text, report);
    text.push_str("<main>\n");
    let (told, empty): (Vec<&Section>, Vec<&Section>) =
        report.sections.iter().partition(|section| has_rows(section));
    for section in told {
        write_section(&mut text, section);
    }
    nothing(&mut text, &empty);
    text.push_str("</main>\n");
    footer(&mut text, report);
    text.push_str("</body>\n</html>\n");
    text
}

fn header(text: &mut String, report: &Report) {
    let (scope, as_of) = (&report.scope, &report.as_of);
    let day =
        |day: Option<u32>, else_is: &str| day.map_or_else(|| else_is.to_owned(), |day| Date(day).to_string());
    let period = format!(
        "{} to {}",
        day(scope.from, "the beginning"),
        day(scope.to, "the end")
    );
    let _ = write!(
        text,
        "<header>\n<p class=\"brand\">Tradewind</p>\n<h1>{}</h1>\n<dl>",
        escape(report.title)
    );
    let whose = if report.name == "groups" {
        "Node"
    } else {
        "Account"
    };
    let facts = [
        (whose, scope.account.clone()),
        ("Base currency", scope.currency.clone()),
        ("Trading dates", period),
        ("As of sequence", grouped(&as_of.seq.to_string())),
        ("As of time", instant(as_of.time_ns)),
    ];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(text, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(value));
    }
    text.push_str("</dl>\n</header>\n");
}

fn highlights(text: &mut String, highlights: &[Highlight]) {
    if highlights.is_empty() {
        return;
    }
    text.push_str("<section class=\"highlights\">");
    for highlight in highlights {
        let class = if highlight.cell.is_negative() {
            " class=\"neg\""
        } else {
            ""
        };
        let _ = write!(
            text,
            "<div><span>{}</span><strong{class}>{}</strong><em>{}</em></div>",
            escape(highlight.title),
            escape(&shown(&highlight.cell)),
            escape(&highlight.unit)
        );
    }
    text.push_str("</section>\n");
}

/// Links to the sections, with the number of their rows.
fn contents(text: &mut String, report: &Report) {
    if report.sections.len() < 3 {
        return;
    }
    text.push_str("<nav aria-label=\"Sections\">");
    for section in report.sections.iter().filter(|section| has_rows(section)) {
        let rows = section.rows.len() - section.totals;
        let _ = write!(
            text,
            "<a href=\"#{}\">{} <small>{}</small></a>",
            section.key,
            escape(section.title),
            grouped(&rows.to_string())
        );
    }
    text.push_str("</nav>\n");
}

/// True where there is something beside totals.
fn has_rows(section: &Section) -> bool {
    section.rows.len() > section.totals
}

/// Sections without rows, in one line.
fn nothing(text: &mut String, sections: &[&Section]) {
    if sections.is_empty() {
        return;
    }
    let titles: Vec<_> = sections.iter().map(|section| escape(section.title)).collect();
    let _ = writeln!(
        text,
        "<p class=\"empty\">Nothing in this period: {}.</p>",
        titles.join(", ")
    );
}

fn write_section(text: &mut String, section: &Section) {
    let _ = write!(
        text,
        "<section id=\"{}\">\n<h2>{}</h2>\n",
        section.key,
        escape(section.title)
    );
    let charts: Vec<&Chart> = section
        .charts
        .iter()
        .filter(|chart| says_something(chart))
        .collect();
    if !charts.is_empty() {
        let class = if charts.len() == 1 { "charts one" } else { "charts" };
        let _ = write!(text, "<div class=\"{class}\">");
        charts.iter().for_each(|chart| text.push_str(&svg(chart)));
        text.push_str("</div>\n");
    }
    table(text, section);
    text.push_str("</section>\n");
}

/// A picture of zeros is none.
fn says_something(chart: &Chart) -> bool {
    chart.series.points().iter().any(|point| point.1 != 0.0)
}

/// A column that is shown: where it stands, and whether it is one of figures, which it is where any of its cells is.
#[derive(Clone, Copy)]
struct Shown {
    at: usize,
    is_figure: bool,
}

/// The columns in which any row has something. Files have them all.
fn shown_columns(section: &Section) -> Vec<Shown> {
    let any = |at: usize, holds: fn(&Cell) -> bool| section.rows.iter().any(|row| holds(&row[at]));
    let columns = (0..section.columns.len()).filter(|&at| any(at, |cell| !cell.is_empty()));
    columns
        .map(|at| Shown {
            at,
            is_figure: any(at, Cell::is_figure),
        })
        .collect()
}

fn table(text: &mut String, section: &Section) {
    let columns = shown_columns(section);
    let class = if columns.len() > 9 { "wide" } else { "plain" };
    let _ = write!(
        text,
        "<div class=\"scroll\"><table class=\"{class}\">\n<thead><tr>"
    );
    for column in &columns {
        let class = if column.is_figure { " class=\"num\"" } else { "" };
        let title = escape(section.columns[column.at].title);
        let _ = write!(text, "<th scope=\"col\"{class}>{title}</th>");
    }
    text.push_str("</tr></thead>\n<tbody>\n");
    let body = section.rows.len() - section.totals;
    for (at, row) in section.rows.iter().enumerate() {
        text.push_str(if at < body { "<tr>" } else { "<tr class=\"total\">" });
        for (nth, column) in columns.iter().enumerate() {
            match &row[column.at] {
                // Of a row that begins with nothing the eye would take the next cell for its name.
                cell if nth == 0 && cell.is_empty() => text.push_str("<td>—</td>"),
                cell => write_cell(text, cell, column.is_figure),
            }
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody>\n</table></div>\n");
}

fn write_cell(text: &mut String, cell: &Cell, is_figure: bool) {
    let class = match (is_figure, cell.is_negative()) {
        (true, true) => " class=\"num neg\"",
        (true, false) => " class=\"num\"",
        (false, _) if matches!(cell, Cell::Time(_) | Cell::Day(_)) => " class=\"time\"",
        (false, _) if is_name(cell) => " class=\"name\"",
        (false, _) => "",
    };
    let title = match cell {
        Cell::Time(_) | Cell::Share(_) => format!(" title=\"{}\"", cell.plain()),
        _ => String::new(),
    };
    let _ = write!(text, "<td{class}{title}>{}</td>", escape(&shown(cell)));
}

fn footer(text: &mut String, report: &Report) {
    text.push_str("<footer>\n");
    for note in &report.notes {
        let _ = writeln!(text, "<p>{}</p>", escape(note));
    }
    let (from, same) = match report.has_tax_rules {
        true => (
            "the journal and the firm's file of tax rules",
            "The same journal with the same file gives",
        ),
        false => ("the journal alone", "The same journal gives"),
    };
    let _ = write!(
        text,
        "<p>Made from {from}, up to sequence {} of {}. {same} this page again, byte for byte.</p>\n</footer>\n",
        grouped(&report.as_of.seq.to_string()),
        instant(report.as_of.time_ns)
    );
}

/// A cell for eyes: separators, a true minus, returns in percent.
fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Time(ns) => instant(*ns),
        Cell::Share(figure) => grouped(&rounded(*figure)),
        Cell::None => String::new(),
        Cell::Day(_) => cell.plain(),
        _ => grouped(&cell.plain()),
    }
}

/// A short word with a hyphen, which is not torn there.
fn is_name(cell: &Cell) -> bool {
    matches!(cell, Cell::Text(text) if text.len() <= 24 && text.contains('-'))
}

/// Four decimals of an exact figure, or six of one below 0.01, halves to the even neighbour; all of them stand beside it.
fn rounded(figure: Figure) -> String {
    const UNIT: i128 = Figure::ONE.raw();
    let dp = if figure.raw().abs() < UNIT / 100 { 6 } else { 4 };
    let places = 10_i128.pow(dp);
    let Some(raw) = div_round(figure.raw(), UNIT / places, Rounding::HalfEven) else {
        return figure.to_string();
    };
    let sign = if raw < 0 { "-" } else { "" };
    let (whole, fraction) = (raw.abs() / places, raw.abs() % places);
    let text = format!("{sign}{whole}.{fraction:0width$}", width = dp as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A decimal with separators between thousands.
pub(super) fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("−", rest));
    let (whole, fraction) = digits
        .split_once('.')
        .map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut result = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            result.push(',');
        }
        result.push(digit);
    }
    if let Some(fraction) = fraction {
        let _ = write!(result, ".{fraction}");
    }
    result
}

/// An instant to the millisecond.
fn instant(ns: u64) -> String {
    let text = Rfc3339(ns).to_string();
    text.get(..23).map_or(text.clone(), |text| text.replace('T', " "))
}

/// Text that a browser shows and does not read.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let escaped = text
        .chars()
        .fold(String::with_capacity(text.len() + 16), |mut escaped, letter| {
            match letter {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                _ => escaped.push(letter),
            }
            escaped
        });
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_separators_and_a_true_minus() {
        let of = |text: &str| grouped(text);
        assert_eq!([of("0"), of("999"), of("1000")], ["0", "999", "1,000"]);
        assert_eq!([of("-1234567.89"), of("-12.5")], ["−1,234,567.89", "−12.5"]);
        let figure = |text: &str| rounded(Figure::from_raw(text.parse().unwrap()));
        assert_eq!(figure("1030470914127423822"), "1.0305");
        assert_eq!(figure("-6766123000000000"), "-0.006766");
        assert_eq!([figure("2000000000000000000"), figure("0")], ["2", "0"]);
        assert_eq!(figure("-999950000000000000"), "-1", "halves to even");
    }

    #[test]
    fn what_came_from_outside_is_shown_and_not_read() {
        assert_eq!(escape("<script>\"'&"), "&lt;script&gt;&quot;&#39;&amp;");
        assert_eq!(escape("plain"), "plain");
    }
}
