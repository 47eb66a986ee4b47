//! The language of conditions: text to a core expression in one normal form. It resolves names and
//! checks types but does not look into segments: cycles and total size are `check`'s.
//!
//! ```text
//! condition = all { "or" all }
//! all       = test { "and" test }
//! test      = "not" test | "(" condition ")" | flag | segment
//!           | number_field ( "<" | "<=" | ">" | ">=" | "==" | "!=" ) number
//!           | word_field ( "==" | "!=" ) word | word_field "in" "(" word { "," word } ")"
//!           | set_field "has" word
//! number    = up to 15 digits, 6 of them after the point, perhaps with a minus before
//! word      = text in double or single quotes
//! ```
//!
//! `not` binds tighter than `and`, `and` tighter than `or`. A comparison with something unknown does
//! not hold, so `not cart.margin < 0.2` holds for an unknown margin and `cart.margin >= 0.2` does
//! not: the two are different conditions and are kept apart.
//!
//! Normal form, so that the same meaning has the same hash: `and` and `or` are flat, their parts
//! sorted and unique; a double `not` is gone; a flag is `== 1`; words of a list are sorted, and `!=`
//! on a closed list is one of the others.

use core::ops::Range;

use comeback_core::policy::{Expr, FIELDS, Field, FieldSpec, Kind, Known, Op};

use crate::canonical::canonical_text;
use crate::suggest::did_you_mean;
use crate::word::{country, is_class};

mod token;

use token::{Sort, Token, lex};

/// Nesting of parentheses and `not`. The parser recurses; so do the core and every reader of JSON.
pub(crate) const MAX_DEPTH: usize = 32;
/// Longest text of one condition, in bytes.
pub(crate) const MAX_LENGTH: usize = 2_000;

/// Words that one `in` may list.
const MAX_WORDS: usize = 64;

/// What a condition may name.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s> {
    /// Segments that there are.
    pub(crate) segments: &'s [&'s str],
    /// Where the condition is asked before a step is claimed: the segments that ask for what is known
    /// only then. `None` where everything may be asked.
    pub(crate) early: Option<&'s [&'s str]>,
}

/// Something wrong, with its place within the condition's text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) at: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// A doubt, not an error.
    pub(crate) doubt: bool,
}

/// Parses a condition. The expression is there whenever
/// the syntax is right, even if names are not, so that one run finds all wrong names.
pub(crate) fn parse_condition(text: &str, scope: Scope<'_>) -> (Option<Expr>, Vec<Fault>) {
    let mut faults = Vec::new();
    if text.len() > MAX_LENGTH {
        faults.push(fault(
            0..text.len(),
            format!("the condition is longer than {MAX_LENGTH} characters"),
            None,
        ));
        return (None, faults);
    }
    let expr = lex(text).and_then(|tokens| {
        let mut parser = Parser { tokens: &tokens, next: 0, end: text.len(), scope, faults: &mut faults };
        let expr = parser.any(0)?;
        match parser.peek() {
            None => Ok(expr),
            Some(token) => Err(parser.unexpected(token.clone(), "`and`, `or` or the end")),
        }
    });
    match expr {
        Ok(expr) => (Some(expr), faults),
        Err(fault) => {
            faults.push(fault);
            (None, faults)
        }
    }
}

fn fault(at: Range<usize>, message: impl Into<String>, help: Option<String>) -> Fault {
    Fault { at, message: message.into(), help, doubt: false }
}

/// There are too many to print.
fn all_fields() -> Option<String> {
    Some("docs/policy.md lists every field".to_owned())
}

struct Parser<'t, 'p> {
    tokens: &'p [Token<'t>],
    next: usize,
    end: usize,
    scope: Scope<'p>,
    faults: &'p mut Vec<Fault>,
}

impl<'t, 'p> Parser<'t, 'p> {
    fn peek(&self) -> Option<&'p Token<'t>> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<&'p Token<'t>> {
        let token = self.peek();
        self.next += usize::from(token.is_some());
        token
    }

    fn takes(&mut self, sort: &Sort<'_>) -> bool {
        let hit = self.peek().is_some_and(|t| t.sort == *sort);
        self.next += usize::from(hit);
        hit
    }

    fn unexpected(&self, token: Token<'_>, expected: &str) -> Fault {
        // The commonest slip with names: a capital AND, a wrong spelling of a keyword.
        let keyword =
            ["and", "or", "not", "in", "has"].into_iter().find(|k| token.text.eq_ignore_ascii_case(k));
        let help = keyword.filter(|k| *k != token.text).map(|k| format!("write `{k}`"));
        fault(token.at, format!("expected {expected}, found `{}`", token.text), help)
    }

