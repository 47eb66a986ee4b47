//! The language of conditions: text to a core expression in one normal form. It resolves names
//! but does not look into segments: cycles and total size are `check`'s.
//!
//! ```text
//! condition = all { "or" all }
//! all       = test { "and" test }
//! test      = "not" test | "(" condition ")" | field op number | flag | segment
//! op        = "<" | "<=" | ">" | ">=" | "==" | "!="
//! field     = cart.value cart.items cart.margin person.orders person.lifetime_value
//!             person.offers_90d score.buy
//! flag      = session.mobile session.checkout_error
//! number    = up to 15 digits, 6 of them after the point, perhaps with a minus before
//! ```
//!
//! `not` binds tighter than `and`, `and` tighter than `or`. A comparison with something unknown does
//! not hold, so `not cart.margin < 0.2` holds for an unknown margin and `cart.margin >= 0.2` does
//! not: the two are different conditions and are kept apart.
//!
//! Normal form, so that the same meaning has the same hash: `and` and `or` are flat, their parts
//! sorted and unique; a double `not` is gone; a flag is `== 1`.

use core::ops::Range;

use comeback_core::policy::{Expr, FIELDS, Field, Op};

use crate::canonical::canonical_text;
use crate::suggest::did_you_mean;

/// Nesting of parentheses and `not`. The parser recurses; so do the core and every reader of JSON.
pub(crate) const MAX_DEPTH: usize = 32;
/// Longest text of one condition, in bytes.
pub(crate) const MAX_LENGTH: usize = 2_000;

/// Numbers this long survive text -> f64 -> text unchanged, so a hash never depends on a formatter.
const MAX_DIGITS: usize = 15;
/// Below a millionth, number formats start to differ in when they use exponents.
const MAX_DECIMALS: usize = 6;

/// Something wrong, with its place within the condition's text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) at: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// A doubt, not an error.
    pub(crate) doubt: bool,
}

/// Parses a condition. `segments` are the names that may be used. The expression is there whenever
/// the syntax is right, even if names are not, so that one run finds all wrong names.
pub(crate) fn parse_condition(text: &str, segments: &[&str]) -> (Option<Expr>, Vec<Fault>) {
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
        let mut parser = Parser { tokens: &tokens, next: 0, end: text.len(), segments, faults: &mut faults };
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

#[derive(Debug, Clone, PartialEq)]
enum Kind<'t> {
    And,
    Or,
    Not,
    Open,
    Close,
    Op(Op),
    Number(f64),
    Word(&'t str),
}

#[derive(Debug, Clone, PartialEq)]
struct Token<'t> {
    kind: Kind<'t>,
    text: &'t str,
    at: Range<usize>,
}

fn lex(text: &str) -> Result<Vec<Token<'_>>, Fault> {
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
            '(' | ')' => 1,
            '<' | '>' | '=' | '!' | '&' | '|' => run(|c| "<>=!&|".contains(c)),
            c if c.is_ascii_digit() || c == '-' => 1 + rest[1..].find(|c| !word(c)).unwrap_or(rest.len() - 1),
            c if c.is_ascii_alphabetic() || c == '_' => {
                run(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
            }
            c => c.len_utf8(),
        };
        let (part, after) = rest.split_at(length);
        let at = start..start + length;
        let kind = match part {
            "(" => Kind::Open,
            ")" => Kind::Close,
            "and" => Kind::And,
            "or" => Kind::Or,
            "not" => Kind::Not,
            "<" => Kind::Op(Op::Lt),
            "<=" => Kind::Op(Op::Le),
            ">" => Kind::Op(Op::Gt),
            ">=" => Kind::Op(Op::Ge),
            "==" => Kind::Op(Op::Eq),
            "!=" => Kind::Op(Op::Ne),
            _ if first.is_ascii_digit() || first == '-' => Kind::Number(number(part, &at)?),
            _ if first.is_ascii_alphabetic() || first == '_' => Kind::Word(part),
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
        tokens.push(Token { kind, text: part, at });
        rest = after;
    }
}

fn number(text: &str, at: &Range<usize>) -> Result<f64, Fault> {
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
        _ => Err(fault(
            at.clone(),
            format!("`{text}` is not a number"),
            Some(format!(
                "a number has digits and perhaps a point: 150, 0.25; at most {MAX_DIGITS} digits, {MAX_DECIMALS} after the point"
            )),
        )),
    }
}

