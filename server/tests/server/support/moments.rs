//! Numbers that look random and are the same every time.

/// A small generator (xorshift), so that the moments differ and can be repeated.
pub struct Moments(u64);

impl Moments {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below a limit.
    pub fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    /// Puts these in another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.next(last as u64 + 1) as usize);
        }
    }
}

/// How many kills a test makes at least: `KILLS`, or as many as it needs to hit every phase and some more.
pub fn kills() -> u32 {
    std::env::var("KILLS").map_or(60, |number| number.parse().expect("KILLS is a number"))
}
