//! `comeback policy diff`: what differs between two policies, place by place. Compares the canonical
//! forms, so that layout and comments do not count. Things with a name are compared by their name.

use std::collections::BTreeSet;
use std::io::Write;

use comeback_core::policy::Policy;
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::shown;

/// One difference.
#[derive(Debug, PartialEq, Serialize)]
struct Difference {
    /// Where, `sequences.standard.steps.reminder.at_ms`.
    place: String,
    /// What stands there in the first; nothing if it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Value>,
    /// What stands there in the second; nothing if it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Value>,
}

/// Prints it.
pub(super) fn print(a: &Policy, b: &Policy, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let value = |policy: &Policy| {
        serde_json::to_value(policy).map_err(|e| Failure::Found(format!("{}: {e}", policy.name)))
    };
    let mut found = vec![];
    compare("", Some(&value(a)?), Some(&value(b)?), &mut found);
    found.retain(|d| d.place != "version");
    if json {
        let all = serde_json::json!({ "from": a.version, "to": b.version, "differences": found });
        return Ok(writeln!(out, "{all:#}")?);
    }
    let (from, to) = (shown::line(&a.name), shown::line(&b.name));
    writeln!(out, "`{from}` {} -> `{to}` {}", a.version, b.version)?;
    if found.is_empty() {
        writeln!(out, "  no difference")?;
    }
    for Difference { place, from, to } in &found {
        let place = shown::line(place);
        match (from, to) {
            (Some(from), Some(to)) => {
                writeln!(out, "~ {place}: {} -> {}", told(place.as_str(), from), told(place.as_str(), to))?
            }
            (Some(from), None) => writeln!(out, "- {place}: {}", told(place.as_str(), from))?,
            (None, Some(to)) => writeln!(out, "+ {place}: {}", told(place.as_str(), to))?,
            (None, None) => {}
        }
    }
    Ok(())
}

/// Spans as people write them; all else as JSON.
fn told(place: &str, value: &Value) -> String {
    let text = match value.as_i64().filter(|_| place.ends_with("_ms")) {
        Some(ms) => [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")]
            .iter()
            .find(|(unit, _)| ms != 0 && ms % unit == 0)
            .map_or_else(|| format!("{ms}ms"), |(unit, name)| format!("{}{name}", ms / unit)),
        None => value.to_string(),
    };
    shown::line(&text)
}

fn compare(place: &str, a: Option<&Value>, b: Option<&Value>, found: &mut Vec<Difference>) {
    if a == b {
        return;
    }
    let below = |key: &str| if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
    match (a, b) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                compare(&below(key), a.get(key), b.get(key), found);
            }
        }
        (Some(Value::Array(x)), Some(Value::Array(y))) if named(x) && named(y) => {
            let by_name = |list: &[Value], name: &str| list.iter().find(|v| v["name"] == name).cloned();
            let names = |list: &[Value]| -> Vec<String> {
                list.iter().filter_map(|v| v["name"].as_str().map(str::to_owned)).collect()
            };
            let (first, second) = (names(x), names(y));
            for name in first.iter().chain(second.iter().filter(|n| !first.contains(n))) {
                compare(&below(name), by_name(x, name).as_ref(), by_name(y, name).as_ref(), found);
            }
            let common = |list: &[String], other: &[String]| -> Vec<String> {
                list.iter().filter(|n| other.contains(n)).cloned().collect()
            };
            let (a, b) = (common(&first, &second), common(&second, &first));
            // Sequences and steps are asked in their order.
            if a != b {
                let value = |names: Vec<String>| Some(Value::from(names));
                found.push(Difference { place: below("order"), from: value(a), to: value(b) });
            }
        }
        _ => found.push(Difference { place: place.to_owned(), from: a.cloned(), to: b.cloned() }),
    }
}

fn named(list: &[Value]) -> bool {
    !list.is_empty() && list.iter().all(|v| v["name"].is_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_differs_from_itself_in_nothing_and_from_another_by_name() {
        let classic = super::super::load("classic").unwrap();
        let said = |a: &Policy, b: &Policy| {
            let mut out = vec![];
            print(a, b, false, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert!(said(&classic, &classic).contains("no difference"));
        let mut other = classic.clone();
        other.idle_ms = 30 * 60_000;
        other.sequences[0].steps[0].at_ms = 2 * 3_600_000;
        let gone = other.sequences[0].steps.pop().unwrap();
        let name = &classic.sequences[0].name;
        let told = said(&classic, &other);
        assert!(told.contains("~ idle_ms: 15m -> 30m"), "{told}");
        assert!(
            told.contains(&format!(
                "~ sequences.{name}.steps.{}.at_ms: 1d -> 2h",
                other.sequences[0].steps[0].name
            )),
            "{told}"
        );
        assert!(told.contains(&format!("- sequences.{name}.steps.{}: {{", gone.name)), "{told}");
    }
}
