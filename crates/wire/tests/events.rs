//! The published event schema against the edge's reader, on vectors that the pages' tests read too
//! (`tests/browser/events.test.mjs`): what one takes the other takes. Says nothing about what a
//! batch means; that is tested beside the reader.

#![allow(clippy::unwrap_used, reason = "tests; clippy.toml spares only what stands in a #[test] itself")]

use comeback_core::time::Timestamp;
use comeback_wire::capture::{Batch, MAX_BODY};
use jsonschema::Validator;
use serde_json::Value;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn read(path: &str) -> Value {
    let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn schema() -> Validator {
    let schema = read("docs/events.schema.json");
    jsonschema::draft202012::meta::validate(&schema).map_err(|e| e.to_string()).unwrap();
    jsonschema::draft202012::new(&schema).map_err(|e| e.to_string()).unwrap()
}

fn vectors(name: &str) -> Vec<Value> {
    read(&format!("tests/vectors/events/{name}.json")).as_array().unwrap().clone()
}

#[test]
fn what_is_valid_is_read_in_full() {
    let schema = schema();
    let vectors = vectors("valid");
    assert!(vectors.len() > 10);
    for vector in &vectors {
        let (what, batch) = (&vector["what"], &vector["batch"]);
        assert!(schema.is_valid(batch), "{what}");
        let body = batch.to_string();
        assert!(body.len() <= MAX_BODY, "{what}: {} bytes", body.len());
        let read = Batch::parse(body.as_bytes(), NOW).map_err(|e| format!("{what}: {e}")).unwrap();
        assert_eq!(Some(read.signals.len() as u64), vector["signals"].as_u64(), "{what}");
        assert_eq!(Some(u64::from(read.ignored)), vector["ignored"].as_u64(), "{what}");
    }
}

#[test]
fn what_is_not_valid_is_refused_with_its_place() {
    let schema = schema();
    let vectors = vectors("invalid");
    assert!(vectors.len() > 40);
    for vector in &vectors {
        let (what, batch) = (&vector["what"], &vector["batch"]);
        assert!(!schema.is_valid(batch), "{what}");
        let body = batch.to_string();
        assert!(body.len() <= MAX_BODY, "{what}: it must be refused for what it says");
        let told = Batch::parse(body.as_bytes(), NOW).unwrap_err().to_string();
        assert!(told.contains(vector["says"].as_str().unwrap()), "{what}: {told}");
    }
}

#[test]
fn the_limits_that_are_published_are_those_of_the_reader() {
    let schema = read("docs/events.schema.json");
    let limit = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    assert_eq!(limit(&schema["properties"]["events"]["maxItems"]), comeback_wire::capture::MAX_EVENTS);
    let items = &schema["$defs"]["cart_change"]["properties"]["items"];
    assert_eq!(limit(&items["maxItems"]), comeback_core::cart::MAX_LINES);
    let quantity = &schema["$defs"]["line"]["properties"]["quantity"]["anyOf"][0]["maximum"];
    assert_eq!(quantity.as_u64(), Some(u64::from(comeback_core::cart::MAX_QUANTITY)));
    assert!(schema["description"].as_str().unwrap().contains(&MAX_BODY.to_string()));
}
