//! What is wrong with a policy text, and where: collecting it and showing it the way rustc does.
//! Knows nothing of policies; finds no fault itself.

use core::fmt;
use core::ops::Range;

use serde::Serialize;

/// Past this many errors a reader is not helped by more, and a hostile file gets no further.
const MAX_ERRORS: usize = 50;
/// A source line longer than this is not quoted: nobody would find the caret.
const MAX_QUOTED: usize = 240;

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The policy is refused.
    Error,
    /// The policy stands, but probably does not do what its author thinks.
    Warning,
}

/// One remark on one place of a policy text. `Display` shows it with the line and a caret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The file as it was named to the parser.
    pub file: String,
    /// Line, from 1; 0 where a compiled policy was looked at, which has no lines.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right, if that can be said.
    pub help: Option<String>,
    /// The source line, without control characters; empty when it is too long to quote.
    pub source: String,
    /// How many characters of the line are meant, at least 1.
    pub width: usize,
}

/// A remark that does not refuse the policy.
pub type Warning = Diagnostic;

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let gutter = " ".repeat(self.line.to_string().len());
        writeln!(f, "{severity}: {}", self.message)?;
        if self.line == 0 {
            write!(f, " --> {}", self.file)?;
            return self.help.as_deref().map_or(Ok(()), |help| write!(f, "\n  = help: {help}"));
        }
        write!(f, "{gutter}--> {}:{}:{}", self.file, self.line, self.column)?;
        let help = self.help.as_deref();
        if self.source.is_empty() {
            return help.map_or(Ok(()), |help| write!(f, "\n{gutter} = help: {help}"));
        }
        let indent = " ".repeat(self.column.saturating_sub(1));
        let carets = "^".repeat(self.width);
        write!(f, "\n{gutter} |\n{} | {}\n{gutter} | {indent}{carets}", self.line, self.source)?;
        help.map_or(Ok(()), |help| write!(f, "\n{gutter} = help: {help}"))
    }
}

/// Why a policy text was refused: every error that could be found in one pass, in the order of
/// the text, and the warnings found on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyErrors {
    /// At least one.
    pub errors: Vec<Diagnostic>,
    /// Found besides.
    pub warnings: Vec<Warning>,
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl core::error::Error for PolicyErrors {}

/// Collects diagnostics for one text.
pub(crate) struct Report<'t> {
    file: String,
    text: &'t str,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

impl<'t> Report<'t> {
    pub(crate) fn new(file: &str, text: &'t str) -> Self {
        Self { file: printable(file), text, errors: Vec::new(), warnings: Vec::new() }
    }

    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    pub(crate) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    pub(crate) fn error(&mut self, span: Range<usize>, message: impl AsRef<str>, help: Option<String>) {
        if self.errors.len() < MAX_ERRORS {
            let found = self.locate(Severity::Error, span, message.as_ref(), help);
            if !self.errors.contains(&found) {
                self.errors.push(found);
            }
        }
    }

    pub(crate) fn warn(&mut self, span: Range<usize>, message: impl AsRef<str>, help: Option<String>) {
        if self.warnings.len() < MAX_ERRORS {
            let found = self.locate(Severity::Warning, span, message.as_ref(), help);
            self.warnings.push(found);
        }
    }

    /// The errors if there are any, else the warnings.
    pub(crate) fn finish(mut self) -> Result<Vec<Warning>, PolicyErrors> {
        self.errors.sort_by_key(|d| (d.line, d.column));
        self.warnings.sort_by_key(|d| (d.line, d.column));
        if self.errors.is_empty() {
            Ok(self.warnings)
        } else {
            Err(PolicyErrors { errors: self.errors, warnings: self.warnings })
        }
    }

    fn locate(
        &self,
        severity: Severity,
        span: Range<usize>,
        message: &str,
        help: Option<String>,
    ) -> Diagnostic {
        let start = floor_boundary(self.text, span.start);
        let end = floor_boundary(self.text, span.end).max(start);
        let (before, after) = self.text.split_at(start);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let line_end = after.find('\n').map_or(self.text.len(), |i| start + i);
        let quoted = self.text.get(line_start..line_end).unwrap_or_default().trim_end_matches('\r');
        let meant = self.text.get(start..end.min(line_end)).unwrap_or_default();
        Diagnostic {
            severity,
            file: self.file.clone(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            message: printable(message),
            help: help.map(|help| printable(&help)),
            source: if quoted.len() > MAX_QUOTED { String::new() } else { printable(quoted) },
            width: meant.trim_end().chars().count().max(1),
        }
    }
}

/// A policy may come from a stranger and its errors end on a terminal: no escape sequences.
/// Every character stays one character, so that columns hold.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() => '\u{FFFD}',
            c => c,
        })
        .collect()
}

fn floor_boundary(text: &str, mut index: usize) -> usize {
    index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_in_characters_and_quoted_without_control_characters() {
        let text = "a = 1\n\tä = \"\u{1b}[31m\"\r\nc = 3";
        let at = text.find("\"").unwrap();
        let mut report = Report::new("p.toml", text);
        report.error(at..at + 7, "bad \u{7}", Some("better".into()));
        let errors = report.finish().unwrap_err();
        assert_eq!(
            errors.to_string(),
            "error: bad \u{FFFD}\n --> p.toml:2:6\n  |\n2 |  ä = \"\u{FFFD}[31m\"\n  |      ^^^^^^^\n  = help: better",
        );
    }

    #[test]
    fn spans_outside_the_text_or_inside_a_character_do_no_harm() {
        for (start, end) in [(0, 0), (1, 2), (2, 1), (900, 1000), (0, usize::MAX)] {
            let mut report = Report::new("p", "ä\n");
            report.error(start..end, "x", None);
            assert!(!report.finish().unwrap_err().to_string().is_empty());
        }
    }
}
