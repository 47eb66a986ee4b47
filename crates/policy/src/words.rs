//! A condition as its author could have written it: the inverse of `condition`, up to normal form.

use comeback_core::policy::{Expr, Kind, Op};

/// A condition in the language of policies.
#[must_use]
pub fn show_condition(expr: &Expr) -> String {
    show(expr, Around::Nothing)
}

/// What stands around a part, and so whether it needs parentheses.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Around {
    Nothing,
    Or,
    And,
    Not,
}

fn show(expr: &Expr, around: Around) -> String {
    let (text, own) = match expr {
        Expr::And(parts) => (joined(parts, " and ", Around::And), Around::And),
        Expr::Or(parts) => (joined(parts, " or ", Around::Or), Around::Or),
        Expr::Not(inner) => return format!("not {}", show(inner, Around::Not)),
        Expr::Segment(name) => return name.clone(),
        Expr::Compare { field, op: Op::Eq, value } if field.spec().kind == Kind::Flag && *value == 1.0 => {
            return field.spec().name.to_owned();
        }
        Expr::Compare { field, op, value } => {
            return format!("{} {} {value}", field.spec().name, sign(*op));
        }
        Expr::Is { field, words } => {
            let name = field.spec().name;
            return match words.as_slice() {
                [word] => format!("{name} == {}", quoted(word)),
                words => {
                    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
                    format!("{name} in ({})", words.join(", "))
                }
            };
        }
        Expr::Has { field, word } => return format!("{} has {}", field.spec().name, quoted(word)),
    };
    if around > own { format!("({text})") } else { text }
}

fn joined(parts: &[Expr], between: &str, around: Around) -> String {
    let parts: Vec<String> = parts.iter().map(|part| show(part, around)).collect();
    parts.join(between)
}

fn quoted(word: &str) -> String {
    if word.contains('"') { format!("'{word}'") } else { format!("\"{word}\"") }
}

const fn sign(op: Op) -> &'static str {
    match op {
        Op::Lt => "<",
        Op::Le => "<=",
        Op::Gt => ">",
        Op::Ge => ">=",
        Op::Eq => "==",
        Op::Ne => "!=",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{Scope, parse_condition};

    #[test]
    fn what_is_shown_reads_back_as_the_same() {
        let cases = [
            "cart.value >= 150",
            "session.mobile and vip",
            "not session.mobile",
            "not (cart.value < 1.5 or vip)",
            "(cart.items > 1 or vip) and high_value",
            "cart.items > 1 or high_value and vip",
            "abandonment.cause in (\"price\", \"validation\")",
            "person.country == \"DE\"",
            "cart.classes has \"Garden 5\"",
            "cart.classes has '5\"'",
            "session.mobile != 0",
        ];
        let scope = Scope { segments: &["vip", "high_value"], early: None };
        for text in cases {
            let expr = parse_condition(text, scope).0.unwrap();
            let shown = show_condition(&expr);
            assert_eq!(parse_condition(&shown, scope).0, Some(expr), "{text} -> {shown}");
        }
        let shown =
            show_condition(&parse_condition("vip and not (high_value or cart.items > 2)", scope).0.unwrap());
        assert_eq!(shown, "not (cart.items > 2 or high_value) and vip");
    }
}
