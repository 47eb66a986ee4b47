//! Writes every page into a folder, to be looked at: `cargo run -p comeback-page --example pages -- DIR`.

use std::path::PathBuf;

#[path = "../tests/sample/mod.rs"]
#[allow(clippy::wildcard_imports, reason = "the samples name most of the crate")]
mod sample;

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("target/pages"), PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    for (name, html) in sample::every_page() {
        std::fs::write(folder.join(name).with_extension("html"), html)?;
    }
    Ok(())
}
