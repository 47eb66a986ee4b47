//! `cargo xtask bench`: the release Worker beside the least that the same work could cost, in one engine and one run.
//!
//! Figures of one machine say little by themselves, so every one is a ratio: ours over a floor measured in turns with it.
//! Prints Markdown and writes `target/bench/report.json`. It judges no change and fails for no missed target; it fails when
//! something measured did not do its work.

mod core;
mod engine;
mod load;
mod long;
mod machine;
mod table;

use crate::build::{self, Variant};
use crate::place::Place;
use crate::run::{Error, Outcome, at};
use crate::{setup, size};
use engine::Engine;
use load::{Load, Side};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Server CPU of the whole path over the floor's.
const CPU_TARGET: f64 = 2.0;

/// Cores that others may use while a run still counts as undisturbed.
const QUIET: f64 = 0.25;
/// Before anything counts: the engine compiles what turns out to be hot, in the background and on our account.
const WARM_UP: Duration = Duration::from_secs(4);

/// One row of the table: a request to ours and the same request to a floor.
struct Case {
    name: &'static str,
    floor: &'static str,
    /// Worker in `tests/bench/engine.mjs`.
    floor_port: &'static str,
    /// What each answer of ours must hold, so that no refusal is measured as speed.
    proof: &'static str,
    /// With a cart and its cookies, or a visit that has put nothing in.
    cart: bool,
    target: Option<f64>,
}

const CASES: [Case; 2] = [
    Case {
        name: "events: 1 KB, 5 events, the cart exists",
        floor: "plain JS: JSON.parse, one object by RPC, one row",
        floor_port: "insert",
        proof: "\"cart\":{\"id\":\"cart_",
        cart: true,
        target: Some(CPU_TARGET),
    },
    Case {
        name: "visit: one page_view, no cart",
        floor: "plain JS: JSON.parse",
        floor_port: "parse",
        proof: "\"cart\":null",
        cart: false,
        target: None,
    },
];

/// The core by itself, without an engine.
const CORE: &str = "core";

/// How much to measure.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    secs: u64,
    runs: usize,
    only: Option<String>,
    /// The long runs are so many times smaller than they should be.
    scale: u64,
    /// A build to measure instead of a fresh one of this tree.
    worker: Option<PathBuf>,
}

/// One measurement of one side.
pub(crate) struct Run {
    /// Server CPU per request.
    cpu_us: f64,
    per_second: f64,
    p50_us: u32,
    p99_us: u32,
    /// Connections that the server closed unread.
    stalls: u32,
    /// Cores that neither the server nor the load took meanwhile.
    others: f64,
}

/// Ours and the floor's runs under one load.
pub(crate) struct Pair {
    case: &'static str,
    floor_name: &'static str,
    state: &'static str,
    connections: usize,
    target: Option<f64>,
    ours: Vec<Run>,
    floor: Vec<Run>,
}

