//! The published JSON Schema against the parser: what is sound is valid, what is broken in form is
//! broken for both, and the two know the same keys.

#![allow(clippy::unwrap_used, reason = "tests; clippy.toml spares only what stands in a #[test] itself")]

use comeback_policy::{PolicyErrors, packs, parse, parse_pack, presets, schema};
use jsonschema::Validator;
use serde_json::{Value, json};

const FULL: &str = include_str!("full.toml");
const SOUND: &str = include_str!("sound.toml");

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::meta::validate(schema).map_err(|e| e.to_string()).unwrap();
    jsonschema::draft202012::new(schema).map_err(|e| e.to_string()).unwrap()
}

fn json(text: &str) -> Value {
    toml::from_str(text).unwrap()
}

/// JSON as TOML, on one line per table key of the document.
fn toml_of(document: &Value) -> String {
    let lines =
        document.as_object().unwrap().iter().map(|(key, value)| format!("{key} = {}\n", inline(value)));
    lines.collect()
}

fn inline(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{} = {}", Value::from(key.as_str()), inline(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(inline).collect();
            format!("[{}]", elements.join(", "))
        }
        other => other.to_string(),
    }
}

#[test]
fn the_published_files_are_those_of_this_build() {
    for (file, schema) in [("policy", schema::policy()), ("jurisdiction", schema::pack())] {
        let path = format!("{}/../../docs/{file}.schema.json", env!("CARGO_MANIFEST_DIR"));
        let published: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(published, schema, "write it anew with the example `published`");
    }
}

#[test]
fn what_is_sound_is_valid() {
    let validator = validator(&schema::policy());
    let tests = [("full", FULL), ("sound", SOUND)];
    for (name, text) in presets().iter().chain(&tests) {
        let errors: Vec<String> = validator.iter_errors(&json(text)).map(|e| e.to_string()).collect();
        assert_eq!(errors, [""; 0], "{name}");
        assert!(parse(name, text).is_ok(), "{name}");
        // The tests' own way from JSON to TOML loses nothing.
        let again = parse(name, &toml_of(&json(text))).unwrap().0;
        assert_eq!(again.version, parse(name, text).unwrap().0.version, "{name}");
    }
    let validator = self::validator(&schema::pack());
    for (code, text) in packs() {
        assert!(validator.is_valid(&json(text)), "{code}");
    }
}

/// Each edit of the full policy is refused by the parser and by the schema.
#[test]
fn what_is_broken_in_form_is_broken_for_both() {
    let cases = [
        ("idle = \"25m\"", "idle = \"15min\""),
        ("idle = \"25m\"", "idle = 15"),
        ("page_exit = \"5m\"", "page_exit = \"never\""),
        ("name = \"full\"", "name = \"Full\""),
        ("name = \"full\"", ""),
        ("language = 1", "language = 2"),
        ("language = 1", "language = \"1\""),
        ("name = \"newcomer\"", "name = \"not\""),
        ("when = \"person.orders == 0\"", "when = \"\""),
        ("when = \"person.orders == 0\"", "when = 3"),
        ("when = \"person.orders == 0\"", ""),
        ("kind = \"percent\"", "kind = \"percentage\""),
        ("kind = \"percent\"", "kind = \"free_shipping\""),
        ("percent = 15", "percent = 0"),
        ("percent = 15", "percent = 101"),
        ("percent = 15", ""),
        ("amount = 5.5", "amount = -5"),
        ("amount = 5.5", "amount = 5.5\npercent = 5"),
        ("min_margin = 0.2", "min_margin = 20"),
        ("not_for = [\"books\"]", "not_for = [\"books\", \"books\"]"),
        ("not_for = [\"books\"]", "not_for = \"books\""),
        ("approval = true", "approval = \"yes\""),
        ("arms = [\"none\", \"five_euro\", \"fifteen\"]", "arms = [\"none\"]"),
        ("cost = { five_euro = 0.06 }", "cost = { five_euro = 6 }"),
        ("on = [\"browse\"]", "on = [\"brows\"]"),
        ("on = [\"browse\"]", "on = []"),
        ("channel = [\"email\", \"sms\"]", "channel = [\"email\", \"fax\"]"),
        ("channel = [\"email\", \"sms\"]", "channel = [\"email\", \"email\"]"),
        ("channel = [\"email\", \"sms\"]", "channel = []"),
        ("channel = [\"email\", \"sms\"]", "channels = [\"email\", \"sms\"]"),
        ("at = \"24h\", window", "window"),
        ("step = \"incentive\"", ""),
        ("panel = \"exit\"\narms", "arms"),
        ("panel = \"exit\"\narms", "panel = \"cart_check\"\narms"),
        ("panel = \"exit\"\narms", "panel = \"exit\"\nsequence = \"standard\"\nstep = \"reminder\"\narms"),
        ("{ name = \"shown\" }", "{ name = \"shown\", at = \"1h\" }"),
        ("{ name = \"hidden\", silent", "{ name = \"hidden\", copy = \"plain\", silent"),
        ("{ name = \"control\", weight", "{ name = \"control\", copy = \"plain\", weight"),
        ("panel = \"exit\"\nmax_buy", "panel = \"exits\"\nmax_buy"),
        ("max_buy = 0.5", "max_buy = 50"),
        ("min_pages = 2", "min_pages = 2.5"),
        ("off = true", "off = 1"),
        ("{ name = \"nothing\", silent = true }", "{ name = \"nothing\", silent = true, offer = \"none\" }"),
        ("weight = 3", "weight = 0"),
        ("per_person = { day = 2, week = 4 }", "per_person = 2"),
        ("sms_per_abandonment = 2", "sms_per_abandonment = 3"),
        ("unanswered = 5", ""),
        ("sms = \"confirmed\"", "sms = \"double\""),
        ("mobile_first = [\"push\"]", "mobile_first = [\"mobile\"]"),
        ("from = \"20:30\"", "from = \"24:30\""),
        ("from = \"20:30\"", "from = \"8:30\""),
        ("packs = [\"fr\"]", "packs = \"some\""),
        ("packs = [\"fr\"]", "packs = [\"France\"]"),
        ("default_country = \"FR\"", "default_country = \"fr\""),
        ("percent = 50", "percent = 150"),
        ("rates = { USD = 0.92 }", "rates = { usd = 0.92 }"),
        ("rates = { USD = 0.92 }", "rates = { USD = 0 }"),
        ("free_from = 49.9", "free_from = \"49.9\""),
        ("[link]", "[links]"),
    ];
    let validator = validator(&schema::policy());
    for (from, to) in cases {
        assert_eq!(FULL.matches(from).count(), 1, "{from:?} must be there once");
        let text = FULL.replace(from, to);
        assert!(parse("broken", &text).is_err(), "the parser takes {to:?} for {from:?}");
        assert!(!validator.is_valid(&json(&text)), "the schema takes {to:?} for {from:?}");
    }
}

