//! Norwegian municipalities and their counties: a dated snapshot of Statistics Norway's Klass 131
//! (municipalities) and 104 (counties).
//!
//! **Invariant:** a node can be invited only for a number in the snapshot.

use crate::ids::MunicipalityNumber;
use std::sync::LazyLock;

/// The day from which the snapshot is valid.
pub const VALID_FROM: &str = "2024-01-01";

/// `number;name;county number;county name`, one municipality a line, sorted by number. Names are the
/// Norwegian ones alone, also where the official name has a Sámi or Kven one beside it; two that are
/// called the same have their county in brackets.
const SNAPSHOT: &str = include_str!("municipality/klass131.csv");

/// One municipality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Municipality {
    /// The number, as 4601.
    pub number: MunicipalityNumber,
    /// The name, as Bergen.
    pub name: &'static str,
    /// The county's number, as 46.
    pub county: &'static str,
    /// The county's name, as Vestland.
    pub county_name: &'static str,
}

/// All municipalities of the snapshot, sorted by number.
#[must_use]
pub fn all() -> &'static [Municipality] {
    static ALL: LazyLock<Vec<Municipality>> =
        LazyLock::new(|| SNAPSHOT.lines().skip(1).filter_map(parse).collect());
    &ALL
}

/// The municipality with this number; `None` if there is none in the snapshot.
#[must_use]
pub fn find(number: &MunicipalityNumber) -> Option<&'static Municipality> {
    let all = all();
    all.binary_search_by(|municipality| municipality.number.cmp(number))
        .ok()
        .and_then(|at| all.get(at))
}

fn parse(line: &'static str) -> Option<Municipality> {
    let mut parts = line.split(';');
    Some(Municipality {
        number: parts.next()?.parse().ok()?,
        name: parts.next()?,
        county: parts.next()?,
        county_name: parts.next()?,
    })
}

#[cfg(test)]
mod tests;
