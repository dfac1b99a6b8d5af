//! On which days a backtest decides.

use protocol::{Date, trading::Rhythm};
use serde::{Deserialize, Serialize};

/// The days of a backtest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Schedule {
    /// All trading days, oldest first; at least two.
    pub days: Vec<Date>,
    /// Those on which it decides, oldest first; at least one, and never the last trading day: nothing could come of
    /// a decision then.
    pub decisions: Vec<Date>,
}

impl Schedule {
    /// The decisions on these trading days, oldest first.
    ///
    /// # Errors
    /// In a sentence: there are too few days.
    pub fn new(days: Vec<Date>, rhythm: Rhythm) -> Result<Self, String> {
        let Some((_, before_last)) = days.split_last().filter(|(_, before)| !before.is_empty()) else {
            return Err(format!(
                "There are {} trading days in the range; a decision and the day after it are needed. Choose a \
                 longer range.",
                days.len()
            ));
        };
        let mut period = None;
        let begins = |day: &&Date| period.replace(period_of(**day, rhythm)) != Some(period_of(**day, rhythm));
        let decisions = before_last.iter().filter(begins).copied().collect();
        Ok(Self { days, decisions })
    }

    /// The last trading day.
    pub fn last(&self) -> Option<Date> {
        self.days.last().copied()
    }
}

/// What a day belongs to; of each such period the first trading day decides.
fn period_of(day: Date, rhythm: Rhythm) -> Date {
    match rhythm {
        Rhythm::Daily => day,
        Rhythm::Weekly => monday_of(day),
        Rhythm::Monthly => day.first_of_month(),
    }
}

fn monday_of(day: Date) -> Date {
    let since = jiff::Span::new().days(day.weekday().to_monday_zero_offset());
    day.checked_sub(since).unwrap_or(day)
}

/// The most decisions that a range can have, however the market trades.
pub(in crate::trading) fn most_decisions(from: Date, to: Date, rhythm: Rhythm) -> u32 {
    let days = to.since(from).map_or(0, |span| span.get_days().max(0)).unsigned_abs() + 1;
    match rhythm {
        // Of seven days five are traded at most, and of a rest all can be.
        Rhythm::Daily => days / 7 * 5 + (days % 7).min(5),
        Rhythm::Weekly => {
            let weeks = monday_of(to).since(monday_of(from)).map_or(0, |span| span.get_days().max(0));
            weeks.unsigned_abs() / 7 + 1
        }
        Rhythm::Monthly => {
            let months = |day: Date| i32::from(day.year()) * 12 + i32::from(day.month());
            (months(to) - months(from)).max(0).unsigned_abs() + 1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn decisions(days: &[&str], rhythm: Rhythm) -> Vec<String> {
        let schedule = Schedule::new(days.iter().map(|day| date(day)).collect(), rhythm).unwrap();
        schedule.decisions.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_first_trading_day_of_each_period_decides_and_the_last_one_never() {
        // Thursday, Friday, Monday a holiday, Tuesday, Wednesday; then the next month.
        let days = ["2021-05-27", "2021-05-28", "2021-06-01", "2021-06-02", "2021-07-01", "2021-07-02"];
        assert_eq!(decisions(&days, Rhythm::Daily), days[..5]);
        assert_eq!(decisions(&days, Rhythm::Weekly), ["2021-05-27", "2021-06-01", "2021-07-01"]);
        assert_eq!(decisions(&days, Rhythm::Monthly), ["2021-05-27", "2021-06-01", "2021-07-01"]);
        assert_eq!(decisions(&days[..5], Rhythm::Monthly), ["2021-05-27", "2021-06-01"]);
        assert!(
            Schedule::new(vec![date("2021-05-27")], Rhythm::Daily).unwrap_err().contains("1 trading days")
        );
        assert!(Schedule::new(Vec::new(), Rhythm::Daily).is_err());
    }

    #[test]
    fn a_range_has_at_most_so_many_decisions() {
        let most = |from: &str, to: &str, rhythm| most_decisions(date(from), date(to), rhythm);
        assert_eq!(most("2021-01-01", "2021-12-31", Rhythm::Daily), 261);
        assert_eq!(most("2021-01-01", "2021-12-31", Rhythm::Weekly), 53);
        assert_eq!(most("2021-01-01", "2021-12-31", Rhythm::Monthly), 12);
        assert_eq!(most("2021-01-01", "2021-01-01", Rhythm::Daily), 1);
        assert_eq!(most("2021-01-02", "2021-01-01", Rhythm::Monthly), 1);
    }
}
