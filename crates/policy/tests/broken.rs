//! Policies that are wrong, and exactly what their authors read: `broken/*.toml`, each beside its `.txt`.
//! `comeback policy check crates/policy/tests/broken/*.toml` shows them.

#![allow(clippy::unwrap_used, reason = "tests; clippy.toml spares only what stands in a #[test] itself")]

use std::fs;

use comeback_policy::parse;

/// What is shown, errors first, as the command line shows it. The sources that packs name change with
/// the law and are cut off.
fn shown(name: &str, text: &str) -> String {
    let (errors, warnings) = match parse(name, text) {
        Ok((_, warnings)) => (vec![], warnings),
        Err(refused) => (refused.errors, refused.warnings),
    };
    let mut shown = String::new();
    for diagnostic in errors.iter().chain(&warnings) {
        for line in diagnostic.to_string().lines() {
            let line = line.split_once(", as of ").map_or(line, |(before, _)| before);
            shown.push_str(line);
            shown.push('\n');
        }
        shown.push('\n');
    }
    shown.push_str(&format!("{} errors, {} warnings\n", errors.len(), warnings.len()));
    shown
}

#[test]
fn every_broken_policy_is_told_what_is_wrong() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/broken");
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    names.sort();
    assert!(names.len() >= 12, "{names:?}");
    let mut differ = String::new();
    for name in names {
        let text = fs::read_to_string(format!("{folder}/{name}")).unwrap();
        let found = shown(&name, &text);
        let expected = name.replace(".toml", ".txt");
        let expect = fs::read_to_string(format!("{folder}/{expected}")).unwrap_or_default();
        if found != expect {
            differ.push_str(&format!("{name} shows:\n{found}\n{expected} has:\n{expect}\n"));
        }
        assert!(!found.ends_with("0 errors, 0 warnings\n"), "{name} is sound");
    }
    assert!(differ.is_empty(), "{differ}");
}