    fn ended(&self, expected: &str) -> Fault {
        fault(
            self.end.saturating_sub(1)..self.end,
            format!("the condition ends where {expected} should be"),
            None,
        )
    }

    fn any(&mut self, depth: usize) -> Result<Expr, Fault> {
        let mut parts = vec![self.all(depth)?];
        while self.takes(&Sort::Or) {
            parts.push(self.all(depth)?);
        }
        Ok(joined(parts, false))
    }

    fn all(&mut self, depth: usize) -> Result<Expr, Fault> {
        let mut parts = vec![self.test(depth)?];
        while self.takes(&Sort::And) {
            parts.push(self.test(depth)?);
        }
        Ok(joined(parts, true))
    }

    fn test(&mut self, depth: usize) -> Result<Expr, Fault> {
        const EXPECTED: &str = "a field, a segment, `not` or `(`";
        let Some(token) = self.take() else {
            return Err(self.ended(EXPECTED));
        };
        if depth >= MAX_DEPTH {
            let help = Some("name a part of it as a segment".to_owned());
            return Err(fault(
                token.at.clone(),
                format!("the condition is nested deeper than {MAX_DEPTH} levels"),
                help,
            ));
        }
        match token.sort {
            Sort::Not => Ok(match self.test(depth + 1)? {
                Expr::Not(inner) => *inner,
                inner => Expr::Not(Box::new(inner)),
            }),
            Sort::Open => {
                let inner = self.any(depth + 1)?;
                match self.take() {
                    Some(t) if t.sort == Sort::Close => Ok(inner),
                    Some(t) => Err(self.unexpected(t.clone(), "`)`, `and` or `or`")),
                    None => Err(self.ended("`)`")),
                }
            }
            Sort::Name(name) => self.named(name, token),
            Sort::Number(_) | Sort::Text(_) => Err(fault(
                token.at.clone(),
                format!("expected {EXPECTED}, found `{}`", token.text),
                Some("the field comes first: `cart.value >= 150`".to_owned()),
            )),
            _ => Err(self.unexpected(token.clone(), EXPECTED)),
        }
    }

    /// A field with its comparison, a flag, or a segment.
    fn named(&mut self, name: &'t str, token: &Token<'t>) -> Result<Expr, Fault> {
        let compared = matches!(self.peek(), Some(Token { sort: Sort::Op(_) | Sort::In | Sort::Has, .. }));
        if let Some(spec) = FIELDS.iter().find(|known| known.name == name) {
            if self.scope.early.is_some() && spec.known == Known::Claim {
                self.faults.push(fault(
                    token.at.clone(),
                    format!("`{name}` is known only when a step is claimed"),
                    Some("ask for it in the `when` of a step or an offer".to_owned()),
                ));
            }
            return match spec.kind {
                Kind::Number(unit) => self.number(spec, unit, token),
                Kind::Flag => self.flag(spec, token),
                Kind::Word(known) => self.word(spec, known, token),
                Kind::Words => self.set(spec, token),
            };
        }
        let segments = self.scope.segments;
        if !compared && segments.contains(&name) {
            if self.scope.early.is_some_and(|late| late.contains(&name)) {
                self.faults.push(fault(
                    token.at.clone(),
                    format!("segment `{name}` asks for what is known only when a step is claimed"),
                    Some("name it in the `when` of a step or an offer".to_owned()),
                ));
            }
            return Ok(Expr::Segment(name.to_owned()));
        }
        let fields = FIELDS.iter().map(|known| known.name);
        let found = if segments.contains(&name) {
            fault(
                token.at.clone(),
                format!("`{name}` is a segment; it is not compared"),
                Some(format!("write `{name}` or `not {name}`")),
            )
        } else if compared || name.contains('.') {
            fault(
                token.at.clone(),
                format!("there is no field `{name}`"),
                did_you_mean(name, fields).or_else(all_fields),
            )
        } else {
            let known: Vec<&str> = segments.iter().copied().chain(fields).collect();
            fault(
                token.at.clone(),
                format!("there is no segment `{name}`"),
                did_you_mean(name, known.iter().copied()).or_else(all_fields),
            )
        };
        self.faults.push(found);
        if compared {
            self.skip_comparison()?;
        }
        Ok(Expr::Segment(name.to_owned()))
    }

    /// What follows a field that is none, so that the rest can be read.
    fn skip_comparison(&mut self) -> Result<(), Fault> {
        let list = matches!(self.take(), Some(Token { sort: Sort::In, .. }));
        if list {
            return self.list().map(drop);
        }
        match self.take() {
            Some(Token { sort: Sort::Number(_) | Sort::Text(_), .. }) => Ok(()),
            Some(token) => Err(self.unexpected(token.clone(), "a number or a word in quotes")),
            None => Err(self.ended("a number or a word in quotes")),
        }
    }

