//! A table of counts as it is shown: every region, every total, its interval, and what the rule says.
//!
//! **Invariant:** a hidden figure keeps its unbiased value and its noise; a decision is a function of
//! the released values and of how many municipalities they are from.

use super::estimate::{Estimate, Measured, Released};
use super::figures::{codes_of_each_cell, dimensions, figure, id, leaves_of_each_cell};
use super::regions::{Kind, Region, pool};
use super::{
    Decision, Policy, PresentedCells, PresentedDimension, PresentedTable, Reason, Symbol,
    TableKind, TableNoise,
};
use crate::publish::table_law::TableLaw;
use crate::publish::{Fixed, Publication, PublishedTable, TableCertificate};
use std::collections::BTreeMap;

/// How far an interval reaches whose noise is not known: beyond every figure.
const UNKNOWN: i64 = i64::MAX / 4;

/// What all tables of a presentation are made from.
pub(super) struct Source<'p> {
    pub published: &'p Publication,
    pub policy: &'p Policy,
    pub released: Released,
    pub estimate: Estimate,
    pub regions: Vec<Region>,
    /// Whether a later version may change the figures.
    pub provisional: bool,
}

/// The law of the noise in sums of a table's cells, each looked up once.
pub(super) struct Laws {
    law: Option<TableLaw>,
    known: BTreeMap<(usize, usize), (i64, f64)>,
}

impl Laws {
    pub(super) fn of(table: &PublishedTable, noise: &TableCertificate) -> Self {
        let law = TableLaw::published(noise, table.shared.as_ref());
        Self { law, known: BTreeMap::new() }
    }

    /// Half the width of the interval of a sum of so many cells over so many municipalities, and its
    /// deviation.
    pub(super) fn of_sum(&mut self, municipalities: usize, cells: usize) -> (i64, f64) {
        let Some(law) = self.law else { return (UNKNOWN, f64::INFINITY) };
        // Noise of each node's own is the same in every cell that it is drawn for.
        let key = match law {
            TableLaw::Local(_) => (1, municipalities * cells),
            _ => (municipalities, cells),
        };
        *self.known.entry(key).or_insert_with(|| {
            let noise = law.of_sum(municipalities, cells);
            (noise.half_width, noise.variance.sqrt())
        })
    }
}

/// One cell before the rule.
#[derive(Debug, Clone, Copy)]
struct Figures {
    shown: i64,
    raw: i64,
    half: i64,
    deviation: f64,
}

/// A table under way.
struct Writing<'s, 'p> {
    source: &'s Source<'p>,
    place: usize,
    leaves: Vec<Vec<usize>>,
    codes: Vec<Vec<String>>,
    /// Whether the first cell is the total of all.
    has_total: bool,
    laws: Laws,
    table: PresentedTable,
    decisions: Vec<Decision>,
}

/// The table at a place of the publication, with what was decided about it.
pub(super) fn counts(source: &Source<'_>, place: usize) -> Option<(PresentedTable, Vec<Decision>)> {
    let published = source.published.tables.get(place)?;
    let noise = source.published.certificate.tables.get(place)?;
    let dimensions = dimensions(published, noise);
    let has_total = dimensions.iter().all(|dimension| dimension.has_total);
    let mut writing = Writing {
        source,
        place,
        leaves: leaves_of_each_cell(&dimensions),
        codes: codes_of_each_cell(&dimensions),
        has_total,
        laws: Laws::of(published, noise),
        table: blank(source, published, noise, dimensions),
        decisions: Vec::new(),
    };
    writing.write();
    Some((writing.table, writing.decisions))
}

fn blank(
    source: &Source<'_>,
    published: &PublishedTable,
    noise: &TableCertificate,
    dimensions: Vec<PresentedDimension>,
) -> PresentedTable {
    let study = &source.published.certificate.study;
    PresentedTable {
        id: id(study.as_str(), published.statistic.as_str(), published.definition),
        kind: TableKind::Counts,
        statistic: published.statistic.clone(),
        definition: published.definition,
        title: published.title.clone(),
        description: published.description.clone(),
        figure: figure(published, noise),
        regions: Vec::new(),
        dimensions,
        noise: TableNoise::of(published, noise),
        cells: PresentedCells::default(),
    }
}

impl Writing<'_, '_> {
    fn write(&mut self) {
        let mut pooled: Vec<usize> = Vec::new();
        let source = self.source;
        let is_seen = source.released.tables.get(self.place).is_some_and(Measured::is_seen);
        // A table that nobody saw municipality by municipality has figures of the country alone.
        let regions = source.regions.iter().filter(|own| is_seen || own.kind == Kind::Country);
        let mut regions = regions.peekable();
        let mut of_county = 0;
        while let Some(region) = regions.next() {
            if region.kind == Kind::County {
                of_county = region.members.len();
            }
            if self.region(region) {
                pooled.extend(&region.members);
            }
            let ends = regions.peek().is_none_or(|next| next.county != region.county);
            if ends {
                let others = std::mem::take(&mut pooled);
                // All of a county together are the county.
                if !others.is_empty() && others.len() < of_county {
                    self.region(&pool(&region.county, others));
                }
            }
        }
    }

