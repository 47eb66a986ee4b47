//! Typed, forgiving reading of one TOML table against its [`Table`]: each getter reports what is wrong
//! with its key and goes on, so that one run finds every error. Knows TOML, not policies.

use core::ops::Range;
use std::collections::BTreeMap;

use comeback_core::time::Millis;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::Report;
use crate::quantity::{SPAN_FORM, decimal, parse_span, parse_time_of_day, show_span};
use crate::shape::{Form, MAX_CLASS, MAX_CLASSES, MAX_NAME, Table, Without};
use crate::suggest::did_you_mean;
use crate::word::country;

/// A value and where it is written.
type Value<'d> = &'d Spanned<DeValue<'d>>;

/// A word and where it is written.
pub(crate) type Word<'d> = Spanned<&'d str>;

/// A table of the document, or the absence of one, which reads like an empty table.
#[derive(Clone)]
pub(crate) struct Section<'d> {
    table: &'static Table,
    span: Range<usize>,
    entries: Option<&'d DeTable<'d>>,
}

impl<'d> Section<'d> {
    /// Opens a table: keys that it does not know or that it needs and lacks are reported here, once.
    pub(crate) fn open(
        report: &mut Report<'_>,
        table: &'static Table,
        span: Range<usize>,
        entries: &'d DeTable<'d>,
    ) -> Self {
        for (key, _) in entries {
            let name = key.get_ref().as_ref();
            if table.key(name).is_none() {
                let help = did_you_mean(name, table.keys.iter().map(|key| key.name));
                report.error(key.span(), format!("unknown key `{name}` in {}", table.title), help);
            }
        }
        let section = Self { table, span, entries: Some(entries) };
        for key in table.keys.iter().filter(|key| key.without == Without::Error) {
            section.require(report, key.name);
        }
        section
    }

    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    fn get(&self, key: &str) -> Option<Value<'d>> {
        self.entries.and_then(|entries| entries.get(key))
    }

    /// Its keys, each with the place of its value.
    pub(crate) fn places(&self) -> impl Iterator<Item = (&'d str, Range<usize>)> {
        self.entries.into_iter().flatten().map(|(key, value)| (key.get_ref().as_ref(), value.span()))
    }

    /// Where a key's value stands, else the table itself.
    pub(crate) fn span_of(&self, key: &str) -> Range<usize> {
        self.get(key).map_or_else(|| self.span(), Spanned::span)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Reports a key that must be there and is not.
    pub(crate) fn require(&self, report: &mut Report<'_>, key: &str) {
        if !self.has(key) {
            let title = self.table.title;
            let message = match self.table.key(key).map(|key| &key.form) {
                Some(Form::Tables(of, 1, _)) if of.title.starts_with('[') => {
                    format!("{title} needs at least one {}", of.title)
                }
                Some(Form::Table(of)) => format!("{title} needs a table {}", of.title),
                _ => format!("{title} needs `{key}`"),
            };
            report.error(self.span(), message, None);
        }
    }

    /// The form of a key that the table must know: the reader asks for no others.
    fn form(&self, key: &str) -> &'static Form {
        debug_assert!(self.table.key(key).is_some(), "{} has no `{key}`", self.table.title);
        self.table.key(key).map_or(&Form::Flag, |key| &key.form)
    }

    /// A sub-table; when absent it reads as empty.
    pub(crate) fn table(&self, report: &mut Report<'_>, key: &str) -> Self {
        let Form::Table(table) = self.form(key) else {
            return self.clone();
        };
        let absent = Self { table, span: self.span(), entries: None };
        match self.get(key) {
            None => absent,
            Some(value) => match value.get_ref() {
                DeValue::Table(entries) => Self::open(report, table, value.span(), entries),
                other => {
                    wrong_type(report, value, key, &format!("a table {}", table.title), other);
                    absent
                }
            },
        }
    }

    /// The tables of a list of tables; empty when absent.
    pub(crate) fn tables(&self, report: &mut Report<'_>, key: &str) -> Vec<Self> {
        let Form::Tables(table, least, most) = self.form(key) else {
            return Vec::new();
        };
        let expected = format!("a list of tables {}", table.title);
        let mut found = Vec::new();
        for value in self.list(report, key, &expected, *least, *most) {
            match value.get_ref() {
                DeValue::Table(entries) => found.push(Self::open(report, table, value.span(), entries)),
                other => wrong_type(report, value, key, &expected, other),
            }
        }
        found
    }

    /// The elements of a list; empty when absent.
    fn list(
        &self,
        report: &mut Report<'_>,
        key: &str,
        expected: &str,
        least: usize,
        most: usize,
    ) -> Vec<Value<'d>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        match value.get_ref() {
            DeValue::Array(elements) => {
                let count = elements.len();
                if count > most {
                    let message = format!("`{key}` has {count} entries, at most {most} are allowed");
                    report.error(value.span(), message, None);
                } else if count < least {
                    let message = match (self.table.title, key) {
                        ("a step", "channel") => "a step has at least one channel".to_owned(),
                        ("[[sequence]]", "steps") => "a sequence has at least one step".to_owned(),
                        _ => format!("`{key}` has {count} entries, at least {least} are needed"),
                    };
                    report.error(value.span(), message, None);
                }
                elements.iter().take(most).collect()
            }
            other => {
                wrong_type(report, value, key, expected, other);
                Vec::new()
            }
        }
    }

    /// The strings of a list; empty when absent.
    fn strings(
        &self,
        report: &mut Report<'_>,
        key: &str,
        example: &str,
        least: usize,
        most: usize,
    ) -> Vec<Word<'d>> {
        let expected = format!("a list such as {example}");
        let values = self.list(report, key, &expected, least, most);
        values
            .into_iter()
            .filter_map(|value| Some(Spanned::new(value.span(), expect_text(report, value, key)?)))
            .collect()
    }

    /// A string, of whatever kind the key asks for. Whether a name or condition is one is the caller's.
    pub(crate) fn text(&self, report: &mut Report<'_>, key: &str) -> Option<Word<'d>> {
        let most = match self.form(key) {
            Form::Text(most) => *most,
            Form::Condition => crate::condition::MAX_LENGTH,
            Form::Zone => 64,
            _ => MAX_NAME,
        };
        let value = self.get(key)?;
        let text = expect_text(report, value, key)?;
        if text.chars().count() > most {
            report.error(value.span(), format!("`{key}` is longer than {most} characters"), None);
            return None;
        }
        Some(Spanned::new(value.span(), text))
    }

    /// A word of the key's closed list.
    pub(crate) fn word(&self, report: &mut Report<'_>, key: &str, what: &str) -> Option<&'static str> {
        let Form::Word(known) = self.form(key) else {
            return None;
        };
        let text = self.text(report, key)?;
        one_of(report, &text, known, what)
    }

    /// Words of the key's closed list, each once.
    pub(crate) fn words(&self, report: &mut Report<'_>, key: &str, what: &str) -> Vec<&'static str> {
        let Form::Words(known) = self.form(key) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for text in self.strings(report, key, &format!("[\"{}\"]", known[0]), 1, known.len()) {
            if let Some(word) = one_of(report, &text, known, what) {
                if found.contains(&word) {
                    report.error(text.span(), format!("{what} \"{word}\" is named twice"), None);
                } else {
                    found.push(word);
                }
            }
        }
        found
    }

    /// Names of other parts, each once; whether they exist is the caller's.
    pub(crate) fn names(&self, report: &mut Report<'_>, key: &str) -> Vec<Word<'d>> {
        let (least, most) = match self.form(key) {
            Form::Names(least, most) => (*least, *most),
            _ => (0, MAX_CLASSES),
        };
        self.unique(report, key, "[\"one\", \"another\"]", least, most)
    }

    /// Free words such as product classes, sorted.
    pub(crate) fn classes(&self, report: &mut Report<'_>, key: &str) -> Vec<String> {
        let words = self.unique(report, key, "[\"furniture\"]", 0, MAX_CLASSES);
        let mut classes: Vec<String> = words
            .into_iter()
            .filter(|word| is_class(report, word.get_ref(), word.span()))
            .map(|word| word.into_inner().to_owned())
            .collect();
        classes.sort();
        classes
    }

    /// Strings of a list, each once.
    pub(crate) fn unique(
        &self,
        report: &mut Report<'_>,
        key: &str,
        example: &str,
        least: usize,
        most: usize,
    ) -> Vec<Word<'d>> {
        let mut found: Vec<Word<'d>> = Vec::new();
        for text in self.strings(report, key, example, least, most) {
            if found.iter().any(|other| other.get_ref() == text.get_ref()) {
                report.error(text.span(), format!("`{key}` names \"{}\" twice", text.get_ref()), None);
            } else {
                found.push(text);
            }
        }
        found
    }

    /// Country codes.
    pub(crate) fn countries(&self, report: &mut Report<'_>, key: &str) -> Vec<String> {
        let words = self.unique(report, key, "[\"FR\"]", 1, MAX_CLASSES);
        words.into_iter().filter_map(|word| expect_country(report, &word)).collect()
    }

    /// A country code.
    pub(crate) fn country(&self, report: &mut Report<'_>, key: &str) -> Option<String> {
        let text = self.text(report, key)?;
        expect_country(report, &text)
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

    /// A whole number within the key's bounds.
    pub(crate) fn whole<N: TryFrom<i64>>(&self, report: &mut Report<'_>, key: &str) -> Option<N> {
        let Form::Whole(least, most) = self.form(key) else {
            return None;
        };
        let value = self.get(key)?;
        let DeValue::Integer(number) = value.get_ref() else {
            wrong_type(report, value, key, "a whole number", value.get_ref());
            return None;
        };
        let number = i64::from_str_radix(number.as_str(), number.radix()).ok();
        let number = number.filter(|number| (least..=most).contains(&number));
        if number.is_none() {
            report.error(
                value.span(),
                format!("`{key}` must be a whole number from {least} to {most}"),
                None,
            );
        }
        number.and_then(|number| N::try_from(number).ok())
    }

    /// A number within the key's bounds.
    pub(crate) fn number(&self, report: &mut Report<'_>, key: &str) -> Option<f64> {
        let Form::Number(least, most) = self.form(key) else {
            return None;
        };
        let value = self.get(key)?;
        number(report, value, key, *least, *most)
    }

    /// Numbers by name, each within bounds.
    pub(crate) fn numbers(
        &self,
        report: &mut Report<'_>,
        key: &str,
        least: f64,
        most: f64,
    ) -> Vec<(Word<'d>, f64)> {
        let entries = self.entries_of(report, key);
        entries
            .into_iter()
            .filter_map(|(name, value)| {
                let read = number(report, value, name.get_ref(), least, most)?;
                Some((name, read))
            })
            .collect()
    }

    /// Spans by product class, each within the key's bounds.
    pub(crate) fn spans_by_class(&self, report: &mut Report<'_>, key: &str) -> BTreeMap<String, Millis> {
        let Form::SpansByClass(least, most) = self.form(key) else {
            return BTreeMap::new();
        };
        let mut spans = BTreeMap::new();
        for (class, value) in self.entries_of(report, key) {
            if is_class(report, class.get_ref(), class.span())
                && let Some(span) = span(report, value, class.get_ref(), *least, *most)
            {
                spans.insert(class.into_inner().to_owned(), span);
            }
        }
        spans
    }

    /// The entries of a table whose keys are free words.
    fn entries_of(&self, report: &mut Report<'_>, key: &str) -> Vec<(Word<'d>, Value<'d>)> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let DeValue::Table(entries) = value.get_ref() else {
            wrong_type(report, value, key, "a table", value.get_ref());
            return Vec::new();
        };
        if entries.len() > MAX_CLASSES {
            let message = format!("`{key}` has {} entries, at most {MAX_CLASSES} are allowed", entries.len());
            report.error(value.span(), message, None);
        }
        let entries = entries.iter().take(MAX_CLASSES);
        entries.map(|(name, value)| (Spanned::new(name.span(), name.get_ref().as_ref()), value)).collect()
    }

    /// A span of time within the key's bounds; `"off"`, where the key allows it, reads as absent.
    pub(crate) fn duration(&self, report: &mut Report<'_>, key: &str) -> Option<Millis> {
        let value = self.get(key)?;
        match self.form(key) {
            Form::SpanOrOff(..) if value.get_ref().as_str() == Some("off") => None,
            Form::Span(least, most) | Form::SpanOrOff(least, most) => span(report, value, key, *least, *most),
            _ => None,
        }
    }

    /// A time of day, as minutes after midnight.
    pub(crate) fn minute(&self, report: &mut Report<'_>, key: &str) -> Option<u16> {
        let text = self.text(report, key)?;
        let minute = parse_time_of_day(text.get_ref());
        if minute.is_none() {
            let message = format!("`{key}` is not a time of day: \"{}\"", text.get_ref());
            report.error(text.span(), message, Some("a time of day is \"21:00\"".to_owned()));
        }
        minute
    }

    /// Whether a key holds just this string.
    pub(crate) fn is_text(&self, key: &str, text: &str) -> bool {
        self.get(key).is_some_and(|value| value.get_ref().as_str() == Some(text))
    }
}

/// A class or tag is a word or a few, without anything that a terminal would obey.
fn is_class(report: &mut Report<'_>, text: &str, at: Range<usize>) -> bool {
    let sound = crate::word::is_class(text);
    if !sound {
        report.error(at, format!("a product class has 1 to {MAX_CLASS} printable characters"), None);
    }
    sound
}

fn one_of(
    report: &mut Report<'_>,
    text: &Word<'_>,
    known: &'static [&'static str],
    what: &str,
) -> Option<&'static str> {
    let found = known.iter().copied().find(|word| word == text.get_ref());
    if found.is_none() {
        let help = did_you_mean(text.get_ref(), known.iter().copied());
        report.error(text.span(), format!("there is no {what} \"{}\"", text.get_ref()), help);
    }
    found
}

