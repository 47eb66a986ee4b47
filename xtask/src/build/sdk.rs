//! The browser SDK: the crate as wasm, made small, then bundled with its JavaScript by `sdk-js/build.mjs`; and the npm package.
//!
//! What it does not decide: which file is loaded when. `sdk-js/build.mjs` says so in `files.json`.

use super::stamp::Stamp;
use super::wasm;
use crate::place::{Place, VERSION};
use crate::run::{self, Error, Outcome, at};
use crate::setup::Ready;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha384};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(1_800);

/// What every browser with wasm-bindgen's externref support knows; named so that a newer binaryen adds nothing.
pub(crate) const WASM_FEATURES: [&str; 6] = [
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-reference-types",
];

const STRIP: [&str; 3] = ["--strip-debug", "--strip-producers", "--strip-target-features"];

/// The module as it is shipped, but with the names of its functions.
pub(crate) fn named(place: &Place) -> PathBuf {
    place.scratch().join("sdk-named.wasm")
}

/// `dist/sdk/<version>/` with `manifest.json`.
pub(crate) fn build(place: &Place, ready: &Ready) -> Outcome {
    let bindgen = place.scratch().join("sdk-bindgen");
    let mut stamp = Stamp::new(place, "sdk-wasm").word(&ready.wasm.identity()).word(std_of(ready));
    for krate in ["core", "score", "wire", "sdk"] {
        stamp = stamp.tree(&place.root.join("crates").join(krate), &["target", "tests", "benches"])?;
    }
    stamp
        .tree(&place.root.join("models"), &[])?
        .tree(&place.root.join("Cargo.toml"), &[])?
        .tree(&place.root.join("Cargo.lock"), &[])?
        .unless_done("SDK wasm", &[&bindgen.join("comeback_sdk_bg.wasm"), &named(place)], || {
            compile(place, ready, &bindgen)
        })?;

    let out = place.sdk();
    Stamp::new(place, "sdk")
        .word(VERSION)
        .word(std_of(ready))
        .tree(&bindgen, &[])?
        .tree(&place.root.join("sdk-js"), &["dist", "node_modules"])?
        .tree(&place.root.join("package-lock.json"), &[])?
        .unless_done(
            &format!("SDK -> dist/sdk/{VERSION}/"),
            &[&out.join("manifest.json"), &place.root.join("sdk-js/dist/index.js")],
            || bundle(place, ready, &bindgen, &out),
        )
        .map(drop)
}

/// Which standard library the module is linked against; `cargo xtask size` tells it, because it weighs.
fn std_of(ready: &Ready) -> &'static str {
    if ready.sdk_std.is_some() { "own" } else { "usual" }
}

fn compile(place: &Place, ready: &Ready, bindgen: &Path) -> Outcome {
    let log = place.scratch().join("log/sdk-wasm.log");
    let mut cargo = Command::new("cargo");
    cargo
        .args([
            "build",
            "-p",
            "comeback-sdk",
            "--lib",
            "--profile",
            "sdk",
            "--target",
            "wasm32-unknown-unknown",
        ])
        .current_dir(&place.root);
    ready.wasm.apply(&mut cargo);
    if let Some(small) = &ready.sdk_std {
        small.apply(&mut cargo);
    }
    run::run_quietly(&mut cargo, &log, LIMIT)?;

    run::remove_if_there(bindgen)?;
    let built = place.target.join("wasm32-unknown-unknown/sdk/comeback_sdk.wasm");
    let plain = place.target.join("wasm32-unknown-unknown/sdk/plain/comeback_sdk.wasm");
    fs::create_dir_all(plain.parent().unwrap_or(&plain)).map_err(at(&plain))?;
    // By this section wasm-bindgen would see that references may cross the boundary, and would keep them in a table of the
    // module's, whose upkeep weighs 600 bytes more than the list in its glue.
    let without = wasm::without(&fs::read(&built).map_err(at(&built))?, "target_features")?;
    fs::write(&plain, without).map_err(at(&plain))?;
    let mut glue = Command::new(&ready.wasm_bindgen);
    glue.arg(&plain).args(["--target", "web", "--no-typescript", "--out-dir"]).arg(bindgen);
    run::run_quietly(&mut glue, &log, LIMIT)?;

    let linked = bindgen.join("comeback_sdk_bg.wasm");
    // With its names it is for `cargo xtask size --detail`, without them for pages.
    let named = named(place);
    for (out, strip) in [(&named, &["-g"][..]), (&bindgen.join("small.wasm"), &STRIP[..])] {
        let mut opt = ready.npm_program("wasm-opt");
        opt.args(["-Oz", "--converge"]).args(WASM_FEATURES).args(strip).arg(&linked).arg("-o").arg(out);
        run::run_quietly(&mut opt, &log, LIMIT)?;
    }
    let small = bindgen.join("small.wasm");
    fs::rename(&small, &linked).map_err(at(&linked))
}

