//! The pinned npm packages of the root `package.json`, Node 22 among them.

use crate::place::Place;
use crate::run::{self, Error, Outcome, at};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(900);

/// Path of Node 22. Runs `npm ci` when `node_modules` is missing or was made from another lockfile.
pub(crate) fn ensure(place: &Place) -> Outcome<PathBuf> {
    let lockfile = place.root.join("package-lock.json");
    let lock = fs::read(&lockfile).map_err(at(&lockfile))?;
    let wanted: String = Sha256::digest(&lock).iter().map(|byte| format!("{byte:02x}")).collect();
    let stamp = place.root.join("node_modules/.comeback-lockfile");
    let node = place.npm_bin().join("node");
    if node.exists() && fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        run::already("npm packages", "");
        return Ok(node);
    }
    run::step("npm packages (npm ci, about 30 s)", || {
        if run::in_path("npm").is_none() {
            return Err(Error::new("npm is not in PATH").by_hand("install Node.js 20 or newer with npm"));
        }
        let mut command = Command::new("npm");
        // The lockfile pins versions that want Node 22; npm itself runs on the machine's Node and would only warn.
        command.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&place.root);
        run::run_quietly(&mut command, &place.scratch().join("log/npm-ci.log"), LIMIT)
            .map_err(|error| error.by_hand("npm ci"))?;
        let version = run::stdout_of(Command::new(&node).arg("--version")).map_err(|error| {
            error.by_hand("npm ci  (the package `node` fetches its binary in an install script: scripts must be allowed)")
        })?;
        if !version.starts_with("v22.") {
            return Err(Error::new(format!("node_modules/.bin/node is {}, expected v22", version.trim())));
        }
        fs::write(&stamp, wanted).map_err(at(&stamp))?;
        Ok(node)
    })
}
