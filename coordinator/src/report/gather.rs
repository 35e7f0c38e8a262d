//! Reading a period's figures, and those of the period before, out of the databank.
//!
//! **Invariant:** reads presentations and the coverage of publications; nothing else of either.

use super::change::{Measured, Presented, change};
use super::{
    Before, Imprint, Report, ReportError, Reporting, Row, Spent, StudyReport, TableReport,
};
use crate::databank::{Cube, Databank};
use crate::present::{COUNTRY, Presentation, PresentedTable};
use crate::publish::{CoverageState, Fixed, PublicationFile};
use fellestall_shared::ids::RoundId;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::{Delta, Rho};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Versions of publications that are looked through for what was spent, at the most.
const VERSIONS: u32 = 100_000;

type Version = (RoundId, u32);

/// The report on one period.
///
/// # Errors
/// [`ReportError::NothingPublished`] with the periods that there are, or what could not be read.
pub async fn gather(
    databank: &Databank,
    period: Period,
    imprint: Imprint,
) -> Result<Report, ReportError> {
    let catalogue = databank.catalogue().await?;
    let rounds = || catalogue.tables.values().flat_map(|table| &table.rounds);
    let mut versions: BTreeSet<Version> = BTreeSet::new();
    for (of, round, version) in rounds() {
        if *of == period {
            versions.insert((round.clone(), *version));
        }
    }
    let mut reader = Reader { databank, coverage: BTreeMap::new() };
    let mut studies = Vec::with_capacity(versions.len());
    for version in &versions {
        studies.extend(reader.study(version).await?);
    }
    studies.sort_by(|a: &StudyReport, b: &StudyReport| {
        (&a.study, a.round.as_str()).cmp(&(&b.study, b.round.as_str()))
    });
    let Some(published) = studies.iter().map(|study| study.published).max() else {
        let mut periods: Vec<Period> = rounds().map(|(period, _, _)| *period).collect();
        periods.sort_by_key(|period| (period.last_day(), period.months()));
        periods.dedup();
        return Err(ReportError::NothingPublished { period, periods });
    };
    let deltas = studies.iter().map(|study| study.privacy.delta_exponent);
    let delta = deltas.max_by_key(|delta| u8::from(*delta));
    let spent = spent(databank, period, delta).await?;
    Ok(Report { period, imprint, published, studies, spent })
}

/// The loss of every round whose period ended by then, whatever study it belongs to.
async fn spent(
    databank: &Databank,
    period: Period,
    delta: Option<Delta>,
) -> Result<Spent, ReportError> {
    let mut newest: BTreeMap<RoundId, u32> = BTreeMap::new();
    for line in databank.store().publications(VERSIONS).await? {
        let version = newest.entry(line.round).or_default();
        *version = line.version.max(*version);
    }
    let (mut rounds, mut rho) = (0, Rho::ZERO);
    for (round, version) in newest {
        let Some(shown) = databank.presentation(&round, version).await? else { continue };
        if shown.period.last_day() <= period.last_day() {
            rounds += 1;
            rho = rho.plus(shown.privacy.rho_micro).unwrap_or(rho);
        }
    }
    let delta = delta.unwrap_or(Delta::MICRO);
    Ok(Spent { rounds, rho, epsilon: rho.epsilon_ceil(delta), delta })
}

struct Reader<'a> {
    databank: &'a Databank,
    coverage: BTreeMap<Version, Arc<Vec<Reporting>>>,
}

impl Reader<'_> {
    async fn study(&mut self, version: &Version) -> Result<Option<StudyReport>, ReportError> {
        let Some(shown) = self.databank.presentation(&version.0, version.1).await? else {
            return Ok(None);
        };
        let coverage = self.coverage(version).await?;
        let mut tables = Vec::with_capacity(shown.tables.len());
        for table in &shown.tables {
            tables.extend(self.table(&shown, table, &coverage).await?);
        }
        let shown = shown.as_ref().clone();
        Ok((!tables.is_empty()).then(|| StudyReport {
            study: shown.study,
            title: shown.study_title,
            about: shown.about,
            round: shown.round,
            version: shown.version,
            published: shown.published,
            provisional: shown.provisional,
            coverage: coverage.as_ref().clone(),
            privacy: shown.privacy,
            policy: shown.policy,
            tables,
        }))
    }

    /// Who is in the figures of a version.
    async fn coverage(&mut self, version: &Version) -> Result<Arc<Vec<Reporting>>, ReportError> {
        if let Some(known) = self.coverage.get(version) {
            return Ok(Arc::clone(known));
        }
        let (round, number) = version;
        let unreadable =
            |source| ReportError::Publication { round: round.clone(), version: *number, source };
        let stored = self.databank.store().publication(round, *number).await?;
        let stored = stored.ok_or_else(|| unreadable(None))?;
        let file: PublicationFile =
            serde_json::from_slice(&stored.document).map_err(|error| unreadable(Some(error)))?;
        let mut nodes: Vec<Reporting> = file
            .publication
            .coverage
            .nodes
            .into_iter()
            .map(|node| Reporting {
                name: if node.name.is_empty() { node.municipality.to_string() } else { node.name },
                number: node.municipality,
                state: node.state,
            })
            .collect();
        nodes.sort_by(|a, b| a.number.cmp(&b.number));
        let nodes = Arc::new(nodes);
        self.coverage.insert(version.clone(), Arc::clone(&nodes));
        Ok(nodes)
    }

    /// A table beside the period before; `None` if a later publication of the period replaced it.
    async fn table(
        &mut self,
        shown: &Presentation,
        table: &PresentedTable,
        coverage: &[Reporting],
    ) -> Result<Option<TableReport>, ReportError> {
        let Some(cube) = self.databank.cube(&table.id).await? else { return Ok(None) };
        let is_newest = cube.slices.iter().any(|slice| {
            slice.presentation.round == shown.round && slice.presentation.version == shown.version
        });
        if !is_newest {
            return Ok(None);
        }
        let Some(earlier) = earlier(&cube, shown.period) else {
            return Ok(Some(compare(table, None, None)));
        };
        let (then, old) = earlier;
        let was = self.coverage(&(then.round.clone(), then.version)).await?;
        let before = Before {
            period: then.period,
            same_definition: old.definition == table.definition,
            joined: only_in_first(coverage, &was),
            gone: only_in_first(&was, coverage),
        };
        let old = before.same_definition.then_some(old);
        Ok(Some(compare(table, old, Some(before.clone()))))
    }
}

