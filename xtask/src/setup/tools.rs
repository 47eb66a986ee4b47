//! Build tools from the crates registry, installed once into the cache, one folder per version.

use crate::place::Place;
use crate::run::{self, Error, Outcome};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Knows wasm-bindgen 0.2.129 and no newer; moves together with it.
pub(crate) const WORKER_BUILD: &str = "0.8.7";
/// The same version as the crate `wasm-bindgen` in Cargo.toml: the two speak a private format.
pub(crate) const WASM_BINDGEN: &str = "0.2.129";

const LIMIT: Duration = Duration::from_secs(3_600);

/// Path of `program` of `package`, installed with cargo when it is not in the cache.
pub(crate) fn ensure(place: &Place, package: &str, version: &str, program: &str) -> Outcome<PathBuf> {
    let home = place.cache.join("tools").join(format!("{program}-{version}"));
    let path = home.join("bin").join(program);
    let name = format!("{package} {version}");
    if path.is_file() {
        run::already(&name, "");
        return Ok(path);
    }
    run::step(&format!("{name} (cargo install, about 4 min)"), || {
        let by_hand =
            format!("cargo install {package} --version {version} --locked --root {}", home.display());
        let mut command = Command::new("cargo");
        command
            .args(["install", package, "--version", version, "--locked", "--root"])
            .arg(&home)
            // Not in the repository: its folder settings are for its own crates.
            .current_dir("/")
            .env_remove("CARGO_TARGET_DIR");
        run::run_quietly(&mut command, &place.scratch().join(format!("log/install-{package}.log")), LIMIT)
            .map_err(|error| error.by_hand(&by_hand))?;
        if path.is_file() {
            Ok(path.clone())
        } else {
            Err(Error::new(format!("cargo installed {package} without {}", path.display())).by_hand(by_hand))
        }
    })
}
