//! `cargo xtask tidy`: what no compiler checks about the tracked files.

use crate::place::Place;
use crate::run::{self, Error, Outcome};
use std::fs;
use std::process::Command;

const LARGEST: u64 = 1_048_576;

/// Folders of somebody's machine; written in two parts so that this file does not trip over itself.
const MACHINE_PATHS: [(&str, &str); 4] = [("/wo", "rk/"), ("/ro", "ot/"), ("/fa", "rm/"), ("/Us", "ers/")];

pub(crate) fn command(place: &Place) -> Outcome {
    let listed = run::stdout_of(Command::new("git").args(["ls-files", "-z"]).current_dir(&place.root))?;
    let mut wrong = Vec::new();
    let mut count = 0_usize;
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let path = place.root.join(name);
        // Deleted in the working tree and not yet in the index.
        let Ok(about) = fs::metadata(&path) else {
            continue;
        };
        count += 1;
        if about.len() > LARGEST {
            wrong.push(format!("{name}: {} bytes, the largest allowed is {LARGEST}", about.len()));
            continue;
        }
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        wrong.extend(faults(name, &text));
    }
    for needed in ["deny.toml", "clippy.toml", "size-budget.json", "wrangler.toml", "package-lock.json"] {
        if !place.root.join(needed).is_file() {
            wrong.push(format!("{needed} is missing"));
        }
    }
    if wrong.is_empty() {
        println!("tidy: {count} tracked files");
        return Ok(());
    }
    Err(Error::new(format!("tidy:\n  {}", wrong.join("\n  "))))
}

fn faults(name: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    // An attribute may have to come first; the header is still the first thing said.
    if name.ends_with(".rs") && !text.starts_with("//!") {
        wrong.push(format!("{name}: does not open with `//!` (what it is, what it does not do)"));
    }
    for (start, end) in MACHINE_PATHS {
        let path = format!("{start}{end}");
        // Part of a longer path or address (`crates/x/work/`, `https://a/work/`) is something else.
        let alone = text.match_indices(&path).find(|(at, _)| {
            !text[..*at]
                .chars()
                .next_back()
                .is_some_and(|before| before.is_alphanumeric() || "._-}$~*".contains(before))
        });
        if let Some((at, _)) = alone {
            let line = text[..at].lines().count().max(1);
            wrong.push(format!("{name}:{line}: a path of one machine ({path})"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_found_and_lookalikes_are_not() {
        let machine = format!("{}{}", "/wo", "rk/main");
        assert_eq!(faults("a.rs", "fn main() {}").len(), 1);
        assert!(faults("a.rs", "//! Says what it is.\n").is_empty());
        assert_eq!(faults("a.md", &format!("see {machine}")).len(), 1);
        assert_eq!(faults("a.toml", &format!("x = \"{machine}\"")).len(), 1);
        assert!(faults("a.md", &format!("https://shop.example{machine} and tests{machine}")).is_empty());
    }
}
