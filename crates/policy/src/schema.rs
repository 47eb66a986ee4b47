//! The JSON Schema (draft 2020-12) of policies and jurisdiction packs, made of the tables that the
//! reader obeys. For editors and other programs; it knows form, not meaning, so what it accepts may
//! still be refused by [`parse`](crate::parse), never the other way round.
//!
//! Spans have bounds that a pattern does not tell; they stand in the descriptions.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::condition::MAX_LENGTH;
use crate::quantity::show_span;
use crate::read::RESERVED;
use crate::shape::{Form, Key, MAX_CLASS, MAX_CLASSES, MAX_NAME, PACK, ROOT, Table, Without};

const NAME: &str = "^[a-z][a-z0-9_]*$";
const SPAN: &str = "^[0-9]{1,7}[smhd]$";

/// The JSON Schema of a policy.
#[must_use]
pub fn policy() -> Value {
    document(
        &ROOT,
        "Comeback policy",
        "When a cart counts as left, who is written to, when and how, and what bounds all of it.",
    )
}

/// The JSON Schema of a jurisdiction pack.
#[must_use]
pub fn pack() -> Value {
    document(&PACK, "Comeback jurisdiction pack", "What the law of a place adds to a policy.")
}

fn document(root: &'static Table, title: &str, about: &str) -> Value {
    let mut parts = BTreeMap::new();
    let mut schema = table(root, &mut parts);
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!(title));
    schema.insert("description".to_owned(), json!(about));
    let parts: Map<String, Value> = parts.into_iter().collect();
    schema.insert("$defs".to_owned(), Value::Object(parts));
    Value::Object(schema)
}

/// `[caps] per_person` as a word for `$defs`.
fn word(table: &Table) -> String {
    let plain = table.title.replace(['[', ']'], "");
    let plain = plain.trim_start_matches("an ").trim_start_matches("a ");
    plain.replace(' ', "_")
}

fn table(table: &'static Table, parts: &mut BTreeMap<String, Value>) -> Map<String, Value> {
    let mut properties = Map::new();
    for key in table.keys {
        let mut form = form(key, parts);
        if let Some(form) = form.as_object_mut() {
            form.insert("description".to_owned(), json!(about(key)));
        }
        properties.insert(key.name.to_owned(), form);
    }
    let required: Vec<&str> =
        table.keys.iter().filter(|key| key.without == Without::Error).map(|key| key.name).collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("additionalProperties".to_owned(), json!(false));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    if let Some(together) = together(table) {
        schema.insert("allOf".to_owned(), together);
    }
    schema
}

/// What a reader should know of a key: what it is, its bounds, what holds without it.
fn about(key: &Key) -> String {
    let mut about = key.about.to_owned();
    if let Form::Span(least, most) | Form::SpanOrOff(least, most) | Form::SpansByClass(least, most) = key.form
    {
        about.push_str(&format!(" From {} to {}.", show_span(least), show_span(most)));
    }
    match key.without {
        Without::Error | Without::Is("") => {}
        Without::Is(without) => about.push_str(&format!(" Without it: {without}.")),
    }
    about
}

