//! Amounts as whole minor units with their currency. No floating point is kept, no rate is applied.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Currencies without a minor unit (ISO 4217).
const WITHOUT_MINOR: [[u8; 3]; 17] = [
    *b"BIF", *b"CLP", *b"DJF", *b"GNF", *b"ISK", *b"JPY", *b"KMF", *b"KRW", *b"PYG", *b"RWF", *b"UGX",
    *b"UYI", *b"VND", *b"VUV", *b"XAF", *b"XOF", *b"XPF",
];
/// Those whose minor unit is a thousandth.
const THOUSANDTHS: [[u8; 3]; 7] = [*b"BHD", *b"IQD", *b"JOD", *b"KWD", *b"LYD", *b"OMR", *b"TND"];

/// An ISO 4217 alphabetic code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// A currency text was not three capital letters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an ISO 4217 code of three capital letters")]
pub struct CurrencyError;

impl Currency {
    /// ISO 4217's code for none.
    pub const NONE: Self = Self(*b"XXX");

    /// Checks the form of a code.
    pub fn parse(code: &str) -> Result<Self, CurrencyError> {
        match code.as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|x| x.is_ascii_uppercase()) => Ok(Self([*a, *b, *c])),
            _ => Err(CurrencyError),
        }
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Decimal places of the minor unit (ISO 4217): 2 for most, 0 for the yen, 3 for the dinars.
    #[must_use]
    pub fn exponent(self) -> u32 {
        // Tables, not patterns: the page pays for those by the byte.
        if WITHOUT_MINOR.contains(&self.0) {
            0
        } else if THOUSANDTHS.contains(&self.0) {
            3
        } else {
            2
        }
    }

    /// Reads a decimal text such as `199.00` into minor units, exactly: digits beyond the minor
    /// unit must be zero.
    #[must_use]
    pub fn minor_from_decimal(self, text: &str) -> Option<i64> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() || whole.len() > 12 || fraction.len() > 12 {
            return None;
        }
        let places = self.exponent() as usize;
        let mut minor: i64 = 0;
        for b in whole.bytes().chain(fraction.bytes().chain(core::iter::repeat(b'0')).take(places)) {
            if !b.is_ascii_digit() {
                return None;
            }
            minor = minor.checked_mul(10)?.checked_add(i64::from(b - b'0'))?;
        }
        if fraction.bytes().skip(places).any(|b| b != b'0') {
            return None;
        }
        Some(if negative { -minor } else { minor })
    }

    /// Reads a GA4 number (major units) into minor units, rounded to the nearest.
    #[must_use]
    pub fn minor_from_number(self, major: f64) -> Option<i64> {
        const LIMIT: f64 = 1e12;
        let factor = match self.exponent() {
            0 => 1.0,
            3 => 1000.0,
            _ => 100.0,
        };
        let minor = major * factor;
        if !minor.is_finite() || minor.abs() > LIMIT {
            return None;
        }
        // In range by the check above; rounding by hand keeps libm out of the browser.
        #[expect(clippy::cast_possible_truncation, reason = "bounded by LIMIT above")]
        Some(if minor < 0.0 { (minor - 0.5) as i64 } else { (minor + 0.5) as i64 })
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyError;
    fn try_from(code: String) -> Result<Self, CurrencyError> {
        Self::parse(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

/// An amount in minor units of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Minor units: cents for EUR, yen for JPY.
    pub minor: i64,
    /// The currency that `minor` counts in.
    pub currency: Currency,
}

/// `409.94 USD`: plain digits and the code, the same in every locale and safe in plain text.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.currency.exponent() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let scale = 10_u64.pow(self.currency.exponent());
        let value = self.minor.unsigned_abs();
        if places == 0 {
            write!(f, "{sign}{value} {}", self.currency.code())
        } else {
            write!(f, "{sign}{}.{:0places$} {}", value / scale, value % scale, self.currency.code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn minor_units_are_those_that_the_page_goes_by() {
        let text = include_str!("../../../tests/vectors/currencies.json");
        let vectors: serde_json::Value = serde_json::from_str(text).unwrap();
        let list = |name: &str| vectors[name].as_array().unwrap().iter().map(|code| code.as_str().unwrap());
        assert!(list("whole").all(|code| currency(code).exponent() == 0));
        assert!(list("thousandths").all(|code| currency(code).exponent() == 3));
        assert_eq!(
            (list("whole").count(), list("thousandths").count()),
            (WITHOUT_MINOR.len(), THOUSANDTHS.len())
        );
    }

    #[test]
    fn decimals_are_read_exactly() {
        let cases = [
            ("USD", "199.00", Some(19_900)),
            ("USD", "0.1", Some(10)),
            ("USD", "-3.50", Some(-350)),
            ("USD", "1.005", None),
            ("USD", "1.0000", Some(100)),
            ("JPY", "1200", Some(1200)),
            ("JPY", "1200.50", None),
            ("KWD", "1.234", Some(1234)),
            ("USD", "", None),
            ("USD", ".5", None),
            ("USD", "1e3", None),
            ("USD", "９", None),
            ("USD", "9999999999999", None),
        ];
        for (code, text, expect) in cases {
            assert_eq!(currency(code).minor_from_decimal(text), expect, "{code} {text}");
        }
    }

    #[test]
    fn numbers_round_to_the_nearest_minor_unit() {
        assert_eq!(currency("EUR").minor_from_number(19.99), Some(1999));
        assert_eq!(currency("EUR").minor_from_number(-19.99), Some(-1999));
        assert_eq!(currency("EUR").minor_from_number(f64::NAN), None);
        assert_eq!(currency("EUR").minor_from_number(1e300), None);
    }

    #[test]
    fn amounts_print_with_their_minor_unit() {
        assert_eq!(Money { minor: 40_994, currency: currency("USD") }.to_string(), "409.94 USD");
        assert_eq!(Money { minor: -5, currency: currency("EUR") }.to_string(), "-0.05 EUR");
        assert_eq!(Money { minor: 1200, currency: currency("JPY") }.to_string(), "1200 JPY");
    }
}
