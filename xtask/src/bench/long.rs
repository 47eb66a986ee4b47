//! The two long runs of the command line: two policies replayed over a journal of ten million events, and the check of a
//! million carts in bad weather. Each beside a floor in the same run: reading and parsing that journal and doing nothing with
//! it, and the core by itself handling as many events. Times are CPU, so that others on the machine weigh little.

use super::machine;
use crate::place::Place;
use crate::run::{self, Error, Outcome};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Names for `--only`.
pub(super) const SIMULATE: &str = "simulate";
pub(super) const CHECK: &str = "check";

const BUILD_LIMIT: Duration = Duration::from_secs(1_800);

/// Carts whose journal has ten million events, all begun within [`DAYS`]: hardly any is over before the last is there.
const JOURNAL_CARTS: u64 = 1_500_000;
const DAYS: &str = "2";
const CHECK_CARTS: u64 = 1_000_000;

/// Memory of the replay.
const MOST_MB: f64 = 300.0;
/// Wall clock of the check: minutes, not an hour.
const MOST_S: f64 = 600.0;

/// One run beside its floor.
pub(super) struct Row {
    name: &'static str,
    floor_name: &'static str,
    /// What is counted, and how many.
    what: &'static str,
    n: f64,
    cpu_s: f64,
    wall_s: f64,
    floor_cpu_s: f64,
    peak_mb: f64,
    target: &'static str,
    met: bool,
}

/// Builds the programs and runs what is wanted, `scale` times smaller than it should be.
pub(super) fn measure(place: &Place, wants: impl Fn(&str) -> bool, scale: u64) -> Outcome<Vec<Row>> {
    if !wants(SIMULATE) && !wants(CHECK) {
        return Ok(vec![]);
    }
    let log = place.scratch().join("log/bench-long.log");
    for package in [["comeback-cli", "comeback"], ["comeback-bench-core", "comeback-bench-core"]] {
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--release", "-p", package[0], "--bin", package[1]]).current_dir(&place.root);
        run::run_quietly(&mut cargo, &log, BUILD_LIMIT)?;
    }
    let mut rows = vec![];
    if wants(SIMULATE) {
        rows.push(simulate(place, scale)?);
    }
    if wants(CHECK) {
        rows.push(check(place, scale)?);
    }
    Ok(rows)
}

fn simulate(place: &Place, scale: u64) -> Outcome<Row> {
    let journal = Journal(place.scratch().join("bench-journal.jsonl"));
    let file = path_text(&journal.0)?;
    let carts = (JOURNAL_CARTS / scale).max(1).to_string();
    timed(
        comeback(place).args(["simulate", "--out", file, "--carts", &carts, "--days", DAYS, "--seed", "1"]),
    )?;
    let (read, floor) = timed(floor(place).args(["read", file]))?;
    let policies = ["--policy", "classic", "--against", "multichannel"];
    let (told, ours) =
        timed(comeback(place).arg("simulate").args(policies).args(["--log", file, "--strict", "--json"]))?;
    let told = parsed(&told)?;
    let n = number(&told, "events")?;
    if !read.trim().parse().is_ok_and(|read: f64| (read - n).abs() < 0.5) {
        return Err(Error::new(format!("the replay took {n} events, the floor read {}", read.trim())));
    }
    let peak_mb = number(&told, "peak_rss_kb")? / 1_024.0;
    Ok(Row {
        name: "two policies over a journal",
        floor_name: "reading the journal once, each line parsed",
        what: "events",
        n,
        cpu_s: ours.cpu_s,
        wall_s: ours.wall_s,
        floor_cpu_s: floor.cpu_s,
        peak_mb,
        target: "peak under 300 MB",
        met: peak_mb < MOST_MB,
    }
    .said())
}

fn check(place: &Place, scale: u64) -> Outcome<Row> {
    let carts = (CHECK_CARTS / scale).max(1).to_string();
    let (told, ours) = timed(comeback(place).args(["simulate", "--check", "--carts", &carts, "--json"]))?;
    let told = parsed(&told)?;
    let (_, floor) = timed(floor(place).args(["events", &format!("{:.0}", number(&told, "events")?)]))?;
    Ok(Row {
        name: "check of carts in bad weather",
        floor_name: "the core by itself, as many events",
        what: "carts",
        n: number(&told, "carts")?,
        cpu_s: ours.cpu_s,
        wall_s: ours.wall_s,
        floor_cpu_s: floor.cpu_s,
        peak_mb: number(&told, "peak_rss_kb")? / 1_024.0,
        target: "within 10 minutes",
        met: ours.wall_s < MOST_S,
    }
    .said())
}