pub(crate) fn command(place: &Place, rest: &[String]) -> Outcome {
    let options = options(rest)?;
    let wants = |case: &str| options.only.as_ref().is_none_or(|only| case.starts_with(only.as_str()));
    let wants_engine = CASES.iter().any(|case| wants(case.name));
    // They need nothing that set-up brings.
    let long = long::measure(place, wants, options.scale)?;
    let long_table = long::markdown(&long, options.scale);
    if !wants_engine && !wants(CORE) {
        print!("{long_table}");
        return Ok(());
    }
    let ready = setup::for_build(place)?;
    let core = if wants(CORE) { Some(core::measure(place, &ready)?) } else { None };
    if !wants_engine {
        print!("{}{long_table}", core.map(|core| core.markdown()).unwrap_or_default());
        return Ok(());
    }
    if options.worker.is_none() {
        build::all(place, &ready, &[Variant::Release])?;
    }
    let sizes = size::budgeted(place)?;
    let mut pairs = Vec::new();
    for (state, connections) in [("memory", &[1, 32][..]), ("disk", &[32])] {
        let folder = Throwaway::new(place, state)?;
        println!("\nmeasuring with state on {state} ({})", folder.0.display());
        let engine = Engine::start(place, &ready, &folder.0, options.worker.as_deref())?;
        for case in &CASES {
            // What stores nothing is not slower on a disk.
            if !wants(case.name) || (state == "disk" && !case.cart) {
                continue;
            }
            for &connections in connections {
                pairs.push(measure(&engine, case, state, connections, &options)?);
            }
        }
    }
    let about = format!(
        "{} cores; each figure the median of {} runs of {} s, ours and floor in turns after a warm-up, the quietest of up to \
         twice as many; loopback, no proxy before either; rate limiter replaced by one that always agrees",
        machine::cores(),
        options.runs,
        options.secs
    );
    print!("\n{}", table::markdown(&about, &pairs, &sizes));
    if let Some(core) = &core {
        print!("{}", core.markdown());
    }
    print!("{long_table}");
    let folder = place.target.join("bench");
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    let file = folder.join("report.json");
    fs::write(&file, format!("{:#}\n", report(&about, &pairs, &sizes, core.as_ref(), &long)))
        .map_err(at(&file))
}

fn options(rest: &[String]) -> Outcome<Options> {
    let mut options = Options { secs: 5, runs: 3, only: None, scale: 1, worker: None };
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|n| n.parse::<u8>().ok()).filter(|n| (1..=60).contains(n));
        match word.as_str() {
            "--secs" => {
                options.secs =
                    number().ok_or_else(|| Error::usage("bench: --secs needs a number to 60"))?.into();
            }
            "--runs" => {
                options.runs =
                    number().ok_or_else(|| Error::usage("bench: --runs needs a number to 60"))?.into();
            }
            "--only" => {
                options.only = words.next().cloned();
                let names = || CASES.iter().map(|c| c.name).chain([CORE, long::SIMULATE, long::CHECK]);
                if !options.only.as_ref().is_some_and(|o| names().any(|name| name.starts_with(o.as_str()))) {
                    return Err(Error::usage(
                        "bench: --only needs the beginning of a case: events, visit, core, simulate, check",
                    ));
                }
            }
            "--scale" => {
                let scale = words.next().and_then(|n| n.parse().ok()).filter(|n| (1..=10_000).contains(n));
                options.scale =
                    scale.ok_or_else(|| Error::usage("bench: --scale needs a number to 10000"))?;
            }
            "--worker" => {
                let folder = words.next().map(PathBuf::from).filter(|folder| folder.is_dir());
                options.worker =
                    Some(folder.ok_or_else(|| Error::usage("bench: --worker needs the folder of a build"))?);
            }
            other => {
                return Err(Error::usage(format!(
                    "bench: unknown option `{other}` (--secs N, --runs N, --only CASE, --scale N, --worker FOLDER)"
                )));
            }
        }
    }
    Ok(options)
}

/// Ours and the floor in turns, so that a slow minute of the machine hits both.
fn measure(
    engine: &Engine,
    case: &Case,
    state: &'static str,
    connections: usize,
    options: &Options,
) -> Outcome<Pair> {
    let load = Load { connections, carts: case.cart.then_some(engine.carts.as_slice()) };
    let ours = Side { port: engine.port("comeback")?, proof: case.proof };
    let floor = Side { port: engine.port(case.floor_port)?, proof: "\"events\":" };
    let mut pair = Pair {
        case: case.name,
        floor_name: case.floor,
        state,
        connections,
        target: case.target,
        ours: Vec::new(),
        floor: Vec::new(),
    };
    for side in [&ours, &floor] {
        load.run(side, WARM_UP)?;
    }
    // On a busy machine again, at most as often once more; the quietest pairs count.
    for done in 0..options.runs * 2 {
        let quiet =
            pair.ours.iter().zip(&pair.floor).filter(|(o, f)| o.others.max(f.others) <= QUIET).count();
        if done >= options.runs && quiet >= options.runs {
            break;
        }
        for (side, runs) in [(&ours, &mut pair.ours), (&floor, &mut pair.floor)] {
            runs.push(one_run(engine, &load, side, Duration::from_secs(options.secs))?);
        }
    }
    table::keep_quietest(&mut pair, options.runs);
    let (ours, floor) = (table::median(&pair.ours, |r| r.cpu_us), table::median(&pair.floor, |r| r.cpu_us));
    println!("  {:<44} {connections:>2} conns {ours:7.0} / {floor:.0} µs CPU", case.name);
    Ok(pair)
}