fn form(key: &Key, parts: &mut BTreeMap<String, Value>) -> Value {
    let list = |items: Value, least: usize, most: usize| json!({ "type": "array", "items": items, "uniqueItems": true, "minItems": least, "maxItems": most });
    let text = |most: usize| json!({ "type": "string", "maxLength": most });
    let pattern = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let named = |values: Value, names: Value| json!({ "type": "object", "additionalProperties": values, "propertyNames": names, "maxProperties": MAX_CLASSES });
    let class = || json!({ "type": "string", "minLength": 1, "maxLength": MAX_CLASS });
    let mut part = |of: &'static Table| {
        let name = word(of);
        if !parts.contains_key(&name) {
            let inner = table(of, parts);
            parts.insert(name.clone(), Value::Object(inner));
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    };
    match key.form {
        // What is named elsewhere may be a word that cannot be a name: `none`.
        Form::Name if matches!(key.name, "name" | "id") => {
            json!({ "type": "string", "pattern": NAME, "maxLength": MAX_NAME, "not": { "enum": RESERVED } })
        }
        Form::Name => json!({ "type": "string", "pattern": NAME, "maxLength": MAX_NAME }),
        Form::PolicyName => {
            json!({ "type": "string", "pattern": "^[a-z][a-z0-9_-]*$", "maxLength": MAX_NAME })
        }
        Form::Text(most) => text(most),
        Form::Span(..) => pattern(SPAN),
        Form::SpanOrOff(..) => pattern("^([0-9]{1,7}[smhd]|off)$"),
        Form::Whole(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Form::Number(least, most) => json!({ "type": "number", "minimum": least, "maximum": most }),
        Form::Flag => json!({ "type": "boolean" }),
        Form::Condition => json!({ "type": "string", "minLength": 1, "maxLength": MAX_LENGTH }),
        Form::TimeOfDay => pattern("^([01][0-9]|2[0-3]):[0-5][0-9]$"),
        Form::Zone => json!({ "type": "string", "minLength": 1, "maxLength": 64 }),
        Form::Country => pattern("^[A-Z]{2}$"),
        Form::Countries => list(pattern("^[A-Z]{2}$"), 1, MAX_CLASSES),
        Form::Word(words) => json!({ "enum": words }),
        Form::Words(words) => list(json!({ "enum": words }), 1, words.len()),
        Form::Names(least, most) => list(pattern(NAME), least, most),
        Form::Classes => list(class(), 0, MAX_CLASSES),
        Form::Packs => {
            let codes = list(pattern("^[a-z0-9]{2,3}(-[a-z0-9]{2,3})?$"), 0, MAX_CLASSES);
            json!({ "anyOf": [{ "const": "all" }, codes] })
        }
        Form::SpansByClass(..) => named(pattern(SPAN), class()),
        Form::SharesByName => named(json!({ "type": "number", "minimum": 0, "maximum": 1 }), pattern(NAME)),
        Form::Rates => named(
            json!({ "type": "number", "exclusiveMinimum": 0, "maximum": crate::read::MAX_RATE }),
            pattern("^[A-Z]{3}$"),
        ),
        Form::Table(of) => part(of),
        Form::Tables(of, least, most) => {
            json!({ "type": "array", "items": part(of), "minItems": least, "maxItems": most })
        }
        Form::Holidays => list(
            pattern("^(easter([+-][0-9]{1,3})?|(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))$"),
            1,
            MAX_CLASSES,
        ),
        Form::Regions => list(pattern("^[A-Z0-9]{1,3}$"), 1, MAX_CLASSES),
        Form::Day => pattern("^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"),
    }
}

/// Keys that belong together, or exclude each other.
fn together(table: &Table) -> Option<Value> {
    let absent = |keys: &[&str]| -> Value {
        let each: Vec<Value> = keys.iter().map(|key| json!({ "required": [key] })).collect();
        json!({ "not": { "anyOf": each } })
    };
    match table.title {
        "[[offer]]" => {
            let of = |kind: &str, needs: &[&str], excludes: &[&str]| {
                let mut then = absent(excludes);
                then["required"] = json!(needs);
                json!({ "if": { "properties": { "kind": { "const": kind } } }, "then": then })
            };
            Some(json!([
                of("percent", &["percent"], &["amount"]),
                of("amount", &["amount"], &["percent"]),
                of("free_shipping", &[], &["percent", "amount"]),
            ]))
        }
        "[[experiment]]" => {
            let mut step = absent(&["panel"]);
            step["required"] = json!(["sequence", "step"]);
            step["properties"] = json!({ "arms": { "items": absent(&["copy", "dwell", "max_buy"]) } });
            let mut panel = absent(&["sequence", "step"]);
            panel["required"] = json!(["panel"]);
            // What `cart_check` tells is true, so there is nothing to try.
            panel["properties"] = json!({
                "arms": { "items": absent(&["at", "channel", "template"]) },
                "panel": { "not": { "const": "cart_check" } },
            });
            Some(json!([{ "oneOf": [step, panel] }]))
        }
        "an arm" => Some(json!([{
            "if": { "properties": { "silent": { "const": true } }, "required": ["silent"] },
            "then": absent(&["at", "channel", "template", "offer", "copy"]),
        }])),
        "[[rule]]" => {
            let laws = crate::pack::LAW_KEYS.iter().map(|(law, keys)| {
                let all = crate::pack::LAW_KEYS.iter().flat_map(|(_, keys)| *keys).copied();
                let others: Vec<&str> = all.filter(|key| !keys.contains(key)).collect();
                let needs: Vec<&&str> =
                    keys.iter().filter(|key| !crate::pack::MAY_LACK.contains(key)).collect();
                let mut then = absent(&others);
                then["required"] = json!(needs);
                json!({ "if": { "properties": { "law": { "const": law } } }, "then": then })
            });
            Some(Value::Array(laws.collect()))
        }
        _ => None,
    }
}

/// Every key with the table it is in, for the reference.
pub(crate) fn keys() -> Vec<(&'static Table, &'static Key)> {
    fn visit(table: &'static Table, found: &mut Vec<(&'static Table, &'static Key)>) {
        for key in table.keys {
            match key.form {
                Form::Table(of) | Form::Tables(of, ..) => {
                    // The tables of the document have a section of their own; `steps` and `arms` are keys too.
                    if !std::ptr::eq(table, &ROOT) {
                        found.push((table, key));
                    }
                    visit(of, found);
                }
                _ => found.push((table, key)),
            }
        }
    }
    let mut found = Vec::new();
    visit(&ROOT, &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_parts_are_plain_and_unique() {
        let schema = policy();
        let parts = schema["$defs"].as_object().unwrap();
        assert!(parts.contains_key("caps_per_person"), "{:?}", parts.keys());
        assert!(parts.keys().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
        assert!(!keys().is_empty());
    }
}
