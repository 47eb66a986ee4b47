//! `dist/`: the Worker, the browser SDK, the npm package and the static files, each rebuilt only when its inputs changed.

mod assets;
mod sdk;
mod stamp;
pub(crate) mod wasm;
mod worker;

use crate::place::Place;
use crate::run::{Error, Outcome};
use crate::setup::{self, Ready};

pub(crate) use sdk::named as named_sdk;
pub(crate) use stamp::walk;
pub(crate) use worker::Variant;

/// `cargo xtask build`.
pub(crate) fn command(place: &Place, rest: &[String]) -> Outcome {
    let (mut dev, mut release, mut sdk) = (false, false, false);
    for option in rest {
        match option.as_str() {
            "--dev" => dev = true,
            "--release" => release = true,
            "--sdk" => sdk = true,
            other => {
                return Err(Error::usage(format!(
                    "build: unknown option `{other}` (--dev, --release, --sdk)"
                )));
            }
        }
    }
    let mut variants = Vec::new();
    if dev || !(release || sdk) {
        variants.push(Variant::Dev);
    }
    if release || !(dev || sdk) {
        variants.push(Variant::Release);
    }
    let ready = setup::for_build(place)?;
    all(place, &ready, &variants)
}

/// The given Workers and everything the browser gets.
pub(crate) fn all(place: &Place, ready: &Ready, variants: &[Variant]) -> Outcome {
    println!("build");
    for variant in variants {
        worker::build(place, ready, *variant)?;
    }
    browser(place, ready)?;
    sdk::pack(place)
}

/// What pages load: SDK and static files. Returns whether any served file changed.
pub(crate) fn browser(place: &Place, ready: &Ready) -> Outcome<bool> {
    sdk::build(place, ready)?;
    assets::gather(place)
}

/// One Worker. Returns whether it was compiled anew.
pub(crate) fn worker(place: &Place, ready: &Ready, variant: Variant) -> Outcome<bool> {
    worker::build(place, ready, variant)
}