struct Parser<'t, 'p> {
    tokens: &'p [Token<'t>],
    next: usize,
    end: usize,
    segments: &'p [&'p str],
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

    fn takes(&mut self, kind: &Kind<'_>) -> bool {
        let hit = self.peek().is_some_and(|t| t.kind == *kind);
        self.next += usize::from(hit);
        hit
    }

    fn unexpected(&self, token: Token<'_>, expected: &str) -> Fault {
        // The commonest slip with names: a capital AND, a wrong spelling of a keyword.
        let keyword = ["and", "or", "not"].into_iter().find(|k| token.text.eq_ignore_ascii_case(k));
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
        while self.takes(&Kind::Or) {
            parts.push(self.all(depth)?);
        }
        Ok(joined(parts, false))
    }

    fn all(&mut self, depth: usize) -> Result<Expr, Fault> {
        let mut parts = vec![self.test(depth)?];
        while self.takes(&Kind::And) {
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
        match token.kind {
            Kind::Not => Ok(match self.test(depth + 1)? {
                Expr::Not(inner) => *inner,
                inner => Expr::Not(Box::new(inner)),
            }),
            Kind::Open => {
                let inner = self.any(depth + 1)?;
                match self.take() {
                    Some(t) if t.kind == Kind::Close => Ok(inner),
                    Some(t) => Err(self.unexpected(t.clone(), "`)`, `and` or `or`")),
                    None => Err(self.ended("`)`")),
                }
            }
            Kind::Word(name) => self.named(name, token),
            Kind::Number(_) => Err(fault(
                token.at.clone(),
                format!("expected {EXPECTED}, found `{}`", token.text),
                Some("the field comes first: `cart.value >= 150`".to_owned()),
            )),
            _ => Err(self.unexpected(token.clone(), EXPECTED)),
        }
    }

    /// A field with its comparison, a flag, or a segment.
    fn named(&mut self, name: &'t str, token: &Token<'t>) -> Result<Expr, Fault> {
        let compared = matches!(self.peek(), Some(Token { kind: Kind::Op(_), .. }));
        let field = FIELDS.iter().find(|known| known.name == name).map(|known| known.field);
        if field.is_none() && !compared && self.segments.contains(&name) {
            return Ok(Expr::Segment(name.to_owned()));
        }
        let Some(field) = field else {
            let fields = FIELDS.iter().map(|known| known.name);
            let found = if self.segments.contains(&name) {
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
                let known: Vec<&str> = self.segments.iter().copied().chain(fields).collect();
                fault(
                    token.at.clone(),
                    format!("there is no segment `{name}`"),
                    did_you_mean(name, known.iter().copied()).or_else(all_fields),
                )
            };
            self.faults.push(found);
            if compared {
                self.comparison()?;
            }
            return Ok(Expr::Segment(name.to_owned()));
        };
        let flag = matches!(field, Field::SessionMobile | Field::SessionCheckoutError);
        if !compared {
            if !flag {
                self.faults.push(fault(
                    token.at.clone(),
                    format!("`{name}` is a number and needs a comparison"),
                    Some(format!("for example `{name} >= 1`")),
                ));
            }
            return Ok(Expr::Compare { field, op: Op::Eq, value: 1.0 });
        }
        let (op, value, at) = self.comparison()?;
        if flag && (!matches!(op, Op::Eq | Op::Ne) || (value != 0.0 && value != 1.0)) {
            self.faults.push(fault(
                token.at.start..at.end,
                format!("`{name}` is a flag"),
                Some(format!("write `{name}` or `not {name}`")),
            ));
        }
        if matches!(field, Field::CartMargin | Field::ScoreBuy) && value > 1.0 {
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

    fn comparison(&mut self) -> Result<(Op, f64, Range<usize>), Fault> {
        let Some(Token { kind: Kind::Op(op), .. }) = self.take() else {
            return Err(self.ended("a comparison"));
        };
        match self.take() {
            Some(Token { kind: Kind::Number(value), at, .. }) => Ok((*op, *value, at.clone())),
            Some(token) => Err(self.unexpected(token.clone(), "a number")),
            None => Err(self.ended("a number")),
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
mod tests {
    use super::*;

    /// The canonical JSON of a condition, or the message of its first fault.
    fn check(text: &str, expect: &str) {
        let (expr, faults) = parse_condition(text, &["vip", "high_value"]);
        let got = match (faults.first(), expr) {
            (Some(f), _) => format!("{}..{} {}", f.at.start, f.at.end, f.message),
            (None, Some(expr)) => show(&expr),
            (None, None) => "neither expression nor fault".to_owned(),
        };
        assert_eq!(got, expect, "{text}");
    }

    fn show(expr: &Expr) -> String {
        match expr {
            Expr::And(all) => format!("(and {})", all.iter().map(show).collect::<Vec<_>>().join(" ")),
            Expr::Or(any) => format!("(or {})", any.iter().map(show).collect::<Vec<_>>().join(" ")),
            Expr::Not(inner) => format!("(not {})", show(inner)),
            Expr::Segment(name) => name.clone(),
            Expr::Compare { field, op, value } => format!("[{field:?} {op:?} {value}]"),
            Expr::Is { field, words } => format!("[{field:?} is {}]", words.join("|")),
            Expr::Has { field, word } => format!("[{field:?} has {word}]"),
        }
    }

    #[test]
    fn precedence_and_normal_form() {
        check("cart.value >= 150", "[CartValue Ge 150]");
        check("vip or vip", "vip");
        check("((vip))", "vip");
        check("not not vip", "vip");
        check("not (not (not vip))", "(not vip)");
        check("session.mobile", "[SessionMobile Eq 1]");
        check("cart.margin > -0", "[CartMargin Gt 0]");
        check("vip and (high_value and cart.items > 1)", "(and [CartItems Gt 1] high_value vip)");
        check("cart.items > 1 or vip and high_value", "(or (and high_value vip) [CartItems Gt 1])");
        check("(cart.items > 1 or vip) and high_value", "(and (or [CartItems Gt 1] vip) high_value)");
        check("not vip and high_value", "(and (not vip) high_value)");
        check("not\n  cart.value<1.50", "(not [CartValue Lt 1.5])");
    }

    #[test]
    fn the_order_of_parts_does_not_matter() {
        let parse = |text| parse_condition(text, &["vip"]).0.unwrap();
        assert_eq!(
            parse("vip and (cart.value > 5 or cart.items > 2)"),
            parse("(cart.items>2 or cart.value>5.0) and vip")
        );
        // Unknown values make these two differ.
        assert_ne!(parse("not cart.margin < 0.2"), parse("cart.margin >= 0.2"));
    }

    #[test]
    fn faults_have_a_place() {
        check("", "0..0 the condition ends where a field, a segment, `not` or `(` should be");
        check("vip and", "6..7 the condition ends where a field, a segment, `not` or `(` should be");
        check("(vip", "3..4 the condition ends where `)` should be");
        check("vip)", "3..4 expected `and`, `or` or the end, found `)`");
        check("vip AND high_value", "4..7 expected `and`, `or` or the end, found `AND`");
        check("cart.value = 3", "11..12 `=` means nothing here");
        check("vip && vip", "4..6 `&&` means nothing here");
        check("cart.value > 1e9", "13..16 `1e9` is not a number");
        check("cart.value > 1234567890123456", "13..29 `1234567890123456` is not a number");
        check("cart.value > 0.0000001", "13..22 `0.0000001` is not a number");
        check("cart.value > -", "13..14 `-` is not a number");
        check("cart.value > ten", "13..16 expected a number, found `ten`");
        check("cart.value >", "11..12 the condition ends where a number should be");
        check("150 <= cart.value", "0..3 expected a field, a segment, `not` or `(`, found `150`");
        check("cart.value", "0..10 `cart.value` is a number and needs a comparison");
        check("vip > 3", "0..3 `vip` is a segment; it is not compared");
        check("cart.valeu > 3", "0..10 there is no field `cart.valeu`");
        check("high-value", "0..10 there is no segment `high-value`");
        check("session.mobile > 0", "0..18 `session.mobile` is a flag");
        check("cart.margin >= 25", "15..17 `cart.margin` is a share between 0 and 1");
        check("vip § vip", "4..6 `§` means nothing here");
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = |n: usize| format!("{}vip{}", "(".repeat(n), ")".repeat(n));
        assert!(parse_condition(&deep(31), &["vip"]).0.is_some());
        check(&deep(32), "32..35 the condition is nested deeper than 32 levels");
        assert!(parse_condition(&deep(900), &["vip"]).0.is_none());
        assert!(parse_condition(&"not ".repeat(499), &["vip"]).0.is_none());
        assert!(parse_condition(&"vip and ".repeat(5_000), &["vip"]).0.is_none());
    }

    #[test]
    fn several_wrong_names_are_found_at_once() {
        let (_, faults) = parse_condition("vpi or cart.vlaue > 3 or vip", &["vip"]);
        let help: Vec<_> = faults.iter().filter_map(|f| f.help.as_deref()).collect();
        assert_eq!(help, ["did you mean `vip`?", "did you mean `cart.value`?"]);
    }
}
