//! Spans (`15m`), times of day (`21:00`) and numbers as a policy writes them. No calendars, no zones.

use comeback_core::time::{DAY, HOUR, MINUTE, Millis, SECOND};

/// How a span is written, for messages.
pub(crate) const SPAN_FORM: &str = "a span is a whole number and a unit: \"30s\", \"15m\", \"24h\" or \"3d\"";

/// `30s`, `15m`, `24h`, `3d`. A day is 24 hours. One unit only, so that one span has few spellings.
pub(crate) fn parse_span(text: &str) -> Option<Millis> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => return None,
    };
    // Seven digits: ten years in seconds would already be too many, and nothing can overflow.
    if digits.is_empty() || digits.len() > 7 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<Millis>().ok()?.checked_mul(unit)
}

/// A span in the largest unit that divides it, as its author would have written it.
pub(crate) fn show_span(span: Millis) -> String {
    for (unit, letter) in [(DAY, 'd'), (HOUR, 'h'), (MINUTE, 'm')] {
        if span != 0 && span % unit == 0 {
            return format!("{}{letter}", span / unit);
        }
    }
    format!("{}s", span / SECOND)
}

/// `21:00` as minutes after midnight.
pub(crate) fn parse_time_of_day(text: &str) -> Option<u16> {
    let &[h1, h2, b':', m1, m2] = text.as_bytes() else {
        return None;
    };
    let two = |a: u8, b: u8| {
        (a.is_ascii_digit() && b.is_ascii_digit()).then(|| u16::from(a - b'0') * 10 + u16::from(b - b'0'))
    };
    let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// Numbers this long survive text -> f64 -> text unchanged, so a hash never depends on a formatter.
const MAX_DIGITS: usize = 15;
/// Below a millionth, number formats start to differ in when they use exponents.
const MAX_DECIMALS: usize = 6;

/// `150`, `0.25`, `-3`; else what a number looks like.
pub(crate) fn decimal(text: &str) -> Result<f64, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) =
        digits.split_once('.').map_or((digits, None), |(whole, decimals)| (whole, Some(decimals)));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let fits = plain(whole)
        && decimals.is_none_or(plain)
        && decimals.map_or(0, str::len) <= MAX_DECIMALS
        && whole.len() + decimals.map_or(0, str::len) <= MAX_DIGITS;
    match text.parse::<f64>() {
        // `-0` and `0` are one number and must be one text.
        Ok(value) if fits => Ok(if value == 0.0 { 0.0 } else { value }),
        _ => Err(format!(
            "a number has digits and perhaps a point: 150, 0.25; at most {MAX_DIGITS} digits, {MAX_DECIMALS} after the point"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let cases = [
            ("30s", Some(30_000)),
            ("15m", Some(900_000)),
            ("24h", Some(DAY)),
            ("3d", Some(3 * DAY)),
            ("0s", Some(0)),
            ("", None),
            ("m", None),
            ("15", None),
            ("-1m", None),
            ("+1m", None),
            ("1.5h", None),
            ("1h30m", None),
            ("15 m", None),
            ("15µ", None),
            ("99999999d", None),
        ];
        for (text, expect) in cases {
            assert_eq!(parse_span(text), expect, "{text}");
        }
        for text in ["30s", "15m", "3d", "0s", "90m"] {
            assert_eq!(show_span(parse_span(text).unwrap()), text);
        }
        assert_eq!(show_span(DAY), "1d");
    }

    #[test]
    fn times_of_day() {
        let cases = [
            ("00:00", Some(0)),
            ("21:30", Some(1290)),
            ("23:59", Some(1439)),
            ("24:00", None),
            ("9:00", None),
            ("21.00", None),
            ("21:60", None),
            ("2१:00", None),
        ];
        for (text, expect) in cases {
            assert_eq!(parse_time_of_day(text), expect, "{text}");
        }
    }
}
