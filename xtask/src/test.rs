//! `cargo xtask test`: everything CI runs, from set-up to browser. The last line is `N passed, N failed`.
//!
//! Counts the tests of each suite; a step that is no test suite (a lint, a build) counts as one. A skipped or ignored test counts
//! as failed, and so does a suite that ran nothing: both would let a green run say less than it seems to.

mod count;

use crate::build::{self, Variant};
use crate::place::Place;
use crate::run::{self, Error, Outcome};
use crate::setup::{self, Machine, Ready, Wanted};
use crate::{arrows, demo, lint, size, tidy};
use count::Count;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(1_800);
const SUITES: [&str; 13] = [
    "lint",
    "arrows",
    "tidy",
    "cargo",
    "build",
    "sdk",
    "worker",
    "browser",
    "packaging",
    "journey",
    "size",
    "deploy",
    "setup",
];

/// Suites that start a browser.
const BROWSER: &[&str] = &["browser", "journey"];

/// The run so far.
struct Report {
    only: Vec<String>,
    total: Count,
    failed: Vec<String>,
}

impl Report {
    fn wants(&self, suite: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == suite)
    }

    /// Heading, the work, its time and count; the error's text when it could not even count.
    fn suite(&mut self, name: &str, work: impl FnOnce() -> Outcome<Count>) {
        println!("\n== {name}");
        let started = Instant::now();
        let count = work().unwrap_or_else(|error| {
            println!("{error}");
            Count::ONE_FAILED
        });
        let count = if count == Count::default() {
            println!("{name}: no test ran");
            Count::ONE_FAILED
        } else {
            count
        };
        println!(
            "-- {name}: {} passed, {} failed, {:.1} s",
            count.passed,
            count.failed,
            started.elapsed().as_secs_f64()
        );
        if count.failed > 0 {
            self.failed.push(name.to_owned());
        }
        self.total.add(count);
    }

    /// A step that is one check.
    fn check(&mut self, name: &str, work: impl FnOnce() -> Outcome) {
        self.suite(name, || work().map(|()| Count::ONE_PASSED));
    }

    fn finish(self) -> Outcome {
        println!();
        if !self.failed.is_empty() {
            println!("failed: {}", self.failed.join(", "));
        }
        println!("{} passed, {} failed", self.total.passed, self.total.failed);
        if self.total.failed == 0 { Ok(()) } else { Err(Error::silent()) }
    }
}

pub(crate) fn command(place: &Place, rest: &[String]) -> Outcome {
    let mut report = Report { only: only(rest)?, total: Count::default(), failed: Vec::new() };
    let mut machine = Machine::default();
    let wanted = wanted(|suite| report.wants(suite));
    if wanted != Wanted::default() {
        let mut set_up = false;
        report.check("setup", || {
            machine = setup::prepare(place, wanted)?;
            set_up = true;
            Ok(())
        });
        if !set_up {
            return report.finish();
        }
    }
    if report.wants("lint") {
        for (name, mut command) in lint::steps(machine.wasm()?) {
            report.check(&format!("lint: {name}"), || {
                let log = log(place, &format!("lint-{}", name.replace(' ', "-")));
                run::run_quietly(command.current_dir(&place.root), &log, LIMIT)
            });
        }
    }
    if report.wants("arrows") {
        report.check("arrows", || arrows::command(place));
    }
    if report.wants("tidy") {
        report.check("tidy", || tidy::command(place));
    }
    if report.wants("cargo") {
        report.suite("cargo test", || cargo_test(place));
    }
    let built = build_what_is_tested(place, &machine, &mut report);
    for (name, folder) in [
        ("sdk", "sdk-js/test"),
        ("worker", "tests/worker"),
        ("browser", "tests/browser"),
        ("packaging", "tests/packaging"),
    ] {
        if report.wants(name) {
            report.suite(&format!("node --test {folder}"), || {
                needs(built)?;
                node_test(place, &machine, name, folder)
            });
        }
    }
    if report.wants("journey") {
        report.check("journey in a browser", || {
            needs(built)?;
            demo::journey(place, machine.ready()?, machine.chromium()?)
        });
    }
    if report.wants("size") {
        report.check("size", || needs(built).and_then(|()| size::command(place, &[])));
    }
    if report.wants("deploy") {
        report.check("wrangler deploy --dry-run", || {
            needs(built)?;
            dry_run(place, machine.ready()?)
        });
    }
    report.finish()
}

/// What the chosen suites need of this machine. One that is missing here fails when it asks for what was not set up.
fn wanted(wants: impl Fn(&str) -> bool) -> Wanted {
    let any = |suites: &[&str]| suites.iter().any(|suite| wants(suite));
    let all = wants("setup");
    let browser = all || any(BROWSER);
    Wanted {
        lint: all || wants("lint"),
        build: browser || any(&["build", "sdk", "worker", "packaging", "size", "deploy"]),
        browser,
    }
}

fn only(rest: &[String]) -> Outcome<Vec<String>> {
    let names: Vec<String> = match rest {
        [] => Vec::new(),
        [option, names] if option == "--only" => names.split(',').map(str::to_owned).collect(),
        [option] if option.starts_with("--only=") => {
            option["--only=".len()..].split(',').map(str::to_owned).collect()
        }
        _ => return Err(Error::usage("test: the only option is --only a,b,…")),
    };
    match names.iter().find(|name| !SUITES.contains(&name.as_str())) {
        Some(name) => Err(Error::usage(format!("test: no suite `{name}`; there are {}", SUITES.join(", ")))),
        None => Ok(names),
    }
}

