//! Draws that are the same on every target: bits from SHA-256 in counter mode, and from them uniform,
//! normal, gamma and beta variates with the arithmetic of IEEE 754 and `libm` alone. Not for secrets.

use sha2::{Digest, Sha256};

/// Rejections after which a draw gives way to the centre of its distribution, so that every call
/// ends. One round is refused with a probability below a quarter, so no draw ever gets here.
const MOST_ROUNDS: u32 = 200;

/// An endless stream of draws that is determined by its name.
#[derive(Debug, Clone)]
pub struct Draws {
    seed: [u8; 32],
    block: u64,
    held: [u64; 4],
    used: usize,
}

impl Draws {
    /// The stream of this name. Parts are length-prefixed: ("ab", "c") is not ("a", "bc").
    #[must_use]
    pub fn named(parts: &[&str]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        Self { seed: hasher.finalize().into(), block: 0, held: [0; 4], used: 4 }
    }

    fn bits(&mut self) -> u64 {
        if self.used >= self.held.len() {
            let mut hasher = Sha256::new();
            hasher.update(self.seed);
            hasher.update(self.block.to_be_bytes());
            let digest = hasher.finalize();
            for (word, bytes) in self.held.iter_mut().zip(digest.chunks_exact(8)) {
                *word = bytes.iter().fold(0, |n, b| (n << 8) | u64::from(*b));
            }
            self.block = self.block.wrapping_add(1);
            self.used = 0;
        }
        let word = self.held.get(self.used).copied().unwrap_or(0);
        self.used += 1;
        word
    }

    /// Uniform in `[0, 1)`: 53 bits.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact in a double")]
    pub fn unit(&mut self) -> f64 {
        const SCALE: f64 = 1.0 / 9_007_199_254_740_992.0;
        (self.bits() >> 11) as f64 * SCALE
    }

    /// Standard normal, by the polar method of Marsaglia and Bray (1964); of the two it makes, one is used.
    pub fn normal(&mut self) -> f64 {
        for _ in 0..MOST_ROUNDS {
            let (u, v) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                return u * libm::sqrt(-2.0 * libm::log(s) / s);
            }
        }
        0.0
    }

    /// Gamma with this shape, at least 1, and scale 1: Marsaglia and Tsang, "A simple method for
    /// generating gamma variables" (2000).
    pub fn gamma(&mut self, shape: f64) -> f64 {
        let d = shape.max(1.0) - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        for _ in 0..MOST_ROUNDS {
            let x = self.normal();
            let cube = 1.0 + c * x;
            let v = cube * cube * cube;
            // A uniform of 0 has no logarithm; its complement has.
            let u = 1.0 - self.unit();
            if v > 0.0 && libm::log(u) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
        d
    }

    /// Beta with these parameters, each at least 1.
    pub fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (x, y) = (self.gamma(a), self.gamma(b));
        x / (x + y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_frozen() {
        // A changed stream would make every recorded choice impossible to repeat: never edit to go green.
        let mut draws = Draws::named(&["learner", "which", "snd_1", "ten"]);
        let units: Vec<u64> = (0..5).map(|_| draws.unit().to_bits()).collect();
        assert_eq!(units, FROZEN_UNITS);
        let mut draws = Draws::named(&["normal"]);
        let normals: Vec<u64> = (0..4).map(|_| draws.normal().to_bits()).collect();
        assert_eq!(normals, FROZEN_NORMALS);
        let betas: Vec<u64> = [(1.0, 19.0), (3.0, 40.0), (250.0, 9_750.0)]
            .iter()
            .map(|(a, b)| Draws::named(&["beta"]).beta(*a, *b).to_bits())
            .collect();
        assert_eq!(betas, FROZEN_BETAS);
    }

    // Bits of the doubles. Computed by a second implementation, in Python with its `hashlib` and `math`.
    const FROZEN_UNITS: [u64; 5] = [
        4_604_617_165_743_621_683,
        4_606_413_934_299_124_583,
        4_600_651_072_717_748_216,
        4_601_239_135_048_806_200,
        4_603_569_525_066_737_258,
    ];
    const FROZEN_NORMALS: [u64; 4] = [
        13_827_479_892_270_181_093,
        13_829_558_372_894_805_135,
        4_590_770_374_815_342_863,
        13_825_887_438_930_541_241,
    ];
    const FROZEN_BETAS: [u64; 3] =
        [4_578_048_148_307_552_682, 4_586_076_915_627_618_674, 4_582_536_248_188_156_832];

    /// Mean and variance of many draws.
    fn moments(mut draw: impl FnMut() -> f64) -> (f64, f64) {
        const MANY: u32 = 40_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..MANY {
            let x = draw();
            sum += x;
            squares += x * x;
        }
        let mean = sum / f64::from(MANY);
        (mean, squares / f64::from(MANY) - mean * mean)
    }

    fn close(found: f64, expect: f64, within: f64) {
        assert!((found - expect).abs() < within, "{found} is not {expect}");
    }

    /// Judged by the textbook's moments; the bounds are five standard errors.
    #[test]
    fn distributions_have_their_moments() {
        let mut draws = Draws::named(&["moments"]);
        let (mean, variance) = moments(|| draws.unit());
        close(mean, 0.5, 0.0073);
        close(variance, 1.0 / 12.0, 0.003);
        let (mean, variance) = moments(|| draws.normal());
        close(mean, 0.0, 0.025);
        close(variance, 1.0, 0.036);
        for shape in [1.0, 2.5, 40.0] {
            let (mean, variance) = moments(|| draws.gamma(shape));
            close(mean / shape, 1.0, 0.025 / libm::sqrt(shape));
            close(variance / shape, 1.0, 0.08);
        }
        let (a, b) = (3.0, 17.0);
        let (mean, variance) = moments(|| draws.beta(a, b));
        close(mean, a / (a + b), 0.002);
        close(variance, a * b / ((a + b) * (a + b) * (a + b + 1.0)), 0.0004);
    }
}
