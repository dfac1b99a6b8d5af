use serde::{Deserialize, Deserializer, de::Error};

use crate::Date;

/// Reads a day as `2022-06-30`.
///
/// jiff reads every form of a time there is, with all that it says of the faults in each: in
/// the page's program that would be more than all of these types together.
pub fn parse_date(text: &str) -> Option<Date> {
    let number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?;
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if (year.len(), month.len(), day.len(), parts.next()) != (4, 2, 2, None) {
        return None;
    }
    Date::new(number(year)?, number(month)?.try_into().ok()?, number(day)?.try_into().ok()?).ok()
}

/// The English name of a day's month.
pub fn month_name(date: Date) -> &'static str {
    match date.month() {
        1 => "January",
        2 => "February",
        3 => "March",
        4 => "April",
        5 => "May",
        6 => "June",
        7 => "July",
        8 => "August",
        9 => "September",
        10 => "October",
        11 => "November",
        _ => "December",
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
    parse_date(&text).ok_or_else(|| D::Error::custom(format_args!("\"{text}\" is no day such as 2022-06-30")))
}

pub(crate) fn deserialize_option<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Date>, D::Error> {
    #[derive(Deserialize)]
    struct Day(#[serde(deserialize_with = "deserialize")] Date);
    Ok(Option::<Day>::deserialize(deserializer)?.map(|Day(date)| date))
}

/// Reads a list of days.
pub(crate) fn deserialize_all<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Date>, D::Error> {
    #[derive(Deserialize)]
    struct Day(#[serde(deserialize_with = "deserialize")] Date);
    Ok(Vec::<Day>::deserialize(deserializer)?.into_iter().map(|Day(date)| date).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_are_read() {
        assert_eq!(parse_date("2024-02-29").map(|date| date.to_string()).as_deref(), Some("2024-02-29"));
        for wrong in
            ["2023-02-29", "2022-13-01", "2022-6-30", "2022-06-30T00:00", "+022-06-30", "22-06-30", ""]
        {
            assert_eq!(parse_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn months_have_their_names() {
        let names = (1..=12).map(|month| month_name(jiff::civil::date(2022, month, 1)));
        let expected = (1..=12).map(|month| jiff::civil::date(2022, month, 1).strftime("%B").to_string());
        assert!(names.eq(expected));
    }
}
