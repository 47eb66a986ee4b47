//! The presets that ship with Comeback, embedded as text. They are policies like any other: a shop
//! copies one and changes it.

const PRESETS: &[(&str, &str)] = &[
    ("classic", include_str!("../../../policies/classic.toml")),
    ("early", include_str!("../../../policies/early.toml")),
    ("multichannel", include_str!("../../../policies/multichannel.toml")),
    ("gentle", include_str!("../../../policies/gentle.toml")),
    ("peak", include_str!("../../../policies/peak.toml")),
    ("high-value", include_str!("../../../policies/high-value.toml")),
    ("browse", include_str!("../../../policies/browse.toml")),
    ("demo", include_str!("../../../policies/demo.toml")),
];

/// Name and text of each preset.
#[must_use]
pub fn presets() -> &'static [(&'static str, &'static str)] {
    PRESETS
}
