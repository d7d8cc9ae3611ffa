//! Places: countries of ISO 3166-1 (alpha-2), their subdivisions of ISO 3166-2 (`US-CA`), and two groups of countries
//! whose members change with time.

use crate::Date;

/// The codes of ISO 3166-1 alpha-2 that are officially assigned, sorted.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR \
    BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET \
    FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ \
    IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML \
    MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS \
    PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL \
    TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Members of the European Union: country, first day, last day. Source: the treaties of accession, and article 50 of
/// the Treaty on European Union for the United Kingdom.
const EU: &[(&str, u32, u32)] = &[
    ("AT", 19950101, NOW),
    ("BE", 19580101, NOW),
    ("BG", 20070101, NOW),
    ("CY", 20040501, NOW),
    ("CZ", 20040501, NOW),
    ("DE", 19580101, NOW),
    ("DK", 19730101, NOW),
    ("EE", 20040501, NOW),
    ("ES", 19860101, NOW),
    ("FI", 19950101, NOW),
    ("FR", 19580101, NOW),
    ("GB", 19730101, 20200131),
    ("GR", 19810101, NOW),
    ("HR", 20130701, NOW),
    ("HU", 20040501, NOW),
    ("IE", 19730101, NOW),
    ("IT", 19580101, NOW),
    ("LT", 20040501, NOW),
    ("LU", 19580101, NOW),
    ("LV", 20040501, NOW),
    ("MT", 20040501, NOW),
    ("NL", 19580101, NOW),
    ("PL", 20040501, NOW),
    ("PT", 19860101, NOW),
    ("RO", 20070101, NOW),
    ("SE", 19950101, NOW),
    ("SI", 20040501, NOW),
    ("SK", 20040501, NOW),
];

/// Members of the European Economic Area beside those of the Union. Source: the EEA Agreement, in force from
/// 1994-01-01, for Liechtenstein from 1995-05-01.
const EEA_BESIDE_EU: &[(&str, u32, u32)] = &[("IS", 19940101, NOW), ("LI", 19950501, NOW), ("NO", 19940101, NOW)];

/// Parts of a member state to which the treaties do not apply, by the codes that they have as parts: the overseas
/// countries and territories of annex II to the Treaty on the Functioning of the European Union, and Svalbard, which
/// protocol 40 to the EEA Agreement leaves out. As countries of their own (`AW`, `PF`, `SJ`) they are no members anyway.
const OVERSEAS: &[&str] = &[
    "FR-BL", "FR-CP", "FR-NC", "FR-PF", "FR-PM", "FR-TF", "FR-WF", "NL-AW", "NL-BQ1", "NL-BQ2", "NL-BQ3", "NL-CW",
    "NL-SX", "NO-21",
];

const NOW: u32 = 99991231;
const EEA_SINCE: u32 = 19940101;

/// What a text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// A country.
    Country(&'a str),
    /// A part of a country: the country, and the whole code.
    Part(&'a str, &'a str),
    /// The European Union.
    Eu,
    /// The European Economic Area.
    Eea,
}

impl<'a> Place<'a> {
    /// Reads a code. Nothing for a text that is none: `UK`, `nl` and `Europe` are not codes.
    pub fn read(text: &'a str) -> Option<Self> {
        match text {
            "EU" => Some(Self::Eu),
            "EEA" => Some(Self::Eea),
            _ => match text.split_once('-') {
                None => is_country(text).then_some(Self::Country(text)),
                Some((country, part)) => {
                    let fits = (1..=3).contains(&part.len())
                        && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
                    (fits && is_country(country)).then_some(Self::Part(country, text))
                }
            },
        }
    }

    /// Whether everything in `self` lies in `other`, by the members of that day.
    pub fn within(self, other: Self, on: Date) -> bool {
        match (self, other) {
            (Self::Eu, Self::Eu | Self::Eea) | (Self::Eea, Self::Eea) => true,
            // A group lies in a country, or in a smaller group, only if it has no other member: never.
            (Self::Eu | Self::Eea, _) => false,
            (Self::Part(_, part), Self::Eu | Self::Eea) if OVERSEAS.contains(&part) => false,
            (Self::Country(country) | Self::Part(country, _), Self::Eu) => is_member(EU, country, on),
            (Self::Country(country) | Self::Part(country, _), Self::Eea) => in_eea(country, on),
            (Self::Country(country) | Self::Part(country, _), Self::Country(other)) => country == other,
            (Self::Part(_, part), Self::Part(_, other)) => part == other,
            (Self::Country(_), Self::Part(..)) => false,
        }
    }
}

