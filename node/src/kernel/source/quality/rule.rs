//! Why a row is rejected, and how to mend it.
//!
//! **Invariant:** the list is closed, and no rule has room for a value.

use serde::Serialize;
use std::fmt;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $mend:literal;)+) => {
        /// Why a row cannot be used.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Rule {
            $($(#[$doc])* $name,)+
        }

        impl Rule {
            /// How to mend it.
            #[must_use]
            pub fn mend(self) -> &'static str {
                match self {
                    $(Self::$name => $mend,)+
                }
            }
        }

        impl fmt::Display for Rule {
            /// What is wrong.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$name => $what,)+
                })
            }
        }
    };
}

rules! {
    /// More or fewer cells than headers.
    FieldCount: "the row has not as many cells as there are headers",
        "look for a delimiter inside a text without quotes, or another delimiter than the mapping's";
    /// Bytes that are not UTF-8.
    NotUtf8: "the cell is not UTF-8",
        "export as UTF-8, or set encoding = \"iso-8859-1\" in the mapping";
    /// No participant identifier.
    ParticipantBlank: "the participant's identifier is blank or means unknown",
        "fill it in, or take the row out of the export";
    /// A second row for one participant.
    ParticipantTwice: "the participant already has a row (capital letters and spaces around the identifier do not count)",
        "keep the right row and take the other out of the export";
    /// A row of nobody in the participant table.
    ParticipantMissing: "the participant has no row in the participant table",
        "correct the identifier, or add the participant";
    /// No key.
    KeyBlank: "the key is blank or means unknown",
        "fill it in, or take the row out of the export";
    /// A key that is not in the key file.
    KeyUnmatched: "the key is not in the key file of the join",
        "export the key file anew, or correct the key";
    /// A key that leads to two participants.
    KeyAmbiguous: "the key leads to two different participants",
        "correct the key file: one key, one participant";
    /// No purpose.
    PurposeMissing: "a consent without a purpose",
        "fill in the purpose, or give it as a constant in the mapping";
    /// A code that is none.
    UnknownCode: "the code is not known",
        "correct it, or add it to the column's codes, or to unknown, in the mapping";
    /// A text that is not a day.
    NotADate: "not a day between 1900 and 2100 in the mapping's date format",
        "correct it, or set dates in the mapping";
    /// A text that is not a month.
    NotAMonth: "not a month between 1900 and 2100 in the mapping's month format",
        "correct it, or set months in the mapping";
    /// A text that is not a year of birth.
    BirthYear: "not a year of birth between 1900 and 2100",
        "correct it, or leave it empty if it is not known";
    /// A text that is not a count.
    NotANumber: "not a whole number from 0 to 4294967295",
        "write it with digits only";
    /// A count that is not there.
    CountMissing: "no count, though the row says that it is recorded; empty is not zero",
        "write 0 if there was none, or set recorded to no";
    /// A score off the scale.
    Score: "not a score from 1 to 7",
        "correct it, or leave it empty if it is not recorded";
    /// A dwelling number that is none.
    DwellingNumber: "not a dwelling number from 1",
        "number each participant's dwellings 1, 2, 3, or leave it empty";
}
