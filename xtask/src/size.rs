//! `cargo xtask size`: what each artefact weighs, as it is, under gzip -9 and under brotli 11, against `size-budget.json`.

use crate::place::{Place, VERSION};
use crate::run::{Error, Outcome, at};
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// Bytes of the brotli form at quality 11 with a 22-bit window, what a CDN sends of a static file.
pub(crate) fn brotli(bytes: &[u8]) -> Outcome<usize> {
    let mut out = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut out, 4096, 11, 22);
    writer.write_all(bytes)?;
    drop(writer);
    Ok(out.len())
}

fn gzip(bytes: &[u8]) -> Outcome<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

/// One file or sum of files; each file is compressed by itself, as it travels.
#[derive(Clone, Copy, Default)]
struct Weight {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

impl Weight {
    fn of(path: &Path) -> Outcome<Self> {
        let bytes = fs::read(path).map_err(at(path))?;
        Ok(Self { raw: bytes.len(), gzip: gzip(&bytes)?, brotli: brotli(&bytes)? })
    }

    fn add(&mut self, other: Self) {
        self.raw += other.raw;
        self.gzip += other.gzip;
        self.brotli += other.brotli;
    }

    fn print(self, name: &str) {
        println!("{name:<44} {:>9} {:>9} {:>9}", self.raw, self.gzip, self.brotli);
    }
}

/// Prints the table; an error when a budget is exceeded.
pub(crate) fn command(place: &Place) -> Outcome {
    let file = place.root.join("size-budget.json");
    let budget: Value = serde_json::from_str(&fs::read_to_string(&file).map_err(at(&file))?)?;
    println!("{:<44} {:>9} {:>9} {:>9}", "bytes", "raw", "gzip -9", "brotli 11");
    let sdk = place.sdk();
    let manifest_file = sdk.join("manifest.json");
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(&manifest_file).map_err(at(&manifest_file))?)?;
    let files = manifest
        .get("files")
        .and_then(Value::as_object)
        .ok_or_else(|| Error::new("manifest.json: no files"))?;
    let (mut base, mut panel, mut loader) = (Weight::default(), Weight::default(), None);
    for (name, about) in files {
        let weight = Weight::of(&sdk.join(name))?;
        let load = about.get("load").and_then(Value::as_str).unwrap_or("base");
        weight.print(&format!("sdk/{VERSION}/{name} ({load})"));
        match load {
            "base" => base.add(weight),
            "panel" => panel.add(weight),
            _ => {}
        }
        if name == "comeback.js" {
            loader = Some(weight);
        }
    }
    base.print("SDK: every page");
    let mut with_panel = base;
    with_panel.add(panel);
    with_panel.print("SDK: with a panel");
    let mut worker = Weight::default();
    for name in ["entry.js", "index.js", "index_bg.wasm"] {
        let weight = Weight::of(&place.dist().join("worker").join(name))?;
        weight.print(&format!("worker/{name}"));
        worker.add(weight);
    }
    worker.print("Worker");
    let loader = loader.ok_or_else(|| Error::new("the SDK has no comeback.js"))?;
    let measured = [
        ("sdk_base_brotli", base.brotli),
        ("sdk_with_panel_brotli", with_panel.brotli),
        ("loader_brotli", loader.brotli),
        ("worker_gzip", worker.gzip),
    ];
    judge(&budget, &measured)
}

fn judge(budget: &Value, measured: &[(&str, usize)]) -> Outcome {
    let mut over = Vec::new();
    println!();
    for (name, value) in measured {
        let limit = budget
            .get(*name)
            .and_then(Value::as_u64)
            .and_then(|limit| usize::try_from(limit).ok())
            .ok_or_else(|| Error::new(format!("size-budget.json: no number `{name}`")))?;
        let verdict = if *value <= limit { "ok" } else { "OVER" };
        println!("{name:<30} {value:>9} of {limit:>9}  {verdict}");
        if *value > limit {
            over.push(*name);
        }
    }
    if over.is_empty() {
        Ok(())
    } else {
        Err(Error::new(format!("over the size budget: {}", over.join(", "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_budget_is_kept_at_the_limit_and_broken_one_byte_above() {
        let budget = json!({ "loader_brotli": 100 });
        assert!(judge(&budget, &[("loader_brotli", 100)]).is_ok());
        assert!(judge(&budget, &[("loader_brotli", 101)]).is_err());
        assert!(judge(&budget, &[("unknown", 1)]).is_err(), "a measure without a budget is a mistake");
    }

    #[test]
    fn compression_is_what_the_formats_say() {
        let text = "comeback ".repeat(1_000);
        let (gzip, brotli) = (gzip(text.as_bytes()).unwrap(), brotli(text.as_bytes()).unwrap());
        assert!(gzip < 200 && brotli < gzip, "gzip {gzip}, brotli {brotli}");
    }
}