fn comeback(place: &Place) -> Command {
    Command::new(place.target.join("release/comeback"))
}

fn floor(place: &Place) -> Command {
    Command::new(place.target.join("release/comeback-bench-core"))
}

/// What a program took.
struct Took {
    cpu_s: f64,
    wall_s: f64,
}

fn timed(command: &mut Command) -> Outcome<(String, Took)> {
    let (begun, before) = (Instant::now(), machine::of_children()?);
    let told = run::stdout_of(command)?;
    Ok((told, Took { cpu_s: machine::of_children()? - before, wall_s: begun.elapsed().as_secs_f64() }))
}

fn parsed(text: &str) -> Outcome<Value> {
    serde_json::from_str(text).map_err(|e| Error::new(format!("a long run printed no JSON: {e}")))
}

fn number(told: &Value, name: &str) -> Outcome<f64> {
    told[name].as_f64().ok_or_else(|| Error::new(format!("a long run did not tell its {name}")))
}

fn path_text(path: &Path) -> Outcome<&str> {
    path.to_str().ok_or_else(|| Error::new("the target folder has a name that is no text"))
}

/// Gigabytes that go with the run.
struct Journal(std::path::PathBuf);

impl Drop for Journal {
    fn drop(&mut self) {
        let _ = run::remove_if_there(&self.0);
    }
}

impl Row {
    fn per_second(&self) -> f64 {
        self.n / self.cpu_s
    }

    fn ratio(&self) -> f64 {
        self.cpu_s / self.floor_cpu_s
    }

    fn said(self) -> Self {
        println!("  {:<44} {:7.0} {} per CPU second", self.name, self.per_second(), self.what);
        self
    }
}

pub(super) fn markdown(rows: &[Row], scale: u64) -> String {
    let mut out = String::new();
    if rows.is_empty() {
        return out;
    }
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "\n| long run{} | how many | per CPU second | CPU s | wall s | CPU over the floor | peak MB | target |\n|---|---:|---:|---:|---:|---:|---:|---|",
        if scale > 1 { format!(", 1/{scale} of its size") } else { String::new() }
    );
    for row in rows {
        let _ = writeln!(
            out,
            "| {} | {:.0} {} | {:.0} | {:.1} | {:.1} | {:.2} | {:.0} | {}: {} |",
            row.name,
            row.n,
            row.what,
            row.per_second(),
            row.cpu_s,
            row.wall_s,
            row.ratio(),
            row.peak_mb,
            row.target,
            if row.met { "met" } else { "missed" },
        );
    }
    let _ = writeln!(out, "\nFloors:");
    for row in rows {
        let _ = writeln!(out, "- {}: {}", row.name, row.floor_name);
    }
    out
}

pub(super) fn report(rows: &[Row]) -> Vec<Value> {
    let one = |row: &Row| {
        json!({
            "case": row.name, "floor_is": row.floor_name, "n": row.n, "of": row.what, "cpu_s": row.cpu_s, "wall_s": row.wall_s,
            "floor_cpu_s": row.floor_cpu_s, "ratio": row.ratio(), "peak_mb": row.peak_mb, "target": row.target, "met": row.met,
        })
    };
    rows.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_rate_and_a_ratio_and_says_what_was_missed() {
        let row = Row {
            name: "n",
            floor_name: "f",
            what: "events",
            n: 1_000.0,
            cpu_s: 4.0,
            wall_s: 5.0,
            floor_cpu_s: 2.0,
            peak_mb: 301.0,
            target: "t",
            met: false,
        };
        let table = markdown(&[row], 10);
        assert!(table.contains("| n | 1000 events | 250 | 4.0 | 5.0 | 2.00 | 301 | t: missed |"), "{table}");
        assert!(table.contains("1/10 of its size") && markdown(&[], 1).is_empty());
    }
}
