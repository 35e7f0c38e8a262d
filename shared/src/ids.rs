//! Identifiers: one type for each thing that has a name.
//!
//! **Invariant:** an identifier that exists is well formed; serde goes through the same parser as
//! everything else. None of them can name a person.

use crate::digest::Digest;
use crate::limits::IDENTIFIER_CHARS;
use crate::period::Period;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Text that cannot be the identifier it was given for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// Not four digits.
    #[error("a municipality number is four digits, as 4601 for Bergen")]
    Municipality,
    /// Characters that an identifier cannot have.
    #[error(
        "{what} is 1 to {IDENTIFIER_CHARS} characters of a-z, 0-9 and -, and starts with a letter or digit"
    )]
    Slug {
        /// Which identifier.
        what: &'static str,
    },
    /// Not `S` and a number.
    #[error("a statistic's id is S and a number from 1 to 999, as S2")]
    Statistic,
    /// Not a round's id.
    #[error("a round's id is STUDY.VERSION.PERIOD, as core.1.2026H1")]
    Round,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                let check: fn(&str) -> Result<(), BadId> = $parse;
                check(text).map(|()| Self(text.to_owned()))
            }
        }
        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

text_id!(
    /// A municipality number of Statistics Norway's Klass 131: four digits.
    MunicipalityNumber,
    |text| {
        let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
        if digits { Ok(()) } else { Err(BadId::Municipality) }
    }
);
text_id!(
    /// One enrolled node: the municipality number, a hyphen and a running number, as `4601-1`.
    /// A municipality that enrols anew gets a new one.
    NodeId,
    |text| slug("a node id", text)
);
text_id!(
    /// A study, as `core`. Its versions share the id.
    StudyId,
    |text| slug("a study id", text)
);
text_id!(
    /// A purpose of processing, as `housing-first-statistics`: what consents are given for.
    Purpose,
    |text| slug("a purpose", text)
);
text_id!(
    /// A statistic of the catalogue, as `S2`.
    StatisticId,
    |text| {
        let number = text.strip_prefix('S').and_then(|rest| rest.parse::<u16>().ok());
        let canonical = number.is_some_and(|n| (1..=999).contains(&n) && text == format!("S{n}"));
        if canonical { Ok(()) } else { Err(BadId::Statistic) }
    }
);
text_id!(
    /// A round: one version of a study over one period, as `core.1.2026H1`.
    RoundId,
    |text| {
        let mut parts = text.split('.');
        let study = parts.next().is_some_and(|part| part.parse::<StudyId>().is_ok());
        let version = parts.next().is_some_and(|part| part.parse::<u32>().is_ok());
        let period = parts.next().is_some_and(|part| part.parse::<Period>().is_ok());
        if study && version && period && parts.next().is_none() { Ok(()) } else { Err(BadId::Round) }
    }
);

fn slug(what: &'static str, text: &str) -> Result<(), BadId> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let good = (1..=IDENTIFIER_CHARS).contains(&text.len())
        && text.bytes().all(|b| plain(b) || b == b'-')
        && text.bytes().next().is_some_and(plain);
    if good { Ok(()) } else { Err(BadId::Slug { what }) }
}

impl NodeId {
    /// The id of the `sequence`-th node that a municipality enrols.
    #[must_use]
    pub fn new(municipality: &MunicipalityNumber, sequence: u32) -> Self {
        Self(format!("{municipality}-{sequence}"))
    }
}

impl RoundId {
    /// The only round of this study version and period.
    #[must_use]
    pub fn new(study: &StudyId, version: u32, period: Period) -> Self {
        Self(format!("{study}.{version}.{period}"))
    }
}

/// A release: the digest of the question it answers, so that one question has one release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseId(Digest);

impl ReleaseId {
    /// The release that answers `study` (the digest of its signed payload) about `period` in
    /// `municipality`.
    #[must_use]
    pub fn of(study: Digest, period: Period, municipality: &MunicipalityNumber) -> Self {
        Self(Digest::of_parts(
            "fellestall/question/1",
            &[study.as_bytes(), period.to_string().as_bytes(), municipality.as_str().as_bytes()],
        ))
    }

    /// The question's digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0
    }
}

impl From<Digest> for ReleaseId {
    fn from(digest: Digest) -> Self {
        Self(digest)
    }
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
