//! `cargo xtask bench`: runs the benchmark cases and prints one table, every figure a ratio against a floor of the same run.
//!
//! The runner only: a case measures itself and returns two numbers. Without cases it fails instead of printing none.

use crate::place::Place;
use crate::run::{Error, Outcome, at};
use serde_json::json;
use std::fs;

/// One benchmark: both figures in the same unit, from the same run on the same machine.
pub(crate) struct Figure {
    /// The case measured.
    pub(crate) value: f64,
    /// The least the same work could cost here: the bare loop, the hello handler, the memory copy.
    pub(crate) floor: f64,
    /// `ns`, `µs/request`, …
    pub(crate) unit: &'static str,
}

/// A case by name.
type Case = (&'static str, fn(&Place) -> Outcome<Figure>);

/// In the order of the table.
const CASES: &[Case] = &[];

pub(crate) fn command(place: &Place, rest: &[String]) -> Outcome {
    if let Some(option) = rest.first() {
        return Err(Error::usage(format!("bench: unknown option `{option}`")));
    }
    if CASES.is_empty() {
        return Err(Error::new("bench: there are no benchmark cases yet, so there is nothing to report"));
    }
    println!("{:<40} {:>12} {:>12} {:>8}", "case", "value", "floor", "ratio");
    let mut report = Vec::new();
    for (name, measure) in CASES {
        let Figure { value, floor, unit } = measure(place)?;
        let ratio = value / floor;
        println!("{name:<40} {value:>12.1} {floor:>12.1} {ratio:>8.2}  {unit}");
        report.push(json!({ "case": name, "value": value, "floor": floor, "ratio": ratio, "unit": unit }));
    }
    let folder = place.target.join("bench");
    fs::create_dir_all(&folder).map_err(at(&folder))?;
    let file = folder.join("report.json");
    fs::write(&file, format!("{:#}\n", json!({ "cases": report }))).map_err(at(&file))
}
