//! `cargo xtask arrows`: which crate may import which, read from `cargo metadata`.
//!
//! It sees declared dependencies, not whether they are used. The rules live here and are told in ARCHITECTURE.md.

use crate::place::Place;
use crate::run::{self, Error, Outcome};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// The pure crates: no clock, no randomness, no I/O, and nothing that brings them. The last is for the desk only.
const PURE: [&str; 9] = [
    "comeback-core",
    "comeback-policy",
    "comeback-score",
    "comeback-link",
    "comeback-message",
    "comeback-intake",
    "comeback-page",
    "comeback-wire",
    SIM,
];

/// What a pure crate must not link, directly or through others, on wasm32 (where it ships).
const BANNED: [&str; 7] = ["worker", "wasm-bindgen", "js-sys", "web-sys", "rand", "getrandom", "tokio"];

/// Ways that are not followed, each with its reason.
/// `mail-builder` links `web-time` (and with it js-sys) for a Date header that is not given; ours always is, so no clock is
/// read, and on wasm32 what is never called is not shipped.
const EXCUSED: [(&str, &str); 1] = [("mail-builder", "web-time")];

/// Who may import whom. A crate that is not listed may import nothing of ours, so that a new room is a decision.
fn allowed(krate: &str) -> &'static [&'static str] {
    match krate {
        "comeback-wire" | "comeback-policy" | "comeback-message" | "comeback-intake" | "comeback-score"
        | "comeback-link" => &["comeback-core"],
        "comeback-cli" => &PURE,
        "comeback-worker" | "comeback-testkit" => &PURE[..PURE.len() - 1],
        "comeback-sdk" => &["comeback-wire", "comeback-score", "comeback-core"],
        "comeback-bench-core" => &["comeback-core", SIM],
        SIM => &["comeback-core", "comeback-policy", "comeback-score"],
        _ => &[],
    }
}

const TESTKIT: &str = "comeback-testkit";
const SIM: &str = "comeback-sim";

/// One declared dependency between crates of this workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: String,
    to: String,
    dev: bool,
}

