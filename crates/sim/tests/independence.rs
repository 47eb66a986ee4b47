//! The checker shares no code with what it checks: its sources name neither the core nor anything of this crate but
//! themselves. (The arrows see crates only, and the crate around the checker must know the core.)
#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(at: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn the_checker_imports_nothing_of_ours() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![src.join("checker.rs")];
    sources(&src.join("checker"), &mut files);
    assert!(files.len() > 5, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (n, line) in text.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")) {
            for word in ["comeback_", "crate::", "jiff", "super::super"] {
                assert!(!line.contains(word), "{}:{}: {line}", file.display(), n + 1);
            }
        }
    }
}
