//! What one figure of a table is, and which of its dimensions add up.
//!
//! **Invariant:** the figure's code follows from what is counted, so that it is the same in every
//! round of a table.

use super::structure::{persons_with_contact, selects, unit};
use super::{Figure, PresentedCategory, PresentedDimension, TOTAL};
use crate::publish::{PublishedDimension, PublishedTable, TableCertificate};
use fellestall_shared::labels::Labels;
use fellestall_shared::statistic::{Unit, Variable};

/// The id of a table: of the study and the statistic, and of the definition from the second on.
pub(super) fn id(study: &str, statistic: &str, definition: u32) -> String {
    if definition <= 1 {
        format!("{study}-{statistic}")
    } else {
        format!("{study}-{statistic}-d{definition}")
    }
}

pub(super) fn labels(nb: &str, nn: &str, en: &str) -> Labels {
    Labels { nb: nb.to_owned(), nn: nn.to_owned(), en: en.to_owned() }
}

/// What one figure of a table of counts is.
pub(super) fn figure(table: &PublishedTable, noise: &TableCertificate) -> Figure {
    let persons = || labels("personer", "personar", "persons");
    let (code, label, unit) = match unit(table) {
        Unit::Contact if persons_with_contact(table, noise) => {
            ("Deltakere", labels("Deltakere", "Deltakarar", "Participants"), persons())
        }
        Unit::Contact => (
            "Kontakter",
            labels("Kontakter", "Kontaktar", "Contacts"),
            labels("kontakter", "kontaktar", "contacts"),
        ),
        Unit::LostDwelling => (
            "TapteBoliger",
            labels("Tapte boliger", "Tapte bustader", "Dwellings lost"),
            labels("boliger", "bustader", "dwellings"),
        ),
        Unit::Complaint => (
            "Naboklager",
            labels("Naboklager", "Naboklager", "Neighbour complaints"),
            labels("klager", "klager", "complaints"),
        ),
        Unit::Participant | Unit::Milestone | Unit::Problem | Unit::SatisfactionItem => {
            ("Deltakere", labels("Deltakere", "Deltakarar", "Participants"), persons())
        }
    };
    Figure { code: code.to_owned(), label, unit, decimals: 0 }
}

/// A table's dimensions, each with a total where its categories part what is counted.
pub(super) fn dimensions(
    table: &PublishedTable,
    noise: &TableCertificate,
) -> Vec<PresentedDimension> {
    let overlapping = persons_with_contact(table, noise);
    let has_total = |variable: Variable| match variable {
        Variable::ContactCategory => !overlapping,
        other => !selects(other),
    };
    table.dimensions.iter().map(|own| dimension(own, has_total(own.variable))).collect()
}

fn dimension(published: &PublishedDimension, has_total: bool) -> PresentedDimension {
    let own = published.categories.iter().map(|category| PresentedCategory {
        code: category.code.clone(),
        label: category.label.clone(),
    });
    let code = serde_json::to_value(published.variable).ok();
    PresentedDimension {
        code: code.and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default(),
        label: published.label.clone(),
        categories: has_total.then(total).into_iter().chain(own).collect(),
        has_total,
    }
}

/// The category of an explicit total.
pub(super) fn total() -> PresentedCategory {
    PresentedCategory { code: TOTAL.to_owned(), label: labels("I alt", "I alt", "Total") }
}

/// For each presented cell, row-major, the published cells that it is the sum of.
pub(super) fn leaves_of_each_cell(dimensions: &[PresentedDimension]) -> Vec<Vec<usize>> {
    let mut cells: Vec<Vec<usize>> = vec![vec![0]];
    for dimension in dimensions {
        let size = dimension.categories.len() - usize::from(dimension.has_total);
        let mut next = Vec::with_capacity(cells.len() * dimension.categories.len());
        for cell in &cells {
            let leaf = |position: usize| cell.iter().map(move |leaf| leaf * size + position);
            if dimension.has_total {
                next.push((0..size).flat_map(leaf).collect());
            }
            next.extend((0..size).map(|position| leaf(position).collect::<Vec<usize>>()));
        }
        cells = next;
    }
    cells
}

/// The codes of each presented cell, row-major.
pub(super) fn codes_of_each_cell(dimensions: &[PresentedDimension]) -> Vec<Vec<String>> {
    let mut cells: Vec<Vec<String>> = vec![Vec::new()];
    for dimension in dimensions {
        let mut next = Vec::with_capacity(cells.len() * dimension.categories.len());
        for cell in &cells {
            for category in &dimension.categories {
                let mut codes = cell.clone();
                codes.push(category.code.clone());
                next.push(codes);
            }
        }
        cells = next;
    }
    cells
}