pub(crate) fn command(place: &Place) -> Outcome {
    let text = run::stdout_of(
        Command::new("cargo")
            .args(["metadata", "--format-version=1", "--filter-platform", "wasm32-unknown-unknown"])
            .current_dir(&place.root),
    )?;
    let metadata: Value = serde_json::from_str(&text)?;
    let edges = edges(&metadata);
    let mut wrong = wrong_edges(&edges);
    wrong.extend(banned_paths(&metadata));
    if wrong.is_empty() {
        println!(
            "arrows: {} edges between our crates, all allowed; nothing banned inside the pure crates",
            edges.len()
        );
        return Ok(());
    }
    Err(Error::new(format!("arrows:\n  {}", wrong.join("\n  "))))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Declared edges between workspace members.
fn edges(metadata: &Value) -> BTreeSet<Edge> {
    let members: BTreeSet<&str> =
        list(metadata, "workspace_members").iter().filter_map(Value::as_str).collect();
    let ours: Vec<&Value> =
        list(metadata, "packages").iter().filter(|package| members.contains(text(package, "id"))).collect();
    let names: BTreeSet<&str> = ours.iter().map(|package| text(package, "name")).collect();
    let mut edges = BTreeSet::new();
    for package in ours {
        for dependency in list(package, "dependencies") {
            let to = text(dependency, "name");
            if names.contains(to) {
                let dev = text(dependency, "kind") == "dev";
                edges.insert(Edge { from: text(package, "name").to_owned(), to: to.to_owned(), dev });
            }
        }
    }
    edges
}

fn wrong_edges(edges: &BTreeSet<Edge>) -> Vec<String> {
    let mut wrong = Vec::new();
    for Edge { from, to, dev } in edges {
        if to == TESTKIT {
            if !dev {
                wrong.push(format!("{from} -> {to}: only ever a dev-dependency"));
            }
        } else if !allowed(from).contains(&to.as_str()) {
            wrong.push(format!("{from} -> {to}: not an arrow of the house"));
        }
    }
    wrong
}

/// Every way from a pure crate to a banned one, over normal dependencies for wasm32.
fn banned_paths(metadata: &Value) -> Vec<String> {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for package in list(metadata, "packages") {
        names.insert(text(package, "id"), text(package, "name"));
    }
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in metadata.get("resolve").map_or(&[][..], |resolve| list(resolve, "nodes")) {
        let mut targets = Vec::new();
        for dependency in list(node, "deps") {
            // A null kind is a normal dependency; build and dev ones are not linked.
            let normal =
                list(dependency, "dep_kinds").iter().any(|kind| kind.get("kind").is_none_or(Value::is_null));
            if normal {
                targets.push(text(dependency, "pkg"));
            }
        }
        next.insert(text(node, "id"), targets);
    }
    let mut found = Vec::new();
    for (id, name) in &names {
        if PURE.contains(name) {
            let mut seen = BTreeSet::new();
            search(id, &mut vec![*name], &names, &next, &mut seen, &mut found);
        }
    }
    found
}

fn search<'a>(
    id: &'a str,
    path: &mut Vec<&'a str>,
    names: &BTreeMap<&'a str, &'a str>,
    next: &BTreeMap<&'a str, Vec<&'a str>>,
    seen: &mut BTreeSet<&'a str>,
    found: &mut Vec<String>,
) {
    for target in next.get(id).map_or(&[][..], Vec::as_slice) {
        let name = names.get(target).copied().unwrap_or_default();
        if path.last().is_some_and(|from| EXCUSED.contains(&(*from, name))) {
            continue;
        }
        path.push(name);
        if BANNED.contains(&name) {
            found.push(format!("{}: banned inside a pure crate", path.join(" -> ")));
        } else if seen.insert(target) {
            search(target, path, names, next, seen, found);
        }
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn edge(from: &str, to: &str, dev: bool) -> BTreeSet<Edge> {
        BTreeSet::from([Edge { from: from.to_owned(), to: to.to_owned(), dev }])
    }

    #[test]
    fn arrows_point_one_way() {
        for (from, to, dev, fine) in [
            ("comeback-wire", "comeback-core", false, true),
            ("comeback-core", "comeback-wire", false, false),
            ("comeback-worker", "comeback-link", false, true),
            ("comeback-sdk", "comeback-link", false, false),
            ("comeback-sdk", "comeback-worker", false, false),
            ("comeback-cli", "comeback-worker", false, false),
            ("comeback-score", "comeback-testkit", true, true),
            ("comeback-score", "comeback-testkit", false, false),
            ("comeback-testkit", "comeback-core", false, true),
            ("comeback-cli", "comeback-sim", false, true),
            ("comeback-worker", "comeback-sim", false, false),
            ("comeback-sim", "comeback-core", false, true),
            ("comeback-new-room", "comeback-core", false, false),
        ] {
            assert_eq!(wrong_edges(&edge(from, to, dev)).is_empty(), fine, "{from} -> {to} dev={dev}");
        }
    }

    #[test]
    fn a_ban_holds_through_others_and_not_for_build_scripts() {
        let metadata = json!({
            "packages": [
                {"id": "1", "name": "comeback-link"}, {"id": "2", "name": "middle"},
                {"id": "3", "name": "getrandom"}, {"id": "4", "name": "rand"},
            ],
            "resolve": {"nodes": [
                {"id": "1", "deps": [
                    {"pkg": "2", "dep_kinds": [{"kind": null}]},
                    {"pkg": "4", "dep_kinds": [{"kind": "build"}]},
                ]},
                {"id": "2", "deps": [{"pkg": "3", "dep_kinds": [{"kind": null}]}]},
            ]},
        });
        assert_eq!(
            banned_paths(&metadata),
            ["comeback-link -> middle -> getrandom: banned inside a pure crate"]
        );
    }
}