fn needs(built: bool) -> Outcome {
    if built { Ok(()) } else { Err(Error::new("not run: the build failed")) }
}

fn log(place: &Place, name: &str) -> PathBuf {
    place.scratch().join(format!("log/test-{name}.log"))
}

/// Builds what the chosen suites load. Counts as a check of its own when it was asked for; otherwise only a failure counts.
fn build_what_is_tested(place: &Place, machine: &Machine, report: &mut Report) -> bool {
    let any = |suites: &[&str]| suites.iter().any(|suite| report.wants(suite));
    let mut variants = Vec::new();
    if any(&["build", "worker", "browser", "journey"]) {
        variants.push(Variant::Dev);
    }
    if any(&["build", "worker", "size", "deploy"]) {
        variants.push(Variant::Release);
    }
    if variants.is_empty() && !any(&["packaging"]) {
        return true;
    }
    let mut built = false;
    report.check("build", || {
        build::all(place, machine.ready()?, &variants)?;
        built = true;
        Ok(())
    });
    built
}

fn cargo_test(place: &Place) -> Outcome<Count> {
    let mut command = Command::new("cargo");
    command.args(["test", "--no-fail-fast"]).current_dir(&place.root);
    let done = run::run_logged(&mut command, &log(place, "cargo"), LIMIT)?;
    let text = done.text();
    let mut count = count::of_cargo(&text);
    if !done.succeeded() {
        println!("{}", run::tail(&text, 80));
        // It may have failed before any test ran.
        count.failed = count.failed.max(1);
    }
    Ok(count)
}

fn node_test(place: &Place, machine: &Machine, name: &str, folder: &str) -> Outcome<Count> {
    let mut files: Vec<PathBuf> = Vec::new();
    build::walk(&place.root.join(folder), &["node_modules"], &mut files)?;
    files.retain(|file| file.to_string_lossy().ends_with(".test.mjs"));
    if files.is_empty() {
        return Ok(Count::default());
    }
    let (spec, tap) = (log(place, &format!("{name}-spec")), log(place, &format!("{name}-tap")));
    run::remove_if_there(&tap)?;
    run::remove_if_there(&spec)?;
    let mut command = machine.ready()?.node();
    command.args(["--test", "--test-concurrency=1", "--test-timeout=600000"]);
    for (reporter, file) in [("spec", &spec), ("tap", &tap)] {
        command.arg(format!("--test-reporter={reporter}"));
        command.arg(format!("--test-reporter-destination={}", file.display()));
    }
    command.args(&files).env_remove("NODE_TEST_CONTEXT");
    if BROWSER.contains(&name) {
        command.env("CHROMIUM", machine.chromium()?);
    }
    let done = run::run_logged(&mut command, &log(place, name), LIMIT)?;
    let counted = fs::read_to_string(&tap).unwrap_or_default();
    let mut count = count::of_node(&counted);
    for file in count::files_without_tests(&counted) {
        println!("{file}: no test in it");
        count.passed = count.passed.saturating_sub(1);
        count.failed += 1;
    }
    if !done.succeeded() {
        count.failed = count.failed.max(1);
    }
    if count.failed > 0 {
        println!("{}", run::tail(&fs::read_to_string(&spec).unwrap_or_default(), 80));
        println!("{}", run::tail(&done.text(), 20));
    }
    Ok(count)
}

/// Proves that wrangler.toml and the release Worker are fit to be deployed: same bundling, no upload, no account.
fn dry_run(place: &Place, ready: &Ready) -> Outcome {
    let out = place.scratch().join("deploy");
    let mut command = ready.npm_program("wrangler");
    command
        .args(["deploy", "--dry-run", "--env", "", "--outdir"])
        .arg(&out)
        .env("CI", "1")
        .env("WRANGLER_SEND_METRICS", "false");
    run::run_quietly(&mut command, &log(place, "deploy"), Duration::from_secs(300))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_suites() {
        let words = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        assert_eq!(only(&words(&["--only", "worker,browser"])).unwrap(), ["worker", "browser"]);
        assert!(only(&words(&["--only", "wroker"])).is_err());
        assert!(only(&words(&["worker"])).is_err());
    }

    #[test]
    fn a_suite_sets_up_what_it_needs_and_no_more() {
        let needs = |chosen: &[&str]| {
            let wanted = wanted(|suite| chosen.is_empty() || chosen.contains(&suite));
            (wanted.lint, wanted.build, wanted.browser)
        };
        assert_eq!(needs(&["cargo", "arrows", "tidy"]), (false, false, false));
        assert_eq!(needs(&["lint"]), (true, false, false));
        for suite in ["build", "sdk", "worker", "packaging", "size", "deploy"] {
            assert_eq!(needs(&[suite]), (false, true, false), "{suite}");
        }
        for suite in ["browser", "journey"] {
            assert_eq!(needs(&[suite]), (false, true, true), "{suite}");
        }
        assert_eq!(needs(&["setup"]), (true, true, true));
        assert_eq!(needs(&[]), (true, true, true));
    }
}
