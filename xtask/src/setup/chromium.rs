//! A browser for the tests and the headless demo: `$CHROMIUM`, else one in `PATH`, else Debian's package.

use super::apt;
use crate::place::Place;
use crate::run::{self, Error, Outcome};
use std::path::PathBuf;

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/// Path of the browser.
pub(crate) fn ensure(place: &Place) -> Outcome<PathBuf> {
    if let Some(given) = std::env::var_os("CHROMIUM").map(PathBuf::from) {
        if given.is_file() {
            run::already("Chromium", &format!("CHROMIUM={}", given.display()));
            return Ok(given);
        }
        return Err(Error::new(format!("CHROMIUM={} is not a file", given.display())));
    }
    if let Some(found) = found() {
        run::already("Chromium", &found.display().to_string());
        return Ok(found);
    }
    run::step("Chromium (apt, about 1 min)", || {
        apt::install(place, &["chromium", "fonts-liberation"])?;
        found().ok_or_else(|| {
            Error::new("apt installed chromium and it is still not in PATH")
                .by_hand("export CHROMIUM=<path of a Chromium>")
        })
    })
}

fn found() -> Option<PathBuf> {
    NAMES.iter().find_map(|name| run::in_path(name))
}