/// Pointers to every table of the full policy, each with its name in the schema.
fn tables(schema: &Value, of: &Value, document: &Value, at: &str, found: &mut Vec<(String, Value)>) {
    found.push((at.to_owned(), of.clone()));
    for (key, form) in of["properties"].as_object().unwrap() {
        let resolve = |form: &Value| {
            let name = form["$ref"].as_str()?.strip_prefix("#/$defs/")?.to_owned();
            Some(schema["$defs"][name].clone())
        };
        let here = format!("{at}/{key}");
        if let Some(inner) = resolve(form) {
            assert!(document.pointer(&here).is_some(), "full.toml has no {here}");
            tables(schema, &inner, document, &here, found);
        } else if let Some(inner) = resolve(&form["items"]) {
            let count = document.pointer(&here).and_then(Value::as_array).map_or(0, Vec::len);
            for index in 0..count {
                tables(schema, &inner, document, &format!("{here}/{index}"), found);
            }
        }
    }
}

fn without(document: &Value, table: &str, key: &str) -> Option<Value> {
    let mut less = document.clone();
    let members = if table.is_empty() { &mut less } else { less.pointer_mut(table)? };
    members.as_object_mut()?.remove(key)?;
    Some(less)
}

/// Whether the only errors are about meaning: references and the like, which a schema does not see.
fn of_meaning(errors: &PolicyErrors) -> bool {
    errors
        .errors
        .iter()
        .all(|error| !error.message.contains("needs") && !error.message.contains("unknown key"))
}

#[test]
fn both_know_the_same_keys() {
    let schema = schema::policy();
    let validator = validator(&schema);
    let full = json(FULL);
    let version = parse("full", FULL).unwrap().0.version;
    let mut all = Vec::new();
    tables(&schema, &schema, &full, "", &mut all);
    let mut read = std::collections::BTreeSet::new();
    let mut known = std::collections::BTreeSet::new();
    for (table, form) in &all {
        // Tables of one kind share their keys, so it is enough that one of them has each.
        let kind = form["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        for key in form["properties"].as_object().unwrap().keys() {
            known.insert((kind.clone(), key.clone()));
            let Some(less) = without(&full, table, key) else {
                continue;
            };
            let parsed = parse("less", &toml_of(&less));
            let valid = validator.is_valid(&less);
            match parsed {
                Ok((policy, _)) => {
                    assert!(valid, "only the schema needs {table}/{key}");
                    if policy.version != version || key == "language" {
                        read.insert((kind.clone(), key.clone()));
                    }
                }
                Err(errors) => {
                    assert!(!valid || of_meaning(&errors), "only the parser needs {table}/{key}: {errors}");
                    read.insert((kind.clone(), key.clone()));
                }
            }
        }
        let mut more = full.clone();
        let members = if table.is_empty() { &mut more } else { more.pointer_mut(table).unwrap() };
        members.as_object_mut().unwrap().insert("surprise".to_owned(), json!(1));
        assert!(!validator.is_valid(&more), "{table}");
        let errors = parse("more", &toml_of(&more)).unwrap_err();
        assert!(
            errors.errors.iter().any(|e| e.message.contains("unknown key `surprise`")),
            "{table}: {errors}"
        );
    }
    let unread: Vec<_> = known.difference(&read).collect();
    assert!(unread.is_empty(), "the schema has keys that change nothing: {unread:?}");
}

#[test]
fn packs_are_judged_alike() {
    let validator = validator(&schema::pack());
    let (_, sound) = packs().iter().find(|(code, _)| *code == "fr").unwrap();
    let cases = [
        ("code = \"fr\"", ""),
        ("countries = [\"FR\", \"GF\", \"GP\", \"MF\", \"MQ\", \"RE\", \"YT\"]", "countries = [\"France\"]"),
        ("countries = [\"FR\", \"GF\", \"GP\", \"MF\", \"MQ\", \"RE\", \"YT\"]", "countries = []"),
        ("\"05-08\"", "\"13-08\""),
        ("\"easter+50\"", "\"pentecost\""),
        ("law = \"no_days\"", "law = \"no_day\""),
        ("law = \"no_days\"", "law = \"quiet\""),
    ];
    for (from, to) in cases {
        assert_eq!(sound.matches(from).count(), 1, "{from:?} must be there once");
        let text = sound.replace(from, to);
        assert!(parse_pack("fr", &text).is_err(), "the parser takes {to:?} for {from:?}");
        assert!(!validator.is_valid(&json(&text)), "the schema takes {to:?} for {from:?}");
    }
}
