//! Signed, but not what it should be: cut off, of other types, not JSON at all. Never a panic,
//! never a body taken for what it is not, never a value of the body in an error.

#![allow(clippy::unwrap_used, reason = "vectors that cannot be read fail the test")]

mod support;

use std::path::PathBuf;

use comeback_intake::{IntakeError, Operation};
use serde_json::{Value, json};
use support::{TOPICS, checkout_value, order_value, parse, parse_value};

fn suite() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/json");
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().extension().is_some_and(|e| e == "json"))
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.push(("n_structure_100000_opening_arrays.json".to_owned(), "[".repeat(100_000).into_bytes()));
    files.push((
        "n_structure_open_array_object.json".to_owned(),
        format!("{}\n", "[{\"\":".repeat(50_000)).into_bytes(),
    ));
    assert_eq!(files.len(), 318);
    files
}

#[test]
fn every_cut_of_a_body_is_refused() {
    for (topic, value) in [("checkouts/create", checkout_value()), ("orders/paid", order_value())] {
        let body = value.to_string().into_bytes();
        assert!(parse(topic, &body).is_ok());
        for end in 0..body.len() {
            assert!(
                matches!(parse(topic, &body[..end]), Err(IntakeError::Malformed { .. })),
                "{topic} {end}"
            );
        }
    }
}

#[test]
fn the_json_suite_alone_is_never_an_operation() {
    for (name, body) in suite() {
        for topic in TOPICS {
            assert!(matches!(parse(topic, &body), Err(IntakeError::Malformed { .. })), "{name}");
        }
    }
}

#[test]
fn the_json_suite_inside_a_body_changes_nothing_or_is_refused() {
    let whole = checkout_value().to_string();
    let (head, tail) = whole.split_once("\"properties\":null").unwrap();
    let expect = parse("checkouts/update", whole.as_bytes()).unwrap();
    for (name, inner) in suite() {
        let body = [head.as_bytes(), b"\"properties\":", &inner, tail.as_bytes()].concat();
        match parse("checkouts/update", &body) {
            Ok(read) => assert!(read == expect && !name.starts_with("n_"), "{name}"),
            Err(error) => assert!(
                matches!(error, IntakeError::Malformed { .. }) && !name.starts_with("y_"),
                "{name}: {error}"
            ),
        }
    }
}

/// Paths of all fields of a value, as JSON pointers.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| pointers(v, &format!("{at}/{k}"), found)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, v)| pointers(v, &format!("{at}/{i}"), found));
        }
        _ => {}
    }
}

#[test]
fn any_field_of_any_type_is_read_or_refused_by_name() {
    let secret = "zq-not-for-logs";
    let odd = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(""),
        json!(secret),
        json!("\u{0}"),
        json!([]),
        json!([secret]),
        json!({}),
        json!({secret: secret}),
        json!("9".repeat(50)),
        json!("2026-02-30T00:00:00Z"),
    ];
    let mut refused = 0;
    for (topic, value) in [("checkouts/update", checkout_value()), ("orders/create", order_value())] {
        let mut all = Vec::new();
        pointers(&value, "", &mut all);
        for pointer in all {
            for replacement in &odd {
                let mut changed = value.clone();
                *changed.pointer_mut(&pointer).unwrap() = replacement.clone();
                match parse_value(topic, &changed) {
                    Ok(Operation::Checkout(read)) => assert!(read.lines.len() <= 2),
                    Ok(Operation::Order(read)) => assert!(read.lines.len() <= 3),
                    Err(error) => {
                        refused += 1;
                        let IntakeError::Malformed { ref at, .. } = error else { panic!("{error}") };
                        assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
                        let place = pointer.trim_start_matches('/').replace('/', ".");
                        let named: String = at.replace('[', ".").replace(']', "");
                        assert!(place.is_empty() || named.starts_with(&place), "{pointer}: {error}");
                    }
                }
            }
        }
    }
    assert!(refused > 200, "{refused}");
}

#[test]
fn bytes_changed_anywhere_do_not_panic() {
    let body = checkout_value().to_string().into_bytes();
    for place in 0..body.len() {
        for byte in [0, b'"', b'{', b']', b'\\', b'-', b'9', 0xFF] {
            let mut changed = body.clone();
            changed[place] = byte;
            if let Err(error) = parse("checkouts/update", &changed) {
                assert!(matches!(error, IntakeError::Malformed { .. }));
            }
        }
    }
}