fn expect_country(report: &mut Report<'_>, text: &Word<'_>) -> Option<String> {
    match country(text.get_ref()) {
        Ok(code) => Some(code),
        Err(help) => {
            report.error(text.span(), format!("there is no country \"{}\"", text.get_ref()), help);
            None
        }
    }
}

fn number(report: &mut Report<'_>, value: Value<'_>, key: &str, least: f64, most: f64) -> Option<f64> {
    let text = match value.get_ref() {
        DeValue::Float(number) => number.as_str(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
        other => {
            wrong_type(report, value, key, "a number", other);
            return None;
        }
    };
    let number = match decimal(text) {
        Ok(number) => number,
        Err(help) => {
            report.error(value.span(), format!("`{key}` is not a plain number"), Some(help));
            return None;
        }
    };
    if !(least..=most).contains(&number) {
        report.error(value.span(), format!("`{key}` must be from {least} to {most}"), None);
        return None;
    }
    Some(number)
}

fn span(report: &mut Report<'_>, value: Value<'_>, key: &str, least: Millis, most: Millis) -> Option<Millis> {
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
    if !(least..=most).contains(&span) {
        let (least, most) = (show_span(least), show_span(most));
        report.error(value.span(), format!("`{key}` must be from {least} to {most}"), None);
        return None;
    }
    Some(span)
}

/// The string in a value, or a report.
fn expect_text<'d>(report: &mut Report<'_>, value: Value<'d>, key: &str) -> Option<&'d str> {
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
