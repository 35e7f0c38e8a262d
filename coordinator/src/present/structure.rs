//! What the tables of one publication say about each other.
//!
//! A *family* is a set of cells that part what is counted (every one of them is in exactly one cell),
//! with the tables of the same publication that are margins of it. Families of participants that the
//! definitions take from the same people have one common total: the participants of a table on the
//! census date are all those taken in up to it; tables about complaints and home visits leave out
//! who left before their window, and share a total only with others of the same window.
//!
//! - A table that asks the same of each participant once for each milestone, problem or item is a
//!   family for each of these, if its bound lets everybody be in all of them.
//! - Lost dwellings, complaints and contacts part as well, but have a total of their own.
//! - In a table of *persons* with contact, by category, one person is in several cells: each cell is
//!   a family of its own.
//!
//! **Invariant:** follows from public definitions alone, not from any figure.

use crate::publish::{Publication, PublishedDimension, PublishedTable, TableCertificate};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::statistic::{Statistic, Unit, Variable, Window};
use std::collections::BTreeMap;

/// Cells of a table that part what is counted, and the margins of them that were released too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Family {
    /// The table.
    pub table: usize,
    /// Its cells.
    pub cells: Vec<usize>,
    /// Tables that are sums of these cells.
    pub margins: Vec<Margin>,
    /// Which total: families with the same number have the same.
    pub total: usize,
}

/// A table whose cells are sums of a family's cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Margin {
    /// The table.
    pub table: usize,
    /// For each of its cells, the positions in the family's list of cells.
    pub parts: Vec<Vec<usize>>,
}

/// The families of a publication.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Structure {
    /// The families; every cell of every table is in one of them, or is a margin of one.
    pub families: Vec<Family>,
    /// How many different totals there are.
    pub totals: usize,
    /// The window of those who are counted in each total that is one of participants.
    pub participants: BTreeMap<usize, Window>,
}

/// Who is counted: tables with the same have the same total.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct People {
    /// 0 for everybody up to the census date, then by window.
    window: u8,
    /// The columns that decide who is counted.
    fields: Vec<String>,
}

/// What a table of this statistic counts, as far as its variables tell.
#[must_use]
pub(super) fn unit(table: &PublishedTable) -> Unit {
    let one_of = |dimension: &PublishedDimension| match dimension.variable {
        Variable::Milestone | Variable::Retained => Some(Unit::Milestone),
        Variable::EndReason | Variable::EndMode => Some(Unit::LostDwelling),
        Variable::ComplaintKind => Some(Unit::Complaint),
        Variable::ContactCategory => Some(Unit::Contact),
        Variable::Problem | Variable::ProblemChange => Some(Unit::Problem),
        Variable::SatisfactionItem | Variable::SatisfactionScore => Some(Unit::SatisfactionItem),
        _ => None,
    };
    table.dimensions.iter().find_map(one_of).unwrap_or(Unit::Participant)
}

/// Whether the table counts persons, each once in every cell that they are in.
#[must_use]
pub(super) fn persons_with_contact(table: &PublishedTable, noise: &TableCertificate) -> bool {
    unit(table) == Unit::Contact && noise.linf == 1
}

/// Whether a variable says *which* observation of a participant it is: its categories do not add up.
#[must_use]
pub(super) fn selects(variable: Variable) -> bool {
    matches!(variable, Variable::Milestone | Variable::Problem | Variable::SatisfactionItem)
}

impl Structure {
    /// The structure of a publication.
    pub(super) fn of(published: &Publication) -> Self {
        let mut structure = Self::default();
        let mut known: Vec<(People, usize)> = Vec::new();
        let certificates = &published.certificate.tables;
        for (place, (table, noise)) in published.tables.iter().zip(certificates).enumerate() {
            let slices = slices(table, noise);
            let people = people(table, noise, slices.len());
            for cells in slices {
                let shared = people.as_ref().and_then(|people| {
                    known.iter().find(|(other, _)| other == people).map(|(_, total)| *total)
                });
                let total = shared.unwrap_or(structure.totals);
                structure.totals = structure.totals.max(total + 1);
                if let (None, Some(people)) = (shared, &people) {
                    structure.participants.insert(total, window(people));
                    known.push((people.clone(), total));
                }
                structure.families.push(Family { table: place, cells, margins: Vec::new(), total });
            }
        }
        structure.join_margins(&published.tables);
        structure
    }

