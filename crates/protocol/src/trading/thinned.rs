//! Which points of a long series are shown where there is no room for all.

/// Places of at most about `most` of `length` points, in order: of each stretch those with the lowest and the highest
/// value, so that no fall and no peak is lost; the first and the last always. All of them where they fit.
pub fn thinned<V: Ord>(length: usize, most: usize, value: impl Fn(usize) -> V) -> Vec<usize> {
    if length <= most {
        return (0..length).collect();
    }
    let stretch = length.div_ceil((most / 2).max(1));
    let extremes = (0..length).step_by(stretch).flat_map(|start| {
        let places = start..(start + stretch).min(length);
        [places.clone().min_by_key(|place| value(*place)), places.max_by_key(|place| value(*place))]
    });
    let mut kept: Vec<usize> = extremes.flatten().chain([0, length - 1]).collect();
    kept.sort_unstable();
    kept.dedup();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_series_keeps_its_ends_its_deepest_fall_and_its_highest_peak() {
        let values: Vec<i32> = (0..1800)
            .map(|day| match day {
                777 => -5000,
                1200 => 9000,
                day => day * 37 % 1000,
            })
            .collect();
        let kept = thinned(values.len(), 500, |place| values[place]);
        assert!(kept.len() <= 502, "{}", kept.len());
        assert!(kept.is_sorted() && kept.contains(&777) && kept.contains(&1200));
        assert_eq!((kept.first(), kept.last()), (Some(&0), Some(&1799)));
    }

    #[test]
    fn a_short_series_is_whole() {
        assert_eq!(thinned(3, 500, |place| place), [0, 1, 2]);
        assert!(thinned(0, 500, |place| place).is_empty());
    }
}