fn bundle(place: &Place, ready: &Ready, bindgen: &Path, out: &Path) -> Outcome {
    let script = place.root.join("sdk-js/build.mjs");
    if !script.is_file() {
        return Err(Error::new("sdk-js/build.mjs is missing: it bundles the SDK"));
    }
    // A version is one folder; leftovers of an older layout would be listed as if they were shipped.
    run::remove_if_there(out)?;
    fs::create_dir_all(out).map_err(at(out))?;
    let mut command = ready.node();
    command.arg(&script).arg("--wasm").arg(bindgen).arg("--out").arg(out);
    run::run_quietly(&mut command, &place.scratch().join("log/sdk-bundle.log"), LIMIT)?;
    let manifest = manifest(out, std_of(ready))?;
    let file = out.join("manifest.json");
    fs::write(&file, format!("{manifest:#}\n")).map_err(at(&file))
}

/// Per file: bytes, brotli, subresource integrity, and when the page loads it.
fn manifest(out: &Path, std: &str) -> Outcome<Value> {
    let said = out.join("files.json");
    let loads: Value = match fs::read_to_string(&said) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) => Value::Null,
    };
    run::remove_if_there(&said)?;
    let mut paths = Vec::new();
    super::stamp::walk(out, &["manifest.json"], &mut paths)?;
    let mut files = serde_json::Map::new();
    for path in paths {
        let name = path.strip_prefix(out).unwrap_or(&path).to_string_lossy().into_owned();
        let bytes = fs::read(&path).map_err(at(&path))?;
        let entry = json!({
            "bytes": bytes.len(),
            "brotli": crate::size::brotli(&bytes)?,
            "integrity": format!("sha384-{}", STANDARD.encode(Sha384::digest(&bytes))),
            "load": load_of(&loads, &name),
        });
        files.insert(name, entry);
    }
    if files.is_empty() {
        return Err(Error::new("sdk-js/build.mjs left nothing in its --out folder"));
    }
    Ok(json!({ "version": VERSION, "std": std, "files": files }))
}

/// `files.json` maps a name to `"base"` or to `{"load": "base"}`; without it the name decides.
fn load_of(loads: &Value, name: &str) -> String {
    let entry = loads.get("files").unwrap_or(loads).get(name);
    let said = entry.and_then(|entry| entry.as_str().or_else(|| entry.get("load").and_then(Value::as_str)));
    let by_name = if name.contains("panel") {
        "panel"
    } else if name.ends_with(".map") || name.ends_with(".json") || name.ends_with(".d.ts") {
        "optional"
    } else {
        "base"
    };
    said.unwrap_or(by_name).to_owned()
}

/// `dist/npm/*.tgz`.
pub(crate) fn pack(place: &Place) -> Outcome {
    let package = place.root.join("sdk-js");
    let out = place.dist().join("npm");
    let tarball = out.join(format!("comeback-sdk-{VERSION}.tgz"));
    Stamp::new(place, "npm")
        .tree(&package, &["node_modules"])?
        .tree(&place.sdk(), &[])?
        .unless_done("npm package -> dist/npm/", &[&tarball], || {
            run::remove_if_there(&out)?;
            fs::create_dir_all(&out).map_err(at(&out))?;
            let mut npm = Command::new("npm");
            npm.args(["pack", "--silent", "--pack-destination"]).arg(&out).current_dir(&package);
            npm.env("PATH", run::path_with(&place.npm_bin()));
            npm.env("COMEBACK_SDK_WASM", place.scratch().join("sdk-bindgen"));
            run::run_quietly(&mut npm, &place.scratch().join("log/npm-pack.log"), LIMIT)?;
            if tarball.is_file() {
                return Ok(());
            }
            Err(Error::new(format!("npm pack left no {}", tarball.display())))
        })
        .map(drop)
}
