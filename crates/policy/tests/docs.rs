//! `docs/policy.md` says what the code does: its tables are the code's, its example is sound, and it
//! names every preset, law and key.

#![allow(clippy::unwrap_used, reason = "tests; clippy.toml spares only what stands in a #[test] itself")]

use comeback_policy::{parse, presets, reference};

fn text() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/policy.md")).unwrap()
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    text.split_once(from).unwrap().1.split_once(to).unwrap().0
}

#[test]
fn the_tables_are_the_codes() {
    let text = text();
    assert_eq!(between(&text, "<!-- keys -->\n", "<!-- /keys -->"), reference::keys());
    assert_eq!(between(&text, "<!-- fields -->\n", "<!-- /fields -->"), reference::fields());
    for (preset, _) in presets() {
        assert!(text.contains(&format!("\n| `{preset}` |")), "{preset}");
    }
}

#[test]
fn the_example_is_sound() {
    let text = text();
    let (_, warnings) =
        parse("example", between(&text, "```toml\n", "```")).map_err(|e| e.to_string()).unwrap();
    assert_eq!(warnings, []);
}
