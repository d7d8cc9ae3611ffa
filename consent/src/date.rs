//! Days and moments in the forms that credentials and entries carry (RFC 3339).

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, PrimitiveDateTime, Time};

/// A text that is not a date or time of the expected form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateError;

impl fmt::Display for DateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a date of the form 2026-11-22, or a time of the form 2026-11-22T14:02:00Z")
    }
}

impl std::error::Error for DateError {}

/// A calendar day, written `YYYY-MM-DD` (RFC 3339 `full-date`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(time::Date);

impl Date {
    /// The last second of this day in UTC: what is allowed "until" a day is allowed on that day.
    pub fn end(self) -> Timestamp {
        Timestamp(PrimitiveDateTime::new(self.0, Time::MIDNIGHT).assume_utc().unix_timestamp() + 86_399)
    }

    /// The day so many months later; the last day of that month where it is shorter. Nothing beyond the year 9999.
    pub fn plus_months(self, months: u32) -> Option<Self> {
        let (year, month, day) = self.ymd();
        let count = i64::from(year) * 12 + i64::from(month) - 1 + i64::from(months);
        let year = i32::try_from(count.div_euclid(12)).ok().filter(|year| *year <= 9999)?;
        let month = time::Month::try_from(u8::try_from(count.rem_euclid(12) + 1).ok()?).ok()?;
        time::Date::from_calendar_date(year, month, day.min(month.length(year))).ok().map(Self)
    }

    /// The day before.
    pub fn day_before(self) -> Self {
        Self(self.0.previous_day().unwrap_or(self.0))
    }

    /// Year, month (1 to 12) and day (1 to 31).
    pub fn ymd(self) -> (i32, u8, u8) {
        (self.0.year(), self.0.month().into(), self.0.day())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        // By hand: files of policies hold millions of dates, and the general parser takes ten times as long.
        let bytes = text.as_bytes();
        let shape = |place, byte: &u8| if matches!(place, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() };
        if bytes.len() != 10 || !bytes.iter().enumerate().all(|(place, byte)| shape(place, byte)) {
            return Err(DateError);
        }
        let number = |from: usize, to: usize| bytes[from..to].iter().fold(0_u16, |n, b| n * 10 + u16::from(b - b'0'));
        let month = u8::try_from(number(5, 7)).ok().and_then(|month| time::Month::try_from(month).ok());
        let day = u8::try_from(number(8, 10)).map_err(|_| DateError)?;
        let month = month.ok_or(DateError)?;
        time::Date::from_calendar_date(i32::from(number(0, 4)), month, day).map(Self).map_err(|_| DateError)
    }
}

/// A moment in whole seconds since 1970-01-01T00:00:00Z, written in RFC 3339 with `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last second that RFC 3339 can write.
    const LAST: i64 = 253_402_300_799;

    /// From seconds since the epoch; moments outside the years 0 to 9999 are moved to the nearest end.
    pub fn from_unix(seconds: i64) -> Self {
        Self(seconds.clamp(-62_167_219_200, Self::LAST))
    }

    /// Seconds since the epoch.
    pub fn unix(self) -> i64 {
        self.0
    }

    /// The day of this moment in UTC.
    pub fn date(self) -> Date {
        Date(self.offset().date())
    }

    /// This moment, some seconds later (or earlier, if negative).
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_unix(self.0.saturating_add(seconds))
    }

    /// Hour (0 to 23), minute and second in UTC.
    pub fn hms(self) -> (u8, u8, u8) {
        self.offset().to_hms()
    }

    fn offset(self) -> OffsetDateTime {
        // The constructors keep the value inside the range that `time` can hold.
        OffsetDateTime::from_unix_timestamp(self.0).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) = self.hms();
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}Z", self.date())
    }
}

impl FromStr for Timestamp {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        if text.len() > 40 {
            return Err(DateError);
        }
        let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| DateError)?;
        Ok(Self::from_unix(moment.unix_timestamp()))
    }
}

/// Both types travel as their text.
macro_rules! as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}
as_text!(Date);
as_text!(Timestamp);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_as_they_are_written() {
        for text in ["2026-11-22", "2024-02-29", "1999-12-31"] {
            assert_eq!(text.parse::<Date>().map(|d| d.to_string()).as_deref(), Ok(text));
        }
        for text in ["2026-02-29", "2026-1-2", "22-11-2026", "", "2026-11-22T00:00:00Z"] {
            assert_eq!(text.parse::<Date>(), Err(DateError), "{text}");
        }
    }

    #[test]
    fn months_are_added_by_the_calendar() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        for (from, months, to) in [
            ("2026-01-31", 1, "2026-02-28"),
            ("2024-01-31", 1, "2024-02-29"),
            ("2026-11-22", 24, "2028-11-22"),
            ("2026-12-31", 2, "2027-02-28"),
            ("2026-05-03", 0, "2026-05-03"),
        ] {
            assert_eq!(day(from).plus_months(months), Some(day(to)), "{from} and {months} months");
        }
        assert_eq!(day("2026-05-03").plus_months(u32::MAX), None);
    }

    #[test]
    fn timestamps_read_as_they_are_written_and_fold_to_utc() {
        let noon: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        assert_eq!(noon.to_string(), "2026-11-22T12:00:00Z");
        assert_eq!("2026-11-22T13:00:00+01:00".parse(), Ok(noon));
        assert_eq!(noon.date().to_string(), "2026-11-22");
        assert!(noon < noon.date().end());
        assert_eq!(noon.date().end().to_string(), "2026-11-22T23:59:59Z");
        assert!("2026-11-22".parse::<Timestamp>().is_err());
        assert_eq!(Timestamp::from_unix(i64::MAX).to_string(), "9999-12-31T23:59:59Z");
    }
}