    fn number(&mut self, spec: &FieldSpec, unit: &str, token: &Token<'t>) -> Result<Expr, Fault> {
        let (field, name) = (spec.field, spec.name);
        let op = match self.peek() {
            Some(Token { sort: Sort::Op(op), .. }) => *op,
            Some(Token { sort: Sort::In | Sort::Has, at, text, .. }) => {
                return Err(fault(
                    at.clone(),
                    format!("`{name}` is a number; `{text}` is for words"),
                    Some(format!("compare it: `{name} >= 1`")),
                ));
            }
            _ => {
                self.faults.push(fault(
                    token.at.clone(),
                    format!("`{name}` is a number and needs a comparison"),
                    Some(format!("for example `{name} >= 1`")),
                ));
                return Ok(Expr::Compare { field, op: Op::Eq, value: 1.0 });
            }
        };
        self.next += 1;
        let (value, at) = match self.take() {
            Some(Token { sort: Sort::Number(value), at, .. }) => (*value, at.clone()),
            Some(Token { sort: Sort::Text(_), at, text }) => {
                return Err(fault(
                    at.clone(),
                    format!("`{name}` is a number, {text} is a word"),
                    Some(format!("its unit: {unit}")),
                ));
            }
            Some(token) => return Err(self.unexpected(token.clone(), "a number")),
            None => return Err(self.ended("a number")),
        };
        if unit.contains("0 to 1") && value > 1.0 {
            self.faults.push(Fault {
                doubt: true,
                ..fault(
                    at,
                    format!("`{name}` is a share between 0 and 1"),
                    Some("a quarter is 0.25, not 25".to_owned()),
                )
            });
        }
        Ok(Expr::Compare { field, op, value })
    }

    fn flag(&mut self, spec: &FieldSpec, token: &Token<'t>) -> Result<Expr, Fault> {
        let (field, name) = (spec.field, spec.name);
        let Some(Token { sort: Sort::Op(_) | Sort::In | Sort::Has, .. }) = self.peek() else {
            return Ok(Expr::Compare { field, op: Op::Eq, value: 1.0 });
        };
        let begin = self.next;
        self.skip_comparison()?;
        let (op, value) = match self.tokens.get(begin..self.next) {
            Some(
                [
                    Token { sort: Sort::Op(op @ (Op::Eq | Op::Ne)), .. },
                    Token { sort: Sort::Number(value), .. },
                ],
            ) if *value == 0.0 || *value == 1.0 => (*op, *value),
            _ => {
                let end = self.tokens.get(self.next - 1).map_or(token.at.end, |last| last.at.end);
                self.faults.push(fault(
                    token.at.start..end,
                    format!("`{name}` is a flag"),
                    Some(format!("write `{name}` or `not {name}`")),
                ));
                (Op::Eq, 1.0)
            }
        };
        Ok(Expr::Compare { field, op, value })
    }

