//! The words of a condition, each with its place. Knows no field and no grammar.

use core::ops::Range;

use comeback_core::policy::Op;

use super::{Fault, fault};
use crate::quantity::decimal;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sort<'t> {
    And,
    Or,
    Not,
    In,
    Has,
    Open,
    Close,
    Comma,
    Op(Op),
    Number(f64),
    /// In quotes.
    Text(&'t str),
    Name(&'t str),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'t> {
    pub(super) sort: Sort<'t>,
    pub(super) text: &'t str,
    pub(super) at: Range<usize>,
}

pub(super) fn lex(text: &str) -> Result<Vec<Token<'_>>, Fault> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let start = text.len() - rest.len();
        let Some(first) = rest.chars().next() else {
            return Ok(tokens);
        };
        let run = |accept: fn(char) -> bool| rest.find(|c| !accept(c)).unwrap_or(rest.len());
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let length = match first {
            '(' | ')' | ',' => 1,
            quote @ ('"' | '\'') => match rest[1..].find(quote) {
                Some(end) => end + 2,
                None => {
                    let at = start..text.len();
                    return Err(fault(at, format!("the word that begins with {quote} does not end"), None));
                }
            },
            '<' | '>' | '=' | '!' | '&' | '|' => run(|c| "<>=!&|".contains(c)),
            c if c.is_ascii_digit() || c == '-' => 1 + rest[1..].find(|c| !word(c)).unwrap_or(rest.len() - 1),
            c if c.is_ascii_alphabetic() || c == '_' => {
                run(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
            }
            c => c.len_utf8(),
        };
        let (part, after) = rest.split_at(length);
        let at = start..start + length;
        let sort = match part {
            "(" => Sort::Open,
            ")" => Sort::Close,
            "," => Sort::Comma,
            "and" => Sort::And,
            "or" => Sort::Or,
            "not" => Sort::Not,
            "in" => Sort::In,
            "has" => Sort::Has,
            "<" => Sort::Op(Op::Lt),
            "<=" => Sort::Op(Op::Le),
            ">" => Sort::Op(Op::Gt),
            ">=" => Sort::Op(Op::Ge),
            "==" => Sort::Op(Op::Eq),
            "!=" => Sort::Op(Op::Ne),
            _ if matches!(first, '"' | '\'') => Sort::Text(&part[1..part.len() - 1]),
            _ if first.is_ascii_digit() || first == '-' => Sort::Number(
                decimal(part)
                    .map_err(|help| fault(at.clone(), format!("`{part}` is not a number"), Some(help)))?,
            ),
            _ if first.is_ascii_alphabetic() || first == '_' => Sort::Name(part),
            _ => {
                let right = match part {
                    "=" | "===" => Some("=="),
                    "&&" | "&" => Some("and"),
                    "||" | "|" => Some("or"),
                    "!" => Some("not"),
                    "<>" | "!==" => Some("!="),
                    "=>" => Some(">="),
                    "=<" => Some("<="),
                    _ => None,
                };
                let help = right.map(|r| format!("write `{r}`"));
                return Err(fault(at, format!("`{part}` means nothing here"), help));
            }
        };
        tokens.push(Token { sort, text: part, at });
        rest = after;
    }
}
