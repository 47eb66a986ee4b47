//! `cargo xtask page-cost`: what the tag costs a page, beside others' tags, in one Chromium and one run.
//!
//! Installs the others outside the repository and starts `tests/bench/page_cost.mjs`, which measures and writes `docs/page-cost.md`
//! and `target/bench/page-cost.json`. It judges nothing: what can be counted is a test, milliseconds are for readers.

use crate::build;
use crate::place::Place;
use crate::run::{self, Error, Outcome, at};
use crate::setup::{self, Wanted};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const INSTALL_LIMIT: Duration = Duration::from_secs(600);
/// Versions of what ours is measured beside; a change of them is a change of the comparison.
const PEERS: &str = "tests/bench/page_cost/peers.json";

/// How often each page is visited.
const RUNS: u8 = 7;

pub(crate) fn command(place: &Place, rest: &[String]) -> Outcome {
    let runs = runs(rest)?;
    let machine = setup::prepare(place, Wanted { build: true, browser: true, lint: false })?;
    let ready = machine.ready()?;
    println!("build");
    build::browser(place, ready)?;
    let peers = peers(place)?;
    let mut script = ready.node();
    script
        .arg(place.root.join("tests/bench/page_cost.mjs"))
        .arg("--peers")
        .arg(peers)
        .args(["--runs", &runs.to_string(), "--json"])
        .arg(place.target.join("bench/page-cost.json"))
        .arg("--doc")
        .arg(place.root.join("docs/page-cost.md"))
        .env("CHROMIUM", machine.chromium()?);
    println!("\nmeasuring, about {} min", u32::from(runs) * 2);
    run::run(&mut script)?;
    println!("docs/page-cost.md");
    Ok(())
}

fn runs(rest: &[String]) -> Outcome<u8> {
    match rest {
        [] => Ok(RUNS),
        [option, number] if option == "--runs" => number
            .parse()
            .ok()
            .filter(|runs| (1..=60).contains(runs))
            .ok_or_else(|| Error::usage("page-cost: --runs needs a number from 1 to 60")),
        _ => Err(Error::usage("page-cost: the only option is --runs N")),
    }
}

/// The `node_modules` folder with the pinned packages, in the cache: the repository's own packages are its tools.
fn peers(place: &Place) -> Outcome<PathBuf> {
    let list = place.root.join(PEERS);
    let text = fs::read_to_string(&list).map_err(at(&list))?;
    let versions: Value = serde_json::from_str(&text)?;
    let mark: String =
        Sha256::digest(text.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let home = place.cache.join(format!("peers-{mark}"));
    let (modules, done) = (home.join("node_modules"), home.join("done"));
    if done.is_file() {
        run::already("packages to measure beside", "");
        return Ok(modules);
    }
    run::step("packages to measure beside (npm, about 20 s)", || {
        fs::create_dir_all(&home).map_err(at(&home))?;
        let package = home.join("package.json");
        let wanted = json!({ "private": true, "dependencies": versions });
        fs::write(&package, format!("{wanted:#}\n")).map_err(at(&package))?;
        let mut npm = Command::new("npm");
        // Only their files are served: nothing of theirs runs here.
        npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(&home);
        run::run_quietly(&mut npm, &place.scratch().join("log/npm-peers.log"), INSTALL_LIMIT)?;
        fs::write(&done, "").map_err(at(&done))?;
        Ok(modules.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_a_small_number() {
        let words = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        assert_eq!(runs(&[]).unwrap(), RUNS);
        assert_eq!(runs(&words(&["--runs", "3"])).unwrap(), 3);
        for bad in [&["--runs"][..], &["--runs", "0"], &["--runs", "61"], &["--runs", "many"], &["-x"]] {
            assert!(runs(&words(bad)).is_err(), "{bad:?}");
        }
    }
}
