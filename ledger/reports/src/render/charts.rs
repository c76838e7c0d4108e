//! Small pictures as inline SVG: no script, no font, no file of their own.
//!
//! Places are rounded to a tenth of a pixel, so that the same figures give the same bytes.

use super::html::{escape, grouped};
use crate::model::{Chart, Series};
use std::fmt::Write;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 180.0;
const LEFT: f64 = 8.0;
const RIGHT: f64 = 74.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 24.0;
/// Of a picture with named bars.
const ROW: f64 = 24.0;
const NAME: f64 = 150.0;
const FIGURE: f64 = 92.0;

/// Draws a picture.
pub(super) fn svg(chart: &Chart) -> String {
    let mut text = String::from("<figure>");
    let _ = write!(text, "<figcaption>{}</figcaption>", escape(&chart.title));
    match &chart.series {
        Series::Ranked(points) => ranked(&mut text, &chart.title, points),
        Series::Bars(points) => framed(&mut text, &chart.title, points, bars),
        Series::Line(points) => framed(&mut text, &chart.title, points, line),
    }
    text.push_str("</figure>");
    text
}

/// Zero and the extremes of the points, never all the same.
struct Scale {
    low: f64,
    high: f64,
    count: usize,
}

impl Scale {
    fn of(points: &[(String, f64)], from_zero: bool) -> Self {
        let start = if from_zero {
            0.0
        } else {
            points.first().map_or(0.0, |point| point.1)
        };
        let low = points.iter().map(|point| point.1).fold(start, f64::min);
        let high = points.iter().map(|point| point.1).fold(start, f64::max);
        let (low, high) = if low < high {
            (low, high)
        } else {
            (low - 1.0, high + 1.0)
        };
        Self {
            low,
            high,
            count: points.len().max(1),
        }
    }

    fn y(&self, value: f64) -> f64 {
        let share = (self.high - value) / (self.high - self.low);
        TOP + share * (HEIGHT - TOP - BOTTOM)
    }

    fn step(&self) -> f64 {
        (WIDTH - LEFT - RIGHT) / self.count as f64
    }

    fn x(&self, at: usize) -> f64 {
        LEFT + (at as f64 + 0.5) * self.step()
    }
}

type Draw = fn(&mut String, &[(String, f64)]) -> Scale;

/// A picture with the extremes at its right and the first and last name below.
fn framed(text: &mut String, title: &str, points: &[(String, f64)], draw: Draw) {
    let _ = write!(
        text,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        escape(title)
    );
    let mut inner = String::new();
    let scale = draw(&mut inner, points);
    let levels = [scale.high, scale.low, 0.0];
    let is_apart = |at: usize| (scale.y(0.0) - scale.y(levels[at])).abs() > 14.0;
    for (at, level) in levels.iter().enumerate() {
        let is_zero = at == 2;
        if is_zero && !(scale.low <= 0.0 && scale.high >= 0.0 && is_apart(0) && is_apart(1)) {
            continue;
        }
        let y = scale.y(*level);
        let _ = write!(
            text,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            WIDTH - RIGHT,
            WIDTH - RIGHT + 6.0,
            y + 4.0,
            short(*level)
        );
    }
    text.push_str(&inner);
    if let (Some(first), Some(last)) = (points.first(), points.last()) {
        let y = HEIGHT - 6.0;
        let _ = write!(
            text,
            "<text class=\"axis\" x=\"{LEFT}\" y=\"{y}\">{}</text>",
            escape(&first.0)
        );
        if points.len() > 1 {
            let x = WIDTH - RIGHT;
            let _ = write!(
                text,
                "<text class=\"axis end\" x=\"{x}\" y=\"{y}\">{}</text>",
                escape(&last.0)
            );
        }
    }
    text.push_str("</svg>");
}

fn bars(text: &mut String, points: &[(String, f64)]) -> Scale {
    let scale = Scale::of(points, true);
    let width = (scale.step() * 0.72).min(36.0);
    for (at, (name, value)) in points.iter().enumerate() {
        let (top, bottom) = (scale.y(value.max(0.0)), scale.y(value.min(0.0)));
        let _ = write!(
            text,
            "<rect class=\"{}\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{:.1}\" rx=\"1.5\"><title>{}: {}</title></rect>",
            sign(*value),
            scale.x(at) - width / 2.0,
            (bottom - top).max(0.8),
            escape(name),
            short(*value)
        );
    }
    scale
}

