//! `cargo xtask`: set-up, build, checks, tests, sizes and the demo, as one program that runs the same on a desk and in CI.
//!
//! It does not decide anything about the product and is never shipped. Everything it needs beyond cargo, Node with npm and
//! (on Debian) apt, it fetches itself from package registries and says so.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a command line program: it prints, it measures how long steps take, and it reads its own environment"
)]

mod arrows;
mod bench;
mod build;
mod demo;
mod lint;
mod page_cost;
mod place;
mod run;
mod setup;
mod size;
mod test;
mod tidy;
mod watch;

use place::Place;
use run::{Error, Outcome};
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <command>

  setup                      fetch and build what this machine lacks (wasm32 library, tools, node packages, Chromium,
                             rustfmt, clippy)
  build [--dev] [--release] [--sdk]
                             dist/worker-dev/, dist/worker/, or neither (no flag: both); always dist/sdk/<version>/, dist/npm/,
                             dist/assets/
  demo [--port N] [--fresh] [--headless]
                             the whole system on the local engine; --headless: a browser walks the journey, then it stops
  test [--only a,b,…]        everything CI runs, or some of it, with the set-up that it needs; the last line is
                             `N passed, N failed`
  lint                       rustfmt, clippy (host and wasm32), rustdoc
  arrows                     which crate may import which
  tidy                       file headers, sizes, machine paths
  size [--detail]            raw / gzip / brotli of each artefact against size-budget.json; with --detail the largest
                             functions of the SDK
  bench [--only CASE] [--scale N]
                             benchmark table, target/bench/report.json; --only events, visit, core, simulate or check; the last
                             two take minutes, --scale makes them so many times smaller
  page-cost [--runs N]       what the tag costs a page beside others' tags: docs/page-cost.md, target/bench/page-cost.json
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    match dispatch(command, rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !error.is_silent() {
                eprintln!("{error}");
            }
            ExitCode::from(error.code())
        }
    }
}

fn dispatch(command: &str, rest: &[String]) -> Outcome {
    let place = Place::find()?;
    match command {
        "setup" => no_options(rest).and_then(|()| setup_all(&place)),
        "build" => build::command(&place, rest),
        "demo" => demo::command(&place, rest),
        "test" => test::command(&place, rest),
        "lint" => no_options(rest).and_then(|()| lint::command(&place)),
        "arrows" => no_options(rest).and_then(|()| arrows::command(&place)),
        "tidy" => no_options(rest).and_then(|()| tidy::command(&place)),
        "size" => size::command(&place, rest),
        "bench" => bench::command(&place, rest),
        "page-cost" => page_cost::command(&place, rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        other => Err(Error::usage(format!("unknown command `{other}`\n\n{USAGE}"))),
    }
}

fn setup_all(place: &Place) -> Outcome {
    setup::prepare(place, setup::Wanted { lint: true, build: true, browser: true }).map(drop)
}

fn no_options(rest: &[String]) -> Outcome {
    match rest.first() {
        None => Ok(()),
        Some(option) => Err(Error::usage(format!("this command takes no option `{option}`"))),
    }
}
