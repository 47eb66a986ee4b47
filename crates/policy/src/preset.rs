//! The presets that ship with Comeback, embedded as text. They are policies like any other: a shop
//! copies one and changes it.

const PRESETS: &[(&str, &str)] = &[
    ("classic", include_str!("../../../policies/classic.toml")),
    ("early", include_str!("../../../policies/early.toml")),
    ("demo", include_str!("../../../policies/demo.toml")),
];

/// Name and text of each preset.
#[must_use]
pub fn presets() -> &'static [(&'static str, &'static str)] {
    PRESETS
}