/// Whether a purpose's place lies in one of a policy's places. A group counts as its members of that day: `EU` lies
/// in a list that names each of them.
pub fn allowed(place: Place<'_>, allowed: &[Place<'_>], on: Date) -> bool {
    if allowed.iter().any(|other| place.within(*other, on)) {
        return true;
    }
    let members = |countries: &[(&'static str, u32, u32)], since: u32| {
        let mut some = false;
        countries.iter().filter(|row| number(on) >= since && holds(row, on)).all(|(country, ..)| {
            some = true;
            allowed.iter().any(|other| Place::Country(country).within(*other, on))
        }) && some
    };
    match place {
        Place::Eu => members(EU, 0),
        Place::Eea => members(EU, EEA_SINCE) && members(EEA_BESIDE_EU, EEA_SINCE),
        Place::Country(_) | Place::Part(..) => false,
    }
}

fn is_country(text: &str) -> bool {
    // Two letters and a space each, sorted: a binary search over the text itself.
    let (codes, wanted) = (COUNTRIES.as_bytes(), text.as_bytes());
    let (mut low, mut high) = (0, COUNTRIES.len().div_ceil(3));
    while low < high {
        let middle = (low + high) / 2;
        match codes[middle * 3..middle * 3 + 2].cmp(wanted) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    false
}

fn in_eea(country: &str, on: Date) -> bool {
    number(on) >= EEA_SINCE && (is_member(EU, country, on) || is_member(EEA_BESIDE_EU, country, on))
}

fn is_member(list: &[(&str, u32, u32)], country: &str, on: Date) -> bool {
    list.iter().any(|row| row.0 == country && holds(row, on))
}

fn holds(&(_, from, to): &(&str, u32, u32), on: Date) -> bool {
    (from..=to).contains(&number(on))
}

fn number(day: Date) -> u32 {
    let (year, month, day) = day.ymd();
    u32::try_from(year).unwrap_or(0) * 10_000 + u32::from(month) * 100 + u32::from(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn inside(place: &str, other: &str, on: &str) -> bool {
        allowed(Place::read(place).unwrap(), &[Place::read(other).unwrap()], day(on))
    }

    #[test]
    fn countries_are_sorted_and_complete() {
        let codes: Vec<_> = COUNTRIES.split_whitespace().collect();
        assert_eq!((codes.len(), COUNTRIES.len()), (249, 249 * 3 - 1));
        assert!(codes.iter().all(|code| is_country(code)));
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(EU.iter().chain(EEA_BESIDE_EU).all(|(country, ..)| is_country(country)));
    }

    #[test]
    fn membership_follows_the_calendar() {
        assert!(inside("GB", "EU", "2020-01-31") && !inside("GB", "EU", "2020-02-01"));
        assert!(!inside("HR", "EU", "2013-06-30") && inside("HR", "EU", "2013-07-01"));
        assert!(inside("NO", "EEA", "2026-11-22") && !inside("NO", "EU", "2026-11-22"));
        assert!(!inside("NL", "EEA", "1993-12-31"));
        assert_eq!(EU.iter().filter(|row| holds(row, day("2026-11-22"))).count(), 27);
    }

    #[test]
    fn parts_lie_in_their_country_and_not_the_other_way_round() {
        assert!(inside("US-CA", "US", "2026-11-22") && !inside("US", "US-CA", "2026-11-22"));
        assert!(inside("DE-BY", "EU", "2026-11-22") && !inside("EU", "DE", "2026-11-22"));
        assert!(inside("EU", "EEA", "2026-11-22") && !inside("EEA", "EU", "2026-11-22"));
        assert!(!inside("NL-CW", "EU", "2026-11-22") && inside("NL-CW", "NL", "2026-11-22"));
        assert!(!inside("NO-21", "EEA", "2026-11-22") && inside("NO-22", "EEA", "2026-11-22"));
        for text in ["UK", "nl", "Europe", "", "XX", "US-", "US-california", "NL-", "N"] {
            assert_eq!(Place::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_group_is_allowed_where_each_member_is() {
        let today = day("2026-11-22");
        let all: Vec<_> = EU.iter().filter(|row| row.0 != "GB").map(|row| Place::Country(row.0)).collect();
        assert!(allowed(Place::Eu, &all, today));
        assert!(!allowed(Place::Eu, &all[1..], today));
        assert!(!allowed(Place::Eea, &all, today));
    }
}
