//! Typed, forgiving reading of one TOML table: each getter reports what is wrong with its key and
//! goes on, so that one run finds every error. Knows TOML, not policies.

use core::ops::{Range, RangeInclusive};

use comeback_core::time::Millis;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::Report;
use crate::quantity::{SPAN_FORM, parse_span, show_span};
use crate::suggest::did_you_mean;

/// A value and where it is written.
pub(crate) type Value<'d> = &'d Spanned<DeValue<'d>>;

/// A table of the document, or the absence of one, which reads like an empty table.
#[derive(Clone)]
pub(crate) struct Section<'d> {
    /// How messages call it: `[caps]`.
    title: String,
    span: Range<usize>,
    entries: Option<&'d DeTable<'d>>,
}

impl<'d> Section<'d> {
    /// Opens a table that may hold only the known keys; others are reported here, once.
    pub(crate) fn open(
        report: &mut Report<'_>,
        title: &str,
        span: Range<usize>,
        entries: &'d DeTable<'d>,
        known: &[&str],
    ) -> Self {
        for (key, _) in entries {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                report.error(
                    key.span(),
                    format!("unknown key `{name}` in {title}"),
                    did_you_mean(name, known.iter().copied()),
                );
            }
        }
        Self { title: title.to_owned(), span, entries: Some(entries) }
    }

    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    fn get(&self, key: &str) -> Option<Value<'d>> {
        self.entries.and_then(|entries| entries.get(key))
    }

    /// Where a key's value stands, else the table itself.
    pub(crate) fn span_of(&self, key: &str) -> Range<usize> {
        self.get(key).map_or_else(|| self.span(), Spanned::span)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Whether a key holds a list without elements (which a missing key does not).
    pub(crate) fn is_empty_list(&self, key: &str) -> bool {
        self.get(key).and_then(|value| value.get_ref().as_array()).is_some_and(|list| list.is_empty())
    }

    /// Reports a key that must be there and is not.
    pub(crate) fn require(&self, report: &mut Report<'_>, key: &str) {
        if !self.has(key) {
            let message = if self.entries.is_some() {
                format!("{} needs `{key}`", self.title)
            } else {
                format!("the policy needs a table {} with `{key}`", self.title)
            };
            report.error(self.span(), message, None);
        }
    }

    /// A sub-table; when absent it reads as empty.
    pub(crate) fn table(&self, report: &mut Report<'_>, key: &str, title: &str, known: &[&str]) -> Self {
        let absent = Self { title: title.to_owned(), span: self.span(), entries: None };
        match self.get(key) {
            None => absent,
            Some(value) => match value.get_ref() {
                DeValue::Table(entries) => Self::open(report, title, value.span(), entries, known),
                other => {
                    wrong_type(report, value, key, &format!("a table {title}"), other);
                    absent
                }
            },
        }
    }

    /// The tables of an array of tables; empty when absent.
    pub(crate) fn tables(
        &self,
        report: &mut Report<'_>,
        key: &str,
        title: &str,
        known: &[&str],
        at_most: usize,
    ) -> Vec<Self> {
        let mut found = Vec::new();
        for value in self.list(report, key, &format!("a list of tables {title}"), at_most) {
            match value.get_ref() {
                DeValue::Table(entries) => {
                    found.push(Self::open(report, title, value.span(), entries, known));
                }
                other => wrong_type(report, value, key, &format!("a list of tables {title}"), other),
            }
        }
        found
    }

    /// The elements of an array; empty when absent.
    pub(crate) fn list(
        &self,
        report: &mut Report<'_>,
        key: &str,
        expected: &str,
        at_most: usize,
    ) -> Vec<Value<'d>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        match value.get_ref() {
            DeValue::Array(elements) => {
                if elements.len() > at_most {
                    report.error(
                        value.span(),
                        format!("`{key}` has {} entries, at most {at_most} are allowed", elements.len()),
                        None,
                    );
                }
                elements.iter().take(at_most).collect()
            }
            other => {
                wrong_type(report, value, key, expected, other);
                Vec::new()
            }
        }
    }

    /// A string.
    pub(crate) fn text(
        &self,
        report: &mut Report<'_>,
        key: &str,
        at_most: usize,
    ) -> Option<Spanned<&'d str>> {
        let value = self.get(key)?;
        let text = expect_text(report, value, key)?;
        if text.chars().count() > at_most {
            report.error(value.span(), format!("`{key}` is longer than {at_most} characters"), None);
            return None;
        }
        Some(Spanned::new(value.span(), text))
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, report: &mut Report<'_>, key: &str) -> Option<bool> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            other => {
                wrong_type(report, value, key, "true or false", other);
                None
            }
        }
    }

    /// A whole number within a range.
    pub(crate) fn whole<N: TryFrom<i64>>(
        &self,
        report: &mut Report<'_>,
        key: &str,
        range: RangeInclusive<i64>,
    ) -> Option<N> {
        let value = self.get(key)?;
        let DeValue::Integer(number) = value.get_ref() else {
            wrong_type(report, value, key, "a whole number", value.get_ref());
            return None;
        };
        let number = i64::from_str_radix(number.as_str(), number.radix()).ok().filter(|n| range.contains(n));
        if number.is_none() {
            report.error(
                value.span(),
                format!("`{key}` must be a whole number from {} to {}", range.start(), range.end()),
                None,
            );
        }
        number.and_then(|n| N::try_from(n).ok())
    }

    /// A span of time within a range.
    pub(crate) fn duration(
        &self,
        report: &mut Report<'_>,
        key: &str,
        range: RangeInclusive<Millis>,
    ) -> Option<Millis> {
        let value = self.get(key)?;
        let text = match value.get_ref() {
            DeValue::String(text) => text,
            other => {
                wrong_type(report, value, key, "a span such as \"15m\"", other);
                return None;
            }
        };
        let Some(span) = parse_span(text) else {
            report.error(
                value.span(),
                format!("`{key}` is not a span of time: \"{text}\""),
                Some(SPAN_FORM.to_owned()),
            );
            return None;
        };
        if !range.contains(&span) {
            let (least, most) = (show_span(*range.start()), show_span(*range.end()));
            report.error(value.span(), format!("`{key}` must be from {least} to {most}"), None);
            return None;
        }
        Some(span)
    }
}

/// The string in a value, or a report.
pub(crate) fn expect_text<'d>(report: &mut Report<'_>, value: Value<'d>, key: &str) -> Option<&'d str> {
    match value.get_ref() {
        DeValue::String(text) => Some(text.as_ref()),
        other => {
            wrong_type(report, value, key, "a string", other);
            None
        }
    }
}

fn wrong_type(report: &mut Report<'_>, at: Value<'_>, key: &str, expected: &str, found: &DeValue<'_>) {
    let found = match found {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    report.error(at.span(), format!("`{key}` must be {expected}, not {found}"), None);
}
