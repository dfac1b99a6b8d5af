//! What is measured and its limit take turns, so that both meet the same machine.

const ROUNDS: usize = 5;

/// The medians of both.
pub async fn medians(measured: impl AsyncFn() -> f64, limit: impl AsyncFn() -> f64) -> (f64, f64) {
    let (mut all_measured, mut limits) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        all_measured.push(measured().await);
        limits.push(limit().await);
    }
    (percentile(&mut all_measured, 50), percentile(&mut limits, 50))
}

/// The value that `part` of 100 do not exceed.
pub fn percentile(values: &mut [f64], part: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * part).div_ceil(100) - 1]
}
