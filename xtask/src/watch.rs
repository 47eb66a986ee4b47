//! Tells which parts of the sources changed, by asking the file system again and again: no daemon, no extra dependency,
//! and a few hundred files cost a few milliseconds.

use crate::build;
use crate::place::Place;
use crate::run::Outcome;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

/// What the demo is made of, by what a change asks for.
const WATCHED: [&str; 8] =
    ["crates", "www-demo", "sdk-js", "policies", "models", "migrations", "Cargo.toml", "wrangler.toml"];

/// The state of the sources at one moment.
#[derive(PartialEq, Eq)]
pub(crate) struct Sources(BTreeMap<PathBuf, (SystemTime, u64)>);

impl Sources {
    pub(crate) fn now(place: &Place) -> Outcome<Self> {
        let mut seen = BTreeMap::new();
        for part in WATCHED {
            let mut files = Vec::new();
            build::walk(&place.root.join(part), &["target", "build", "dist", "node_modules"], &mut files)?;
            for file in files {
                // Gone again between the listing and now: the next look will tell.
                if let Ok(about) = fs::metadata(&file) {
                    let modified = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                    seen.insert(file, (modified, about.len()));
                }
            }
        }
        Ok(Self(seen))
    }

    /// The files that differ, relative to the repository.
    pub(crate) fn changes(&self, since: &Self, place: &Place) -> Vec<String> {
        let changed =
            self.0.iter().filter(|(path, about)| since.0.get(*path) != Some(about)).map(|(path, _)| path);
        let removed = since.0.keys().filter(|path| !self.0.contains_key(*path));
        changed
            .chain(removed)
            .map(|path| path.strip_prefix(&place.root).unwrap_or(path).display().to_string())
            .collect()
    }
}
