//! Figures as text of few columns. Decimals stay integers; what is cut is rounded half away from zero.

use crate::output;

/// Units of a decimal: 1e-8.
const DP: usize = 8;

/// A decimal text in units of 1e-8; `None` for anything else.
pub(super) fn units(text: &str) -> Option<i128> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_plain = !whole.is_empty() && fraction.len() <= DP;
    let all = format!("{whole}{fraction:0<DP$}");
    if !is_plain || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let units: i128 = all.parse().ok()?;
    Some(if is_negative { -units } else { units })
}

/// Money with separators and so many decimals.
pub(super) fn money(units: i128, places: u32) -> String {
    let step = 10_u128.pow(DP as u32 - places);
    let rounded = units.unsigned_abs().saturating_add(step / 2) / step;
    let one = 10_u128.pow(places);
    let minus = if units < 0 && rounded != 0 { "-" } else { "" };
    let whole = output::count(u64::try_from(rounded / one).unwrap_or(u64::MAX));
    match places {
        0 => format!("{minus}{whole}"),
        _ => format!(
            "{minus}{whole}.{:0width$}",
            rounded % one,
            width = places as usize
        ),
    }
}

/// Money text with two decimals; a dash for nothing.
pub(super) fn money_of(text: Option<&str>) -> String {
    text.and_then(units).map_or_else(dash, |units| money(units, 2))
}

/// Money with its sign, also above zero: a profit is told by more than its colour.
pub(super) fn signed(units: i128, places: u32) -> String {
    let text = money(units, places);
    if units > 0 { format!("+{text}") } else { text }
}

/// A large figure in few places: 1.24M.
pub(super) fn short(units: i128) -> String {
    const STEPS: [(u128, &str); 4] = [
        (1_000_000_000_000, "T"),
        (1_000_000_000, "B"),
        (1_000_000, "M"),
        (1_000, "k"),
    ];
    let minus = if units < 0 { "-" } else { "" };
    let whole = units.unsigned_abs() / 10_u128.pow(DP as u32);
    match STEPS.iter().find(|(step, _)| whole >= *step) {
        Some((step, letter)) => {
            let hundredths = whole * 100 / step;
            format!("{minus}{}.{:02}{letter}", hundredths / 100, hundredths % 100)
        }
        None => format!("{minus}{whole}"),
    }
}

/// A price or quantity as it was sent, with separators.
pub(super) fn plain(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(a, b)| (a, Some(b)));
    let (minus, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |digits| ("-", digits));
    let whole = digits.parse().map_or_else(|_| digits.to_owned(), output::count);
    match fraction {
        // Averages have many decimals; five say enough.
        Some(fraction) => format!("{minus}{whole}.{}", fraction.get(..5).unwrap_or(fraction)),
        None => format!("{minus}{whole}"),
    }
}

/// Nanoseconds in the unit that suits them.
pub(super) fn span(ns: Option<u64>) -> String {
    let Some(ns) = ns else { return dash() };
    let in_unit = |unit: u64, name: &str| {
        let tenths = ns / (unit / 10);
        if tenths >= 1_000 {
            format!("{} {name}", tenths / 10)
        } else {
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
    };
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => in_unit(1_000, "us"),
        1_000_000..1_000_000_000 => in_unit(1_000_000, "ms"),
        _ => in_unit(1_000_000_000, "s"),
    }
}

/// Seconds for a person: 45 s, 12 min, 3 h 20 min.
pub(super) fn lasting(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// Time of day of an RFC 3339 text.
pub(super) fn time_of_day(text: &str) -> &str {
    text.get(11..19).unwrap_or("")
}

pub(super) fn dash() -> String {
    "-".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_rounded_and_never_goes_through_floats() {
        let shown = |text: &str, places| money(units(text).unwrap(), places);
        assert_eq!(shown("1234567.895", 2), "1,234,567.90");
        assert_eq!(shown("-0.004", 2), "0.00");
        assert_eq!(shown("-0.005", 2), "-0.01");
        assert_eq!(shown("99.5", 0), "100");
        assert_eq!(signed(units("12").unwrap(), 2), "+12.00");
        assert_eq!(short(units("12345678.9").unwrap()), "12.34M");
        assert_eq!(short(units("-999").unwrap()), "-999");
        for text in ["", "-", "1e5", "1.2.3", "1.123456789", "+1"] {
            assert_eq!(units(text), None, "{text}");
        }
    }

    #[test]
    fn spans_have_the_unit_that_suits_them() {
        assert_eq!(span(Some(999)), "999 ns");
        assert_eq!(span(Some(1_540)), "1.5 us");
        assert_eq!(span(Some(154_000)), "154 us");
        assert_eq!(span(Some(2_000_000)), "2.0 ms");
        assert_eq!(span(None), "-");
        assert_eq!(lasting(3_725), "1 h 2 min");
    }

    #[test]
    fn prices_keep_their_decimals() {
        assert_eq!(plain("-61420.51"), "-61,420.51");
        assert_eq!(plain("0.416666666"), "0.41666");
        assert_eq!(plain("300"), "300");
    }
}
