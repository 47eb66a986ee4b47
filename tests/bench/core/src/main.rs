//! Prints nanoseconds per event, decision and floor, natively: `events decisions floor`. The median of
//! five rounds each, in turns. `events N` runs one loop once, for a profiler that counts instructions and as the floor of a
//! long run; `read FILE` reads a journal and parses its events, the floor of a replay.

use std::io::{BufRead as _, Write as _};
use std::time::Instant;

type Loop = (fn(u32) -> u32, u32);

const LOOPS: [Loop; 3] = [
    (comeback_bench_core::events, 400_000),
    (comeback_bench_core::decisions, 100_000),
    (comeback_bench_core::floor, 400_000),
];

fn main() -> std::process::ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.as_slice() {
        [] => timed(),
        [name, file] if name == "read" => read(file),
        [name, n] => once(name, n.parse().unwrap_or(0)),
        _ => std::process::ExitCode::FAILURE,
    }
}

fn read(file: &str) -> std::process::ExitCode {
    let Ok(file) = std::fs::File::open(file) else { return std::process::ExitCode::FAILURE };
    let lines = std::io::BufReader::with_capacity(1 << 16, file).lines().map_while(Result::ok);
    // The first line is the header.
    let events = lines.skip(1).filter(|line| comeback_sim::journal::read_event(line).is_ok()).count();
    match writeln!(std::io::stdout(), "{events}") {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(_) => std::process::ExitCode::FAILURE,
    }
}

fn once(name: &str, n: u32) -> std::process::ExitCode {
    let names = ["events", "decisions", "floor"];
    let done = names.iter().zip(LOOPS).find(|(known, _)| **known == name).map(|(_, (run, _))| run(n));
    match done.filter(|done| *done > 0) {
        Some(done) if writeln!(std::io::stdout(), "{done}").is_ok() => std::process::ExitCode::SUCCESS,
        _ => std::process::ExitCode::FAILURE,
    }
}

fn timed() -> std::process::ExitCode {
    let mut spent = [const { Vec::new() }; 3];
    for _ in 0..6 {
        for ((run, n), spent) in LOOPS.iter().zip(&mut spent) {
            let begun = Instant::now();
            let done = run(*n);
            if done < *n {
                return std::process::ExitCode::FAILURE;
            }
            spent.push(begun.elapsed().as_secs_f64() * 1e9 / f64::from(done));
        }
    }
    let median = |spent: &Vec<f64>| {
        // The first round warms up.
        let mut sorted = spent.get(1..).unwrap_or_default().to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let line = spent.iter().map(|s| format!("{:.1}", median(s))).collect::<Vec<_>>().join(" ");
    match writeln!(std::io::stdout(), "{line}") {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(_) => std::process::ExitCode::FAILURE,
    }
}