    /// Puts each family that is a margin of a finer one below it.
    fn join_margins(&mut self, tables: &[PublishedTable]) {
        let whole = |family: &Family| {
            tables.get(family.table).filter(|table| table.cells.len() == family.cells.len())
        };
        let mut joined: Vec<(usize, usize, Margin)> = Vec::new();
        for (place, family) in self.families.iter().enumerate() {
            let Some(table) = whole(family) else { continue };
            if !self.participants.contains_key(&family.total) {
                continue;
            }
            let finer = self.families.iter().enumerate().filter_map(|(other_place, other)| {
                let finer = whole(other).filter(|_| other.total == family.total)?;
                let parts = parts(table, finer)?;
                Some((finer.dimensions.len(), other_place, parts))
            });
            // The finest one has no finer one itself.
            let finest = finer.max_by_key(|(size, other, _)| (*size, std::cmp::Reverse(*other)));
            if let Some((_, other, parts)) = finest {
                joined.push((place, other, Margin { table: family.table, parts }));
            }
        }
        let coarse: Vec<usize> = joined.iter().map(|(place, _, _)| *place).collect();
        for (_, other, margin) in joined {
            if let Some(family) = self.families.get_mut(other) {
                family.margins.push(margin);
            }
        }
        let mut place = 0;
        self.families.retain(|_| {
            place += 1;
            !coarse.contains(&(place - 1))
        });
    }
}

/// The positions in `finer` that each cell of `table` is the sum of, if its dimensions are some of
/// the finer table's and not all.
fn parts(table: &PublishedTable, finer: &PublishedTable) -> Option<Vec<Vec<usize>>> {
    if table.dimensions.len() >= finer.dimensions.len() {
        return None;
    }
    let places: Vec<usize> = table
        .dimensions
        .iter()
        .map(|own| finer.dimensions.iter().position(|dimension| dimension == own))
        .collect::<Option<_>>()?;
    let cell = |cell: &crate::publish::PublishedCell| {
        let matches = |fine: &crate::publish::PublishedCell| {
            places.iter().zip(&cell.codes).all(|(place, code)| fine.codes.get(*place) == Some(code))
        };
        let all = finer.cells.iter().enumerate();
        all.filter(|(_, fine)| matches(fine)).map(|(at, _)| at).collect()
    };
    Some(table.cells.iter().map(cell).collect())
}

/// The cells that part what is counted: all of them, or those of each milestone, problem or item.
fn slices(table: &PublishedTable, noise: &TableCertificate) -> Vec<Vec<usize>> {
    if persons_with_contact(table, noise) {
        return (0..table.cells.len()).map(|cell| vec![cell]).collect();
    }
    let selecting: Vec<usize> = table
        .dimensions
        .iter()
        .enumerate()
        .filter(|(_, dimension)| selects(dimension.variable))
        .map(|(place, _)| place)
        .collect();
    let mut slices: Vec<(Vec<&String>, Vec<usize>)> = Vec::new();
    for (at, cell) in table.cells.iter().enumerate() {
        let key: Vec<&String> =
            selecting.iter().filter_map(|place| cell.codes.get(*place)).collect();
        match slices.iter_mut().find(|(other, _)| *other == key) {
            Some((_, cells)) => cells.push(at),
            None => slices.push((key, vec![at])),
        }
    }
    slices.into_iter().map(|(_, cells)| cells).collect()
}

/// Who is counted in each slice of a table, each exactly once; `None` if that is not known.
fn people(table: &PublishedTable, noise: &TableCertificate, slices: usize) -> Option<People> {
    let known: &Statistic = Catalogue::builtin().ok()?.statistic(&table.statistic)?;
    let same = known.definition() == table.definition && known.digest() == noise.definition_digest;
    let unit = known.unit();
    let each_once = match unit {
        Unit::Participant => true,
        Unit::Milestone | Unit::Problem | Unit::SatisfactionItem => {
            usize::try_from(noise.l0).is_ok_and(|cells| cells >= slices)
        }
        Unit::LostDwelling | Unit::Complaint | Unit::Contact => false,
    };
    if !same || !each_once {
        return None;
    }
    // These leave out who left before the window.
    let in_window = |dimension: &PublishedDimension| {
        matches!(
            dimension.variable,
            Variable::ComplaintBand | Variable::ThreeWayMeeting | Variable::HomeVisitBand
        )
    };
    let restricted = table.dimensions.iter().any(in_window);
    let deciding: &[&str] = if restricted {
        &["participant.intake_date", "participant.exit_date"]
    } else {
        &["participant.intake_date"]
    };
    let read = deciding.iter().filter(|field| known.fields().contains(**field));
    let window = match known.window() {
        _ if !restricted => 0,
        Window::CensusDate => 0,
        Window::Period => 1,
        Window::LastQuarter => 2,
    };
    Some(People { window, fields: read.map(|field| (*field).to_owned()).collect() })
}

fn window(people: &People) -> Window {
    match people.window {
        0 => Window::CensusDate,
        1 => Window::Period,
        _ => Window::LastQuarter,
    }
}
