//! `cargo xtask size`: what each artefact weighs, as it is, under gzip -9 and under brotli 11, against `size-budget.json`; and that the
//! SDK holds nothing that is known to be heavy. `--detail` tells the SDK's largest functions.

use crate::build::{self, wasm};
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

/// A weight that has a limit.
pub(crate) struct Budgeted {
    pub(crate) name: &'static str,
    pub(crate) value: usize,
    pub(crate) limit: usize,
}

/// Parts of names of functions that no page should carry: numbers as text and from text are the browser's (8 KB each way), JSON
/// is too, and civil time is the edge's.
const HEAVY: [&str; 5] = ["flt2dec", "dec2flt", "fmt::float", "serde_json", "jiff"];
const DETAIL: usize = 25;

/// Prints the table; an error when a budget is exceeded.
pub(crate) fn command(place: &Place, rest: &[String]) -> Outcome {
    let detail = match rest {
        [] => false,
        [option] if option == "--detail" => true,
        _ => return Err(Error::usage("size: the only option is --detail")),
    };
    println!("{:<44} {:>9} {:>9} {:>9}", "bytes", "raw", "gzip -9", "brotli 11");
    let usual = manifest(place)?.get("std").and_then(Value::as_str) != Some("own");
    if usual {
        println!(
            "(the SDK was linked against the usual std, because its own could not be built: about 1.7 KB more)"
        );
    }
    let measured = weigh(place, |name, weight| weight.print(name))?;
    let file = build::named_sdk(place);
    let functions = wasm::functions(&fs::read(&file).map_err(at(&file))?)?;
    if detail {
        println!("\nthe largest of {} functions of the SDK, bytes before compression", functions.len());
        for (name, bytes) in functions.iter().take(DETAIL) {
            println!("{bytes:>6}  {}", name.chars().take(140).collect::<String>());
        }
    }
    light(&functions)?;
    judge(&measured)
}

/// Nothing heavy crept in. Formatting of whole numbers and texts may be there (panics of the usual std bring it).
fn light(functions: &[(String, usize)]) -> Outcome {
    let heavy: Vec<&str> = functions
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| HEAVY.iter().any(|part| name.contains(part)))
        .collect();
    if functions.is_empty() {
        return Err(Error::new("the SDK's functions have no names: nothing can be said of them"));
    }
    if heavy.is_empty() {
        Ok(())
    } else {
        Err(Error::new(format!("heavy code in the SDK: {}", heavy.join(", "))))
    }
}

/// The same weights without the table, whether within their limits or not.
pub(crate) fn budgeted(place: &Place) -> Outcome<Vec<Budgeted>> {
    weigh(place, |_, _| {})
}

fn weigh(place: &Place, tell: impl Fn(&str, Weight)) -> Outcome<Vec<Budgeted>> {
    let file = place.root.join("size-budget.json");
    let budget: Value = serde_json::from_str(&fs::read_to_string(&file).map_err(at(&file))?)?;
    let sdk = place.sdk();
    let manifest = manifest(place)?;
    let files = manifest
        .get("files")
        .and_then(Value::as_object)
        .ok_or_else(|| Error::new("manifest.json: no files"))?;
    let (mut base, mut panel, mut loader) = (Weight::default(), Weight::default(), None);
    for (name, about) in files {
        let weight = Weight::of(&sdk.join(name))?;
        let load = about.get("load").and_then(Value::as_str).unwrap_or("base");
        tell(&format!("sdk/{VERSION}/{name} ({load})"), weight);
        match load {
            "base" => base.add(weight),
            "panel" => panel.add(weight),
            _ => {}
        }
        if name == "comeback.js" {
            loader = Some(weight);
        }
    }
    tell("SDK: every page", base);
    let mut with_panel = base;
    with_panel.add(panel);
    tell("SDK: with a panel", with_panel);
    let mut worker = Weight::default();
    for name in ["entry.js", "index.js", "index_bg.wasm"] {
        let weight = Weight::of(&place.dist().join("worker").join(name))?;
        tell(&format!("worker/{name}"), weight);
        worker.add(weight);
    }
    tell("Worker", worker);
    let loader = loader.ok_or_else(|| Error::new("the SDK has no comeback.js"))?;
    let measured = [
        ("sdk_base_brotli", base.brotli),
        ("sdk_with_panel_brotli", with_panel.brotli),
        ("loader_brotli", loader.brotli),
        ("worker_gzip", worker.gzip),
    ];
    measured.into_iter().map(|(name, value)| limited(&budget, name, value)).collect()
}

fn manifest(place: &Place) -> Outcome<Value> {
    let file = place.sdk().join("manifest.json");
    Ok(serde_json::from_str(&fs::read_to_string(&file).map_err(at(&file))?)?)
}

fn limited(budget: &Value, name: &'static str, value: usize) -> Outcome<Budgeted> {
    let limit = budget
        .get(name)
        .and_then(Value::as_u64)
        .and_then(|limit| usize::try_from(limit).ok())
        .ok_or_else(|| Error::new(format!("size-budget.json: no number `{name}`")))?;
    Ok(Budgeted { name, value, limit })
}

fn judge(measured: &[Budgeted]) -> Outcome {
    let mut over = Vec::new();
    println!();
    for Budgeted { name, value, limit } in measured {
        let verdict = if value <= limit { "ok" } else { "OVER" };
        println!("{name:<30} {value:>9} of {limit:>9}  {verdict}");
        if value > limit {
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
        let of = |name, value| limited(&budget, name, value);
        assert!(judge(&[of("loader_brotli", 100).unwrap()]).is_ok());
        assert!(judge(&[of("loader_brotli", 101).unwrap()]).is_err());
        assert!(of("unknown", 1).is_err(), "a measure without a budget is a mistake");
    }

    #[test]
    fn float_formatting_is_heavy_and_a_module_without_names_cannot_be_judged() {
        let named = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), 1)).collect::<Vec<_>>();
        assert!(light(&named(&["comeback_sdk[1]::ga4::read"])).is_ok());
        let float = "core[2]::num::imp::flt2dec::strategy::dragon::format_shortest";
        assert!(light(&named(&["a", float])).unwrap_err().to_string().contains(float));
        assert!(light(&[]).is_err());
    }

    #[test]
    fn compression_is_what_the_formats_say() {
        let text = "comeback ".repeat(1_000);
        let (gzip, brotli) = (gzip(text.as_bytes()).unwrap(), brotli(text.as_bytes()).unwrap());
        assert!(gzip < 200 && brotli < gzip, "gzip {gzip}, brotli {brotli}");
    }
}
