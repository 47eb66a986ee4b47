//! The core by itself: nanoseconds per event with the policy evaluation included and per decision of the gate, natively and in
//! the wasm that Node's engine runs, each beside the floor of an event in the same process.

use crate::place::Place;
use crate::run::{self, Error, Outcome, at};
use crate::setup::Ready;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(1_200);

/// Events per second, natively.
const EVENTS_TARGET: f64 = 1e6;
/// Wasm over native.
const WASM_TARGET: f64 = 2.0;

/// Nanoseconds each.
struct Figures {
    event: f64,
    decision: f64,
    floor: f64,
}

/// What was measured.
pub(super) struct Core {
    native: Figures,
    wasm: Figures,
}

/// Builds both forms and runs them one after the other.
pub(super) fn measure(place: &Place, ready: &Ready) -> Outcome<Core> {
    let log = place.scratch().join("log/bench-core.log");
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--release", "-p", "comeback-bench-core"])
            .args(arguments)
            .current_dir(&place.root);
        cargo
    };
    run::run_quietly(&mut cargo(&["--bin", "comeback-bench-core"]), &log, LIMIT)?;
    let mut to_wasm = cargo(&["--lib", "--target", "wasm32-unknown-unknown"]);
    ready.wasm.apply(&mut to_wasm);
    run::run_quietly(&mut to_wasm, &log, LIMIT)?;
    let folder: PathBuf = place.scratch().join("bench-core");
    run::remove_if_there(&folder)?;
    let mut glue = Command::new(&ready.wasm_bindgen);
    glue.arg(place.target.join("wasm32-unknown-unknown/release/comeback_bench_core.wasm"))
        .args(["--target", "nodejs", "--no-typescript", "--out-dir"])
        .arg(&folder);
    run::run_quietly(&mut glue, &log, LIMIT)?;
    // The glue for Node is CommonJS, and the folder lies within a package of modules.
    let package = folder.join("package.json");
    std::fs::write(&package, "{\"type\":\"commonjs\"}\n").map_err(at(&package))?;
    let native =
        figures(&run::stdout_of(&mut Command::new(place.target.join("release/comeback-bench-core")))?)?;
    let wasm =
        figures(&run::stdout_of(ready.node().arg(place.root.join("tests/bench/core.mjs")).arg(&folder))?)?;
    println!("  {:<44} {:7.0} ns native, {:.0} ns wasm", "core: an event", native.event, wasm.event);
    Ok(Core { native, wasm })
}

fn figures(line: &str) -> Outcome<Figures> {
    let numbers: Vec<f64> = line.split_whitespace().filter_map(|n| n.parse().ok()).collect();
    match numbers.as_slice() {
        [event, decision, floor] => Ok(Figures { event: *event, decision: *decision, floor: *floor }),
        _ => Err(Error::new(format!("the core's bench printed `{}`", line.trim()))),
    }
}

impl Core {
    pub(super) fn markdown(&self) -> String {
        let mut out = String::new();
        let met = |fine: bool| if fine { "met" } else { "missed" };
        let per_second = 1e9 / self.native.event;
        let slower = self.wasm.event / self.native.event;
        let rows = [
            ("event, policy evaluation included", self.native.event, self.wasm.event),
            ("decision of the gate", self.native.decision, self.wasm.decision),
            ("floor: copy a signal, look its id up among 256", self.native.floor, self.wasm.floor),
        ];
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "\n| core, one thread | ns native | ns wasm | wasm / native | native over the floor |\n|---|---:|---:|---:|---:|"
        );
        for (name, native, wasm) in rows {
            let (ratio, floor) = (wasm / native, native / self.native.floor);
            let _ = writeln!(out, "| {name} | {native:.0} | {wasm:.0} | {ratio:.2} | {floor:.2} |");
        }
        let _ = writeln!(
            out,
            "\n{:.2} million events a second natively (aim {:.0} million: {}); wasm {slower:.2} times as long (aim {WASM_TARGET}: {}).",
            per_second / 1e6,
            EVENTS_TARGET / 1e6,
            met(per_second >= EVENTS_TARGET),
            met(slower <= WASM_TARGET),
        );
        out
    }

    pub(super) fn report(&self) -> Value {
        let of = |f: &Figures| json!({ "event_ns": f.event, "decision_ns": f.decision, "floor_ns": f.floor });
        json!({ "native": of(&self.native), "wasm": of(&self.wasm) })
    }
}
