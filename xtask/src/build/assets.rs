//! `dist/assets/`: what the Worker serves as it is. The demo shop at `/`, the SDK at `/comeback.js` and `/sdk/<version>/`.

use super::stamp;
use crate::place::{Place, VERSION};
use crate::run::{self, Outcome, at};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Read by the assets server, not served. A version never changes; the tag's own address must follow a release soon.
fn headers() -> String {
    "/sdk/*\n  Cache-Control: public, max-age=31536000, immutable\n  Access-Control-Allow-Origin: *\n\
     /comeback.js\n  Cache-Control: public, max-age=300\n  Access-Control-Allow-Origin: *\n"
        .to_owned()
}

/// Makes the folder hold exactly what it should; files that are right already are not touched.
/// Returns whether anything changed.
pub(crate) fn gather(place: &Place) -> Outcome<bool> {
    let assets = place.dist().join("assets");
    let mut wanted: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
    // shop.json provisions the demo shop; it is not a page.
    collect(
        &place.root.join("www-demo"),
        Path::new(""),
        &["shop.json", "README.md", "node_modules"],
        &mut wanted,
    )?;
    collect(&place.sdk(), &Path::new("sdk").join(VERSION), &[], &mut wanted)?;
    // The tag, and the service worker of the push opt-in, whose reach is the folder it is served from.
    for name in ["comeback.js", "comeback-push.js"] {
        let file = place.sdk().join(name);
        if file.is_file() {
            wanted.insert(PathBuf::from(name), fs::read(&file).map_err(at(&file))?);
        }
    }
    wanted.insert(PathBuf::from("_headers"), headers().into_bytes());

    let mut changed = false;
    let mut present = Vec::new();
    stamp::walk(&assets, &[], &mut present)?;
    for path in present {
        let name = path.strip_prefix(&assets).unwrap_or(&path).to_path_buf();
        if !wanted.contains_key(&name) {
            run::remove_if_there(&path)?;
            changed = true;
        }
    }
    let mut written = 0_usize;
    for (name, bytes) in &wanted {
        let path = assets.join(name);
        if fs::read(&path).is_ok_and(|have| &have == bytes) {
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(at(folder))?;
        }
        fs::write(&path, bytes).map_err(at(&path))?;
        written += 1;
    }
    let what = if written == 0 {
        "unchanged".to_owned()
    } else {
        format!("{written} of {} files written", wanted.len())
    };
    println!("  {:<44} {what}", "static files -> dist/assets/");
    Ok(changed || written > 0)
}

fn collect(from: &Path, to: &Path, without: &[&str], wanted: &mut BTreeMap<PathBuf, Vec<u8>>) -> Outcome {
    let mut files = Vec::new();
    stamp::walk(from, without, &mut files)?;
    for file in files {
        let name = to.join(file.strip_prefix(from).unwrap_or(&file));
        wanted.insert(name, fs::read(&file).map_err(at(&file))?);
    }
    Ok(())
}
