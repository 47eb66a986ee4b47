//! Numbers as JavaScript has them: floating, and NaN where nothing is known.

/// A number unless it is unknown.
pub(crate) fn known(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

/// A whole number from JavaScript; unknown is 0.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and the core clamps")]
pub(crate) const fn whole(value: f64) -> i64 {
    value as i64
}

/// A count from JavaScript; unknown is 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
pub(crate) const fn count(value: f64) -> u32 {
    value as u32
}

/// The first numbers of a list; what is missing at its end is unknown.
pub(crate) fn first<const N: usize>(of: &[f64]) -> [f64; N] {
    core::array::from_fn(|at| of.get(at).copied().unwrap_or(f64::NAN))
}