/// The latest earlier period of the same length.
fn earlier(cube: &Cube, period: Period) -> Option<(&Presentation, &PresentedTable)> {
    let slices = cube.slices.iter().rev();
    let mut earlier = slices.filter(|slice| {
        let other = slice.presentation.period;
        other.last_day() < period.last_day() && other.months() == period.months()
    });
    let slice = earlier.next()?;
    Some((slice.presentation.as_ref(), slice.table()?))
}

/// The names of municipalities that are in the figures of the first and not of the second.
fn only_in_first(first: &[Reporting], second: &[Reporting]) -> Vec<String> {
    let is_in =
        |one: &&Reporting| matches!(one.state, CoverageState::Reported | CoverageState::Late);
    let other: BTreeSet<_> = second.iter().filter(is_in).map(|one| &one.number).collect();
    let alone = first.iter().filter(is_in).filter(|one| !other.contains(&one.number));
    alone.map(|one| one.name.clone()).collect()
}

fn compare(
    table: &PresentedTable,
    old: Option<&PresentedTable>,
    before: Option<Before>,
) -> TableReport {
    let mut rows = rows(table);
    let old: BTreeMap<Vec<String>, Row> = old
        .map(self::rows)
        .unwrap_or_default()
        .into_iter()
        .map(|row| (row.codes.clone(), row))
        .collect();
    for row in &mut rows {
        let Some(was) = old.get(&row.codes) else { continue };
        row.raw_before = was.raw;
        row.change = row.measured.zip(was.measured).and_then(|(now, was)| change(now, was));
    }
    TableReport {
        id: table.id.clone(),
        kind: table.kind,
        title: table.title.clone(),
        description: table.description.clone(),
        figure: table.figure.clone(),
        dimensions: table
            .dimensions
            .iter()
            .map(|dimension| (dimension.label.clone(), dimension.has_total))
            .collect(),
        rows,
        before,
    }
}

/// Every figure of the whole country.
fn rows(table: &PresentedTable) -> Vec<Row> {
    let Some(region) = table.regions.iter().position(|region| region.code == COUNTRY) else {
        return Vec::new();
    };
    let size = table
        .dimensions
        .iter()
        .fold(1_usize, |size, one| size.saturating_mul(one.categories.len()));
    (0..size).map(|number| row(table, region.saturating_mul(size), number)).collect()
}

fn row(table: &PresentedTable, first: usize, number: usize) -> Row {
    let mut rest = number;
    let mut at: Vec<usize> = Vec::with_capacity(table.dimensions.len());
    for dimension in table.dimensions.iter().rev() {
        let size = dimension.categories.len().max(1);
        at.push(rest % size);
        rest /= size;
    }
    at.reverse();
    let categories = || {
        let places = table.dimensions.iter().zip(&at);
        places.filter_map(|(dimension, place)| dimension.categories.get(*place))
    };
    let cells = &table.cells;
    let place = first + number;
    let of = |column: &[Option<Fixed>]| column.get(place).copied().flatten();
    let (shown, raw, deviation) = (of(&cells.shown), of(&cells.raw), of(&cells.deviation));
    let (lower, upper) = (of(&cells.lower95), of(&cells.upper95));
    let presented = Presented { raw, lower, upper, deviation };
    // A figure that is not shown is not compared either.
    let measured = shown.and_then(|_| Measured::of(table.kind, &table.noise, presented));
    Row {
        codes: categories().map(|category| category.code.clone()).collect(),
        labels: categories().map(|category| category.label.clone()).collect(),
        at,
        shown,
        lower,
        upper,
        deviation,
        raw,
        symbol: cells.symbols.get(place).copied().flatten(),
        measured,
        raw_before: None,
        change: None,
    }
}