fn line(text: &mut String, points: &[(String, f64)]) -> Scale {
    let scale = Scale::of(points, false);
    let mut path = String::new();
    for (at, (_, value)) in points.iter().enumerate() {
        let command = if at == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{command}{:.1} {:.1}", scale.x(at), scale.y(*value));
    }
    if let Some((_, last)) = points.last() {
        let (from, to, base) = (scale.x(0), scale.x(points.len() - 1), scale.y(scale.low));
        let _ = write!(
            text,
            "<path class=\"area\" d=\"{path}L{to:.1} {base:.1}L{from:.1} {base:.1}Z\"/>"
        );
        let _ = write!(text, "<path class=\"line\" d=\"{path}\"/>");
        let _ = write!(
            text,
            "<circle class=\"dot\" cx=\"{to:.1}\" cy=\"{:.1}\" r=\"3\"/>",
            scale.y(*last)
        );
    }
    scale
}

/// Bars from a common zero, with their names at the left and figures at the right.
fn ranked(text: &mut String, title: &str, points: &[(String, f64)]) {
    let height = ROW * points.len() as f64 + 4.0;
    let low = points.iter().map(|point| point.1).fold(0.0, f64::min);
    let high = points.iter().map(|point| point.1).fold(0.0, f64::max);
    let room = WIDTH - NAME - FIGURE;
    let scale = if high > low { room / (high - low) } else { 0.0 };
    let zero = NAME - low * scale;
    let _ = write!(
        text,
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">",
        escape(title)
    );
    for (at, (name, value)) in points.iter().enumerate() {
        let y = 2.0 + ROW * at as f64;
        let (x, width) = (zero + (value * scale).min(0.0), (value * scale).abs().max(0.8));
        let _ = write!(
            text,
            "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text><rect class=\"{}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\" rx=\"1.5\"/><text class=\"axis end\" x=\"{WIDTH}\" y=\"{:.1}\">{}</text>",
            NAME - 8.0,
            y + ROW * 0.66,
            escape(&clipped(name)),
            sign(*value),
            y + 4.0,
            ROW - 8.0,
            y + ROW * 0.66,
            short(*value)
        );
    }
    let _ = write!(
        text,
        "<line class=\"zero\" x1=\"{zero:.1}\" x2=\"{zero:.1}\" y1=\"0\" y2=\"{height}\"/></svg>"
    );
}

fn sign(value: f64) -> &'static str {
    if value < 0.0 { "down" } else { "up" }
}

/// A name that fits beside its bar.
fn clipped(name: &str) -> String {
    const MAX: usize = 20;
    if name.chars().count() <= MAX {
        return name.to_owned();
    }
    let head: String = name.chars().take(MAX - 1).collect();
    format!("{head}…")
}

/// A figure for a picture: four digits and a unit. The exact one stands in the table.
fn short(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        size if size >= 1e9 => (value / 1e9, "bn"),
        size if size >= 1e6 => (value / 1e6, "m"),
        size if size >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let decimals = match scaled.abs() {
        size if size >= 1_000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 10.0 || !unit.is_empty() => 2,
        _ => 4,
    };
    let text = format!("{scaled:.decimals$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text.as_str(),
    };
    let text = if text == "-0" { "0" } else { text };
    format!("{}{unit}", grouped(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_pictures_have_four_digits_and_a_unit() {
        let shown = [0.0, 1.0, -1.5, 12.345, 1234.5, 12_345.0, -1_234_567.0, 2e9, -1e-9].map(short);
        assert_eq!(
            shown,
            ["0", "1", "−1.5", "12.35", "1,234", "12.35k", "−1.23m", "2bn", "0"]
        );
    }

    #[test]
    fn a_picture_of_nothing_or_of_one_value_is_drawn() {
        for points in [
            vec![],
            vec![("a".to_owned(), 0.0)],
            vec![("<b>".to_owned(), -2.0); 3],
        ] {
            for series in [
                Series::Line(points.clone()),
                Series::Bars(points.clone()),
                Series::Ranked(points.clone()),
            ] {
                let text = svg(&Chart {
                    title: "x < y".to_owned(),
                    series,
                });
                assert!(
                    !text.contains("NaN") && !text.contains("inf") && !text.contains("<b>"),
                    "{text}"
                );
            }
        }
    }
}