fn one_run(engine: &Engine, load: &Load<'_>, side: &Side, span: Duration) -> Outcome<Run> {
    let before = machine::Sample::take(engine.pid)?;
    let seen = load.run(side, span)?;
    let spent = machine::Sample::take(engine.pid)?.since(&before);
    let requests = f64::from(seen.requests());
    Ok(Run {
        cpu_us: spent.server_s * 1e6 / requests,
        per_second: requests / seen.elapsed_s,
        p50_us: seen.percentile(50),
        p99_us: seen.percentile(99),
        stalls: seen.stalls,
        others: spent.others_s / seen.elapsed_s,
    })
}

fn report(
    about: &str,
    pairs: &[Pair],
    sizes: &[size::Budgeted],
    core: Option<&core::Core>,
    long: &[long::Row],
) -> Value {
    let runs = |runs: &[Run]| -> Vec<Value> {
        let one = |r: &Run| {
            json!({ "cpu_us": r.cpu_us, "per_second": r.per_second, "p50_us": r.p50_us, "p99_us": r.p99_us, "stalls": r.stalls,
                    "others_cores": r.others })
        };
        runs.iter().map(one).collect()
    };
    let cases: Vec<Value> = pairs
        .iter()
        .map(|p| {
            let (ratio, low, high) = table::cpu_ratio(p);
            json!({
                "case": p.case, "floor_is": p.floor_name, "state": p.state, "connections": p.connections,
                "unit": "server CPU µs/request",
                "value": table::median(&p.ours, |r| r.cpu_us), "floor": table::median(&p.floor, |r| r.cpu_us),
                "ratio": ratio, "ratio_low": low, "ratio_high": high, "target": p.target,
                "met": p.target.map(|t| ratio <= t),
                "runs": { "ours": runs(&p.ours), "floor": runs(&p.floor) },
            })
        })
        .collect();
    let sizes: Vec<Value> = sizes
        .iter()
        .map(|s| json!({ "artefact": s.name, "bytes": s.value, "limit": s.limit, "met": s.value <= s.limit }))
        .collect();
    json!({
        "about": about, "cases": cases, "sizes": sizes, "core": core.map(core::Core::report), "long": long::report(long),
    })
}

/// A state folder that goes with the run. Memory where the machine has a file system in it, for the cost of the code alone.
struct Throwaway(PathBuf);

impl Throwaway {
    fn new(place: &Place, state: &str) -> Outcome<Self> {
        let memory = Path::new("/dev/shm");
        let below = if state == "memory" && memory.is_dir() { memory.to_path_buf() } else { place.scratch() };
        let folder = below.join(format!("comeback-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        Ok(Self(folder))
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        let _ = crate::run::remove_if_there(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_mistakes_refused() {
        let words = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let quick = options(&words(&[
            "--secs", "1", "--runs", "2", "--only", "visit", "--scale", "50", "--worker", ".",
        ]))
        .unwrap();
        assert_eq!(
            quick,
            Options {
                secs: 1,
                runs: 2,
                only: Some("visit".to_owned()),
                scale: 50,
                worker: Some(PathBuf::from("."))
            }
        );
        for bad in [
            &["--secs"][..],
            &["--secs", "0"],
            &["--runs", "many"],
            &["--only", "nothing"],
            &["--scale", "0"],
            &["--worker"],
            &["-x"],
        ] {
            assert!(options(&words(bad)).is_err(), "{bad:?}");
        }
    }
}