    /// Writes a region; whether it is to be pooled.
    fn region(&mut self, region: &Region) -> bool {
        self.table.regions.push(region.category.clone());
        if region.kind == Kind::Absent {
            self.absent(region);
            return false;
        }
        let figures = self.figures(region);
        let reasons: Vec<Option<Reason>> =
            figures.iter().map(|figure| self.reason(region, *figure)).collect();
        let too_few =
            region.kind != Kind::Municipality && self.source.policy.are_too_few(region.reported);
        let cannot_be_shown = reasons.iter().all(Option::is_some)
            || (self.has_total && reasons.first().is_some_and(Option::is_some));
        let pooled =
            region.kind == Kind::Municipality && self.source.policy.pool && cannot_be_shown;
        if too_few {
            let on = i64::try_from(region.reported).unwrap_or(i64::MAX);
            self.decide(region, Vec::new(), Reason::TooFewMunicipalities, on);
        } else if pooled {
            let largest = figures.iter().map(|figure| figure.raw).max().unwrap_or(0);
            let total = figures.first().map_or(0, |figure| figure.raw);
            let on = if self.has_total { total } else { largest };
            self.decide(region, Vec::new(), Reason::Pooled, on);
        }
        for (place, (figure, reason)) in figures.iter().zip(reasons).enumerate() {
            if let (false, false, Some(reason)) = (too_few, pooled, reason) {
                let codes = self.codes.get(place).cloned().unwrap_or_default();
                self.decide(region, codes, reason, figure.raw);
            }
            self.cell(region, *figure, too_few || pooled || reason.is_some());
        }
        pooled
    }

    /// Why the rule hides a figure for itself.
    fn reason(&self, region: &Region, figure: Figures) -> Option<Reason> {
        match region.kind {
            Kind::Country => None,
            _ => self.source.policy.hides(figure.raw, figure.deviation),
        }
    }

    /// The cells of a region: its municipalities' released and presentable leaves, summed.
    fn figures(&mut self, region: &Region) -> Vec<Figures> {
        let (raw, shown) = self.sums(region);
        let sum = |values: &[i64], leaves: &[usize]| -> i64 {
            leaves.iter().filter_map(|leaf| values.get(*leaf)).sum()
        };
        let leaves = &self.leaves;
        let laws = &mut self.laws;
        let figures = leaves.iter().map(|leaves| {
            let (half, deviation) = laws.of_sum(region.reported, leaves.len());
            Figures { shown: sum(&shown, leaves), raw: sum(&raw, leaves), half, deviation }
        });
        figures.collect()
    }

    fn sums(&self, region: &Region) -> (Vec<i64>, Vec<i64>) {
        let table = self.source.released.tables.get(self.place);
        let estimate = &self.source.estimate;
        if region.kind == Kind::Country {
            let raw = table.map(|table| table.national.clone()).unwrap_or_default();
            return (raw, estimate.national.get(self.place).cloned().unwrap_or_default());
        }
        let size = table.map_or(0, |table| table.national.len());
        let (mut raw, mut shown) = (vec![0_i64; size], vec![0_i64; size]);
        let add = |sums: &mut [i64], values: Option<&Vec<i64>>| {
            for (sum, value) in sums.iter_mut().zip(values.into_iter().flatten()) {
                *sum = sum.saturating_add(*value);
            }
        };
        for member in &region.members {
            add(&mut raw, table.and_then(|table| table.municipal.get(*member)));
            let own = estimate.municipal.get(*member);
            add(&mut shown, own.and_then(|tables| tables.get(self.place)));
        }
        (raw, shown)
    }

    fn decide(&mut self, region: &Region, codes: Vec<String>, reason: Reason, on: i64) {
        let Some(on) = Fixed::whole(on) else { return };
        self.decisions.push(Decision {
            table: self.table.id.clone(),
            region: region.category.code.clone(),
            codes,
            reason,
            on,
        });
    }

    fn cell(&mut self, region: &Region, figure: Figures, hidden: bool) {
        let Figures { shown, raw, half, deviation } = figure;
        let lower = raw.saturating_sub(half).max(0).min(shown);
        let upper = raw.saturating_add(half).max(shown);
        let shown = Fixed::whole(shown);
        let cells = &mut self.table.cells;
        cells.shown.push(shown.filter(|_| !hidden));
        cells.lower95.push(Fixed::whole(lower).filter(|_| !hidden));
        cells.upper95.push(Fixed::whole(upper).filter(|_| !hidden));
        cells.deviation.push(Fixed::nearest(deviation));
        cells.raw.push(Fixed::whole(raw));
        cells.municipalities.push(u32::try_from(region.reported).ok());
        cells.asked.push(u32::try_from(region.asked).ok());
        let mark = self.source.provisional.then_some(Symbol::Provisional);
        cells.symbols.push(match (hidden, shown) {
            (true, _) => Some(Symbol::Suppressed),
            (false, None) => Some(Symbol::Missing),
            (false, Some(_)) => mark,
        });
    }

    fn absent(&mut self, region: &Region) {
        for _ in &self.leaves {
            let cells = &mut self.table.cells;
            for column in [
                &mut cells.shown,
                &mut cells.lower95,
                &mut cells.upper95,
                &mut cells.deviation,
                &mut cells.raw,
            ] {
                column.push(None);
            }
            cells.municipalities.push(Some(0));
            cells.asked.push(u32::try_from(region.asked).ok());
            cells.symbols.push(Some(Symbol::Missing));
        }
    }
}
