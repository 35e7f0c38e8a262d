//! Codelists of regions: parts of Statistics Norway's Klass 131 and 104, as value sets.
//!
//! **Invariant:** value sets only, never an aggregation: a codelist chooses among published values
//! and adds nothing.

use crate::databank::{Dimension, Role};
use fellestall_shared::labels::{Labels, Language};
use fellestall_shared::municipality::{self, VALID_FROM};

/// A codelist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codelist {
    /// The whole country.
    Country,
    /// Counties, Klass 104.
    Counties,
    /// Municipalities, Klass 131.
    Municipalities,
}

/// A value of a codelist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The code.
    pub code: &'static str,
    /// The label.
    pub label: Labels,
    /// What it was until the snapshot's first day, if that was another unit.
    pub before: Option<(&'static str, &'static str)>,
}

/// Units that came out of others on 1 January 2024 (Klass 131 and 104, changes of 2024): new code,
/// earlier code, earlier name.
const RECODED: [(&str, &str, &str); 9] = [
    ("1508", "1507", "Ålesund"),
    ("1580", "1507", "Ålesund"),
    ("31", "30", "Viken"),
    ("32", "30", "Viken"),
    ("33", "30", "Viken"),
    ("39", "38", "Vestfold og Telemark"),
    ("40", "38", "Vestfold og Telemark"),
    ("55", "54", "Troms og Finnmark"),
    ("56", "54", "Troms og Finnmark"),
];

impl Codelist {
    /// All codelists.
    pub const ALL: [Self; 3] = [Self::Country, Self::Counties, Self::Municipalities];

    /// The id.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Country => "vs_Landet",
            Self::Counties => "vs_Fylker",
            Self::Municipalities => "vs_Kommuner",
        }
    }

    /// The codelist with this id, without regard to case.
    #[must_use]
    pub fn find(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.id().eq_ignore_ascii_case(id.trim()))
    }

    /// Those that choose among the values of a dimension.
    #[must_use]
    pub fn of(dimension: &Dimension) -> Vec<Self> {
        if dimension.role != Role::Region {
            return Vec::new();
        }
        let has = |list: &Self| dimension.values.iter().any(|value| list.holds(&value.code));
        Self::ALL.into_iter().filter(has).collect()
    }

    /// Whether a code is one of its values.
    #[must_use]
    pub fn holds(self, code: &str) -> bool {
        match self {
            Self::Country => code == crate::present::COUNTRY,
            Self::Counties => municipality::all().iter().any(|one| one.county == code),
            Self::Municipalities => {
                code.parse().is_ok_and(|number| municipality::find(&number).is_some())
            }
        }
    }

    /// Its name, with the day from which it is valid.
    #[must_use]
    pub fn label(self, language: Language) -> String {
        let (name, source) = match (self, language) {
            (Self::Country, Language::Nb) => return "Hele landet".to_owned(),
            (Self::Country, Language::Nn) => return "Heile landet".to_owned(),
            (Self::Country, Language::En) => return "The whole country".to_owned(),
            (Self::Counties, Language::Nb) => ("Fylker", "Klass 104, gyldig fra"),
            (Self::Counties, Language::Nn) => ("Fylke", "Klass 104, gyldig frå"),
            (Self::Counties, Language::En) => ("Counties", "Klass 104, valid from"),
            (Self::Municipalities, Language::Nb) => ("Kommuner", "Klass 131, gyldig fra"),
            (Self::Municipalities, Language::Nn) => ("Kommunar", "Klass 131, gyldig frå"),
            (Self::Municipalities, Language::En) => ("Municipalities", "Klass 131, valid from"),
        };
        format!("{name} ({source} {VALID_FROM})")
    }

    /// Its values, by code.
    #[must_use]
    pub fn values(self) -> Vec<Value> {
        let same = |name: &str| Labels { nb: name.into(), nn: name.into(), en: name.into() };
        let all = municipality::all().iter();
        let mut values: Vec<Value> = match self {
            Self::Country => {
                let text = |language| self.label(language);
                let label = Labels {
                    nb: text(Language::Nb),
                    nn: text(Language::Nn),
                    en: text(Language::En),
                };
                vec![Value { code: crate::present::COUNTRY, label, before: None }]
            }
            Self::Counties => all
                .map(|one| Value {
                    code: one.county,
                    label: same(one.county_name),
                    before: before(one.county),
                })
                .collect(),
            Self::Municipalities => all
                .map(|one| Value {
                    code: one.number.as_str(),
                    label: same(one.name),
                    before: before(one.number.as_str()),
                })
                .collect(),
        };
        values.sort_by_key(|value| value.code);
        values.dedup_by_key(|value| value.code);
        values
    }
}

fn before(code: &str) -> Option<(&'static str, &'static str)> {
    let found = RECODED.iter().find(|(new, _, _)| *new == code);
    found.map(|(_, earlier, name)| (*earlier, *name))
}

/// A note about where a unit came from.
#[must_use]
pub fn note(before: (&str, &str), language: Language) -> String {
    let (code, name) = before;
    match language {
        Language::Nb | Language::Nn => format!("Før {VALID_FROM} del av {code} {name}."),
        Language::En => format!("Before {VALID_FROM} part of {code} {name}."),
    }
}

#[cfg(test)]
mod tests {
    use super::Codelist;

    #[test]
    fn codelists_are_value_sets_of_the_snapshot() {
        for list in Codelist::ALL {
            assert!(list.id().starts_with("vs_"), "an aggregation would add noisy cells");
            assert_eq!(Codelist::find(&list.id().to_uppercase()), Some(list));
            let values = list.values();
            assert!(values.iter().all(|value| list.holds(value.code)), "{}", list.id());
            assert!(values.windows(2).all(|pair| pair[0].code < pair[1].code), "{}", list.id());
        }
        assert_eq!(Codelist::Counties.values().len(), 15);
        assert_eq!(Codelist::Municipalities.values().len(), 357);
        assert!(!Codelist::Municipalities.holds("1507"), "split on 1 January 2024");
    }

    #[test]
    fn what_was_split_in_2024_says_what_it_was() {
        let values = Codelist::Municipalities.values();
        let before = |code: &str| values.iter().find(|value| value.code == code).unwrap().before;
        assert_eq!(before("1508"), Some(("1507", "Ålesund")));
        assert_eq!(before("1580"), Some(("1507", "Ålesund")));
        assert_eq!(before("4601"), None);
        let counties = Codelist::Counties.values();
        assert_eq!(counties.iter().filter(|value| value.before.is_some()).count(), 7);
    }
}