    fn word(
        &mut self,
        spec: &FieldSpec,
        known: &'static [&'static str],
        token: &Token<'t>,
    ) -> Result<Expr, Fault> {
        let (field, name) = (spec.field, spec.name);
        let example = known.first().copied().unwrap_or("DE");
        let words = match self.peek() {
            Some(Token { sort: Sort::In, .. }) => {
                self.next += 1;
                self.list()?
            }
            Some(op @ Token { sort: Sort::Op(Op::Eq | Op::Ne), .. }) => {
                self.next += 1;
                let words = vec![self.quoted(name)?];
                if op.sort == Sort::Op(Op::Eq) {
                    words
                } else if known.is_empty() {
                    // Of an open list the others cannot be named, and `not` would hold for the unknown.
                    return Err(fault(
                        op.at.clone(),
                        format!("`{name}` is not compared with `!=`"),
                        Some(format!("write `not {name} == …`, which holds too where it is unknown")),
                    ));
                } else {
                    let (word, at) = self.one_of(spec, known, words).pop().unwrap_or(("", 0..0));
                    known.iter().filter(|other| **other != word).map(|other| (*other, at.clone())).collect()
                }
            }
            Some(op @ Token { sort: Sort::Op(_) | Sort::Has, .. }) => {
                return Err(fault(
                    op.at.clone(),
                    format!("`{name}` is a word and has no `{}`", op.text),
                    Some(format!("write `{name} == \"{example}\"` or `{name} in (\"{example}\")`")),
                ));
            }
            _ => {
                self.faults.push(fault(
                    token.at.clone(),
                    format!("`{name}` is a word and needs a comparison"),
                    Some(format!("for example `{name} == \"{example}\"`")),
                ));
                return Ok(Expr::Is { field, words: vec![] });
            }
        };
        let words = self.one_of(spec, known, words);
        let mut words: Vec<String> = words.into_iter().map(|(word, _)| word.to_owned()).collect();
        words.sort();
        words.dedup();
        Ok(Expr::Is { field, words })
    }

    fn set(&mut self, spec: &FieldSpec, token: &Token<'t>) -> Result<Expr, Fault> {
        let (field, name) = (spec.field, spec.name);
        let help = Some(format!("write `{name} has \"…\"`"));
        match self.peek() {
            Some(Token { sort: Sort::Has, .. }) => self.next += 1,
            Some(op @ Token { sort: Sort::Op(_) | Sort::In, .. }) => {
                let message = format!("`{name}` holds several words and has no `{}`", op.text);
                return Err(fault(op.at.clone(), message, help));
            }
            _ => {
                let message = format!("`{name}` holds several words and needs `has`");
                return Err(fault(token.at.clone(), message, help));
            }
        }
        let (word, at) = self.quoted(name)?;
        if !is_class(word) {
            self.faults.push(fault(at, "a word has 1 to 64 printable characters", None));
        }
        Ok(Expr::Has { field, word: word.to_owned() })
    }

    /// Words that the field can be; others are reported.
    fn one_of(
        &mut self,
        spec: &FieldSpec,
        known: &'static [&'static str],
        words: Vec<(&'t str, Range<usize>)>,
    ) -> Vec<(&'t str, Range<usize>)> {
        let (sound, wrong): (Vec<_>, Vec<_>) = words.into_iter().partition(|(word, _)| match spec.field {
            Field::PersonCountry => country(word).is_ok(),
            _ if known.is_empty() => is_class(word),
            _ => known.contains(word),
        });
        for (word, at) in wrong {
            let help = match spec.field {
                Field::PersonCountry => country(word).err().flatten(),
                _ => did_you_mean(word, known.iter().copied()),
            };
            self.faults.push(fault(at, format!("`{}` is never \"{word}\"", spec.name), help));
        }
        sound
    }

    /// A word in quotes.
    fn quoted(&mut self, name: &str) -> Result<(&'t str, Range<usize>), Fault> {
        match self.take() {
            Some(Token { sort: Sort::Text(word), at, .. }) => Ok((word, at.clone())),
            Some(token @ Token { sort: Sort::Name(word), .. }) => Err(fault(
                token.at.clone(),
                format!("`{name}` is compared with a word in quotes"),
                Some(format!("write \"{word}\"")),
            )),
            Some(token) => Err(self.unexpected(token.clone(), "a word in quotes")),
            None => Err(self.ended("a word in quotes")),
        }
    }

    /// `("a", "b")`.
    fn list(&mut self) -> Result<Vec<(&'t str, Range<usize>)>, Fault> {
        match self.take() {
            Some(Token { sort: Sort::Open, .. }) => {}
            Some(token) => return Err(self.unexpected(token.clone(), "`(`")),
            None => return Err(self.ended("`(`")),
        }
        let mut words = vec![self.quoted("this")?];
        loop {
            match self.take() {
                Some(Token { sort: Sort::Comma, .. }) => words.push(self.quoted("this")?),
                Some(Token { sort: Sort::Close, .. }) => return Ok(words),
                Some(token) => return Err(self.unexpected(token.clone(), "`,` or `)`")),
                None => return Err(self.ended("`,` or `)`")),
            }
            if words.len() > MAX_WORDS {
                let at = words.last().map_or(0..0, |(_, at)| at.clone());
                return Err(fault(at, format!("a list has at most {MAX_WORDS} words"), None));
            }
        }
    }
}

/// `and` or `or` over parts, in normal form.
fn joined(parts: Vec<Expr>, and: bool) -> Expr {
    let mut flat: Vec<(String, Expr)> = Vec::new();
    for part in parts {
        match part {
            Expr::And(inner) if and => flat.extend(inner.into_iter().map(keyed)),
            Expr::Or(inner) if !and => flat.extend(inner.into_iter().map(keyed)),
            other => flat.push(keyed(other)),
        }
    }
    flat.sort_by(|(a, _), (b, _)| a.cmp(b));
    flat.dedup_by(|(a, _), (b, _)| a == b);
    let mut parts: Vec<Expr> = flat.into_iter().map(|(_, expr)| expr).collect();
    match parts.len() {
        1 => parts.remove(0),
        _ if and => Expr::And(parts),
        _ => Expr::Or(parts),
    }
}

fn keyed(expr: Expr) -> (String, Expr) {
    (canonical_text(&expr).unwrap_or_default(), expr)
}

#[cfg(test)]
mod tests;
