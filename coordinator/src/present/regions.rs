//! The regions of a table: the country, and where municipal figures are published also counties,
//! municipalities and what is left of a county.
//!
//! Codes are those of Statistics Norway's Klass 104 (counties, two digits) and 131 (municipalities,
//! four). The municipalities of a county that are not shown by themselves are together "other
//! municipalities in the county": the county's number and `R`, for the rest, as `46R`. No Klass code
//! has a letter, and in the order of codes it stands after the county's municipalities.
//!
//! **Invariant:** every municipality that reported is in exactly one county, and a county, a pool and
//! the country are sets of municipalities whose cells are summed.

use super::{COUNTRY, PresentedCategory};
use crate::publish::{CoverageState, Publication};
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::labels::Labels;
use fellestall_shared::municipality;
use std::collections::BTreeMap;

/// What a region is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// All that reported.
    Country,
    /// Those of a county.
    County,
    /// One.
    Municipality,
    /// One that was asked and has not reported.
    Absent,
    /// Those of a county that are not shown by themselves.
    Pool,
}

/// A region and who is in it.
#[derive(Debug, Clone)]
pub(super) struct Region {
    pub kind: Kind,
    pub category: PresentedCategory,
    /// The county's code; empty for the country.
    pub county: String,
    /// Places of the municipalities in the publication's municipal figures.
    pub members: Vec<usize>,
    /// Municipalities in the figures.
    pub reported: usize,
    /// Municipalities that were asked.
    pub asked: usize,
}

/// The regions of a publication, before any are pooled: the country first, then county by county,
/// each followed by its municipalities.
pub(super) fn regions(published: &Publication) -> Vec<Region> {
    let coverage = &published.coverage;
    let mut regions = vec![Region {
        kind: Kind::Country,
        category: PresentedCategory { code: COUNTRY.to_owned(), label: country() },
        county: String::new(),
        members: (0..published.municipal.len()).collect(),
        reported: coverage.reported,
        asked: coverage.asked,
    }];
    if published.municipal.is_empty() {
        return regions;
    }
    for (county, municipalities) in counties(published) {
        let members: Vec<usize> = municipalities.values().copied().flatten().collect();
        regions.push(Region {
            kind: Kind::County,
            category: PresentedCategory { code: county.clone(), label: county_name(&county) },
            county: county.clone(),
            reported: members.len(),
            asked: municipalities.len(),
            members,
        });
        for (number, place) in municipalities {
            regions.push(Region {
                kind: if place.is_some() { Kind::Municipality } else { Kind::Absent },
                category: PresentedCategory { code: number.to_string(), label: name(&number) },
                county: county.clone(),
                members: place.into_iter().collect(),
                reported: usize::from(place.is_some()),
                asked: 1,
            });
        }
    }
    regions
}

/// What is left of a county.
pub(super) fn pool(county: &str, members: Vec<usize>) -> Region {
    let Labels { nb, nn, en } = county_name(county);
    let label = Labels {
        nb: format!("Andre kommuner i {nb}"),
        nn: format!("Andre kommunar i {nn}"),
        en: format!("Other municipalities in {en}"),
    };
    Region {
        kind: Kind::Pool,
        category: PresentedCategory { code: format!("{county}R"), label },
        county: county.to_owned(),
        reported: members.len(),
        asked: members.len(),
        members,
    }
}

type Places = BTreeMap<MunicipalityNumber, Option<usize>>;

/// By county: every municipality that was asked, and where its figures are.
fn counties(published: &Publication) -> BTreeMap<String, Places> {
    let mut all: Places = BTreeMap::new();
    for (place, figures) in published.municipal.iter().enumerate() {
        all.insert(figures.municipality.clone(), Some(place));
    }
    for node in &published.coverage.nodes {
        if !matches!(node.state, CoverageState::Reported | CoverageState::Late) {
            all.entry(node.municipality.clone()).or_insert(None);
        }
    }
    let mut counties: BTreeMap<String, Places> = BTreeMap::new();
    for (number, place) in all {
        counties.entry(county_of(&number)).or_default().insert(number, place);
    }
    counties
}

/// A municipality's county; the first two digits of a number say it also where the number is no
/// longer in use.
fn county_of(number: &MunicipalityNumber) -> String {
    municipality::find(number).map_or_else(
        || number.to_string().chars().take(2).collect(),
        |known| known.county.to_owned(),
    )
}

/// A county's name; with what it is where one of its municipalities has the same name, as Oslo.
fn county_name(code: &str) -> Labels {
    let mut of_county = municipality::all().iter().filter(|one| one.county == code).peekable();
    let Some(known) = of_county.peek() else { return same(code) };
    let name = known.county_name;
    if of_county.any(|one| one.name == name) {
        let fylke = format!("{name} (fylke)");
        return Labels { nb: fylke.clone(), nn: fylke, en: format!("{name} (county)") };
    }
    same(name)
}

fn name(number: &MunicipalityNumber) -> Labels {
    municipality::find(number).map_or_else(|| same(&number.to_string()), |known| same(known.name))
}

fn same(name: &str) -> Labels {
    Labels { nb: name.to_owned(), nn: name.to_owned(), en: name.to_owned() }
}

fn country() -> Labels {
    Labels { nb: "Hele landet".into(), nn: "Heile landet".into(), en: "The whole country".into() }
}

#[cfg(test)]
mod tests {
    use super::county_name;

    #[test]
    fn a_county_that_shares_its_name_says_that_it_is_one() {
        assert_eq!(county_name("03").nb, "Oslo (fylke)");
        assert_eq!(county_name("03").en, "Oslo (county)");
        assert_eq!(county_name("46").nb, "Vestland");
        assert_eq!(county_name("99").nn, "99");
    }
}
