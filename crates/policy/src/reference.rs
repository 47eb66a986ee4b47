//! The policy language, table by table, as the reader, the JSON Schema and `docs/policy.md` have it.
//! [`keys`] and [`fields`] print the tables of the latter; a test compares them.
//!
//! Conditions:
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
//! not hold, so `not cart.margin < 0.2` holds for an unknown margin and `cart.margin >= 0.2` does not.
//! Nesting, segments included, is at most 32 deep.

use core::fmt::Write;

use comeback_core::policy::{FIELDS, Kind, Known};

use crate::quantity::show_span;
use crate::schema;
use crate::shape::{Form, Without};

/// Every key of a policy as a Markdown table: key, form, what holds without it, what it is.
#[must_use]
pub fn keys() -> String {
    let mut table = String::from("| key | form | without it | is |\n|---|---|---|---|\n");
    for (of, key) in schema::keys() {
        let without = match key.without {
            Without::Error => "required".to_owned(),
            Without::Is("") => "as below".to_owned(),
            Without::Is(without) => without.to_owned(),
        };
        let place = of.title.trim_start_matches("a ").trim_start_matches("an ");
        let row =
            writeln!(table, "| `{place} {}` | {} | {without} | {} |", key.name, form(&key.form), key.about);
        debug_assert!(row.is_ok(), "a String takes everything");
    }
    table
}

fn form(form: &Form) -> String {
    let quoted = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        words.join(" ")
    };
    match form {
        Form::Name => "name".to_owned(),
        Form::PolicyName => "name, `-` allowed".to_owned(),
        Form::Text(most) => format!("at most {most} characters"),
        Form::Span(least, most) => format!("span, {} to {}", show_span(*least), show_span(*most)),
        Form::SpanOrOff(least, most) => {
            format!("span, {} to {}, or `\"off\"`", show_span(*least), show_span(*most))
        }
        Form::Whole(least, most) if least == most => format!("`{least}`"),
        Form::Whole(least, most) => format!("whole number, {least} to {most}"),
        Form::Number(least, most) => format!("number, {least} to {most}"),
        Form::Flag => "`true` or `false`".to_owned(),
        Form::Condition => "condition".to_owned(),
        Form::TimeOfDay => "`\"HH:MM\"`".to_owned(),
        Form::Zone => "IANA zone".to_owned(),
        Form::Country => "ISO 3166-1 code".to_owned(),
        Form::Countries => "list of ISO 3166-1 codes".to_owned(),
        Form::Word(words) => format!("one of {}", quoted(words)),
        Form::Words(words) => format!("list of {}", quoted(words)),
        Form::Names(least, most) => format!("list of {least} to {most} names"),
        Form::Classes => "list of product classes".to_owned(),
        Form::Packs => "`\"all\"` or list of codes".to_owned(),
        Form::SpansByClass(least, most) => {
            format!("table: class = span, {} to {}", show_span(*least), show_span(*most))
        }
        Form::SharesByName => "table: arm = number, 0 to 1".to_owned(),
        Form::Rates => "table: ISO 4217 code = number".to_owned(),
        Form::Table(_) => "table".to_owned(),
        Form::Tables(_, least, most) => format!("list of {least} to {most} tables"),
        Form::Holidays => "list of dates".to_owned(),
        Form::Regions => "list of ISO 3166-2 codes".to_owned(),
        Form::Day => "day".to_owned(),
    }
}

/// Every field of conditions as a Markdown table: name, type with unit, since when it is known, what it is.
#[must_use]
pub fn fields() -> String {
    let mut table = String::from("| field | type | known | is |\n|---|---|---|---|\n");
    for spec in FIELDS {
        let kind = match spec.kind {
            Kind::Number(unit) => format!("number: {unit}"),
            Kind::Flag => "flag".to_owned(),
            Kind::Word([]) => "word".to_owned(),
            Kind::Word(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                format!("word: {}", words.join(" "))
            }
            Kind::Words => "set of words".to_owned(),
        };
        let known = match spec.known {
            Known::Cart => "at the abandonment",
            Known::Person => "at the abandonment, as of the last claim",
            Known::Claim => "at a claim only",
        };
        let row = writeln!(table, "| `{}` | {kind} | {known} | {} |", spec.name, spec.about);
        debug_assert!(row.is_ok(), "a String takes everything");
    }
    table
}
