//! Chance that can be told again: everything random in a simulation comes from a seed through here.

/// SplitMix64 (Steele, Lea, Flood 2014): tiny, seedable, even enough for people and weather.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A stream from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream of its own for each of many things under one seed.
    #[must_use]
    pub fn of(seed: u64, parts: &[u64]) -> Self {
        let mut random = Self(seed);
        for part in parts {
            random.0 = random.draw() ^ part.wrapping_mul(0xff51_afd7_ed55_8ccd);
        }
        random.draw();
        random
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 if `n` is. The bias of the remainder is of no weight here.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.draw() % n }
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, n: u64) -> bool {
        self.below(100) < n
    }

    /// A span from `least` to below `most`, both in milliseconds, in whole seconds.
    pub fn span(&mut self, least: i64, most: i64) -> i64 {
        let seconds = u64::try_from((most - least) / 1_000).unwrap_or(0);
        least + i64::try_from(self.below(seconds)).unwrap_or(0) * 1_000
    }

    /// One of these.
    pub fn pick<'t, T>(&mut self, from: &'t [T]) -> Option<&'t T> {
        let at = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        from.get(at)
    }
}

/// A hash of a text under a seed, for chances that belong to a thing and not to the order of things.
#[must_use]
pub fn hash(seed: u64, text: &str) -> u64 {
    text.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}
