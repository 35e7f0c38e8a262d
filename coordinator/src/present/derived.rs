//! Tables that follow from others: retention by each rule, the survival curve, mean contacts.
//!
//! Each figure is a ratio of released sums with an interval of its own (see `publish::rates` and
//! `publish::survival`), for the whole country. Its deviation is the interval's width over twice
//! 1.96, since a ratio of noisy sums has none of its own. A figure that is too uncertain to be given
//! at all, because its denominator is not clearly above its noise, has the symbol `..`.
//!
//! **Invariant:** nothing here has more to say than the released sums; ends of intervals are rounded
//! outwards.

use super::counts::{Laws, Source};
use super::estimate::{Mean, Place, real, total_of};
use super::figures::{dimensions, id, labels, leaves_of_each_cell};
use super::structure::{Structure, persons_with_contact, unit};
use super::{
    COUNTRY, Decision, Figure, PresentedCategory, PresentedCells, PresentedDimension,
    PresentedTable, Reason, Symbol, TableKind, TableNoise, decimal,
};
use crate::publish::{Estimate, Fixed, PublishedTable, TableCertificate};
use fellestall_shared::labels::Labels;
use fellestall_shared::statistic::{Unit, Variable, Window};

/// The normal law's two-sided 95 % point.
const NORMAL: f64 = 1.959_963_984_540_054;
/// Months in the quarter that contacts are counted in.
const MONTHS: f64 = 3.0;

/// A table and what was decided about it.
type Decided = (PresentedTable, Vec<Decision>);

/// One figure of a derived table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Derived {
    pub value: f64,
    pub lower: f64,
    pub upper: f64,
    /// The largest value that can be, if there is one.
    pub largest: f64,
}

/// What sets a derived table apart.
struct Heading {
    suffix: &'static str,
    shows: TableKind,
    title: Labels,
    description: Labels,
    figure: Figure,
}

/// The tables that follow from the table at a place of the publication.
pub(super) fn derived(source: &Source<'_>, structure: &Structure, place: usize) -> Vec<Decided> {
    let tables = source.published.tables.iter().zip(&source.published.certificate.tables);
    let Some((table, noise)) = tables.clone().nth(place) else { return Vec::new() };
    let context = Context { source, table, noise };
    [context.retention(), context.survival(), context.means(structure, place)]
        .into_iter()
        .flatten()
        .collect()
}

struct Context<'s, 'p> {
    source: &'s Source<'p>,
    table: &'s PublishedTable,
    noise: &'s TableCertificate,
}

impl Context<'_, '_> {
    fn retention(&self) -> Option<Decided> {
        let rates = &self.source.published.rates;
        let own: Vec<_> =
            rates.iter().filter(|rate| rate.statistic == self.table.statistic).collect();
        if own.is_empty() {
            return None;
        }
        let rules = own.iter().map(|rate| (rate.rate.clone(), rate.label.clone()));
        let dimension = PresentedDimension {
            code: "rule".to_owned(),
            label: labels("regel", "regel", "rule"),
            categories: categories(rules),
            has_total: false,
        };
        let title = if unit(self.table) == Unit::Milestone {
            labels(
                "Andel i ordinær bolig 6, 12 og 24 måneder etter første innflytting",
                "Del i ordinær bustad 6, 12 og 24 månader etter første innflytting",
                "Share in an ordinary dwelling 6, 12 and 24 months after the first move-in",
            )
        } else {
            labels(
                "Bostabilitet etter tre regler",
                "Bustabilitet etter tre reglar",
                "Housing retention by three rules",
            )
        };
        let heading = Heading {
            suffix: "retention",
            shows: TableKind::Rates,
            title,
            description: labels(
                "Andeler regnet ut fra summer med støy, hver med intervall etter Fiellers metode. «..» betyr at nevneren ikke er klart større enn støyen, slik at ingen andel kan gis.",
                "Delar rekna ut frå summar med støy, kvar med intervall etter metoden til Fieller. «..» tyder at nemnaren ikkje er klart større enn støyen, slik at ingen del kan gjevast.",
                "Shares computed from noisy sums, each with an interval by Fieller's method. '..' means that the denominator is not clearly above its noise, so that no share can be given.",
            ),
            figure: share(
                labels("Bostabilitet", "Bustabilitet", "Housing retention"),
                "Bostabilitet",
            ),
        };
        let figures = own.iter().map(|rate| rate.figure.as_ref().map(percent)).collect();
        Some(self.table_of(heading, vec![dimension], figures))
    }

    fn survival(&self) -> Option<Decided> {
        let curve = self.source.published.survival.as_ref();
        let curve = curve.filter(|curve| curve.statistic == self.table.statistic)?;
        let months = self.table.dimensions.iter();
        let months = months.clone().find(|own| own.variable == Variable::MonthsFollowed)?;
        let is_time = |code: &str| {
            code.strip_prefix('m')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let time: Vec<_> =
            months.categories.iter().filter(|category| is_time(&category.code)).collect();
        let dimension = PresentedDimension {
            code: "months_followed".to_owned(),
            label: months.label.clone(),
            categories: categories(time.iter().map(|own| (own.code.clone(), own.label.clone()))),
            has_total: false,
        };
        let heading = Heading {
            suffix: "survival",
            shows: TableKind::Survival,
            title: curve.label.clone(),
            description: labels(
                "Kaplan-Meier-kurve over hele måneder etter første innflytting, ved slutten av hver måned. «..» betyr at for få er fulgt så lenge, målt mot støyen.",
                "Kaplan-Meier-kurve over heile månader etter første innflytting, ved slutten av kvar månad. «..» tyder at for få er følgde så lenge, målt mot støyen.",
                "Kaplan-Meier curve over whole months since the first move-in, at the end of each month. '..' means that too few are followed so long, compared with the noise.",
            ),
            figure: share(
                labels("Andel som fortsatt bor", "Del som framleis bur", "Share still housed"),
                "Andel",
            ),
        };
        let point = |code: &str| curve.points.iter().find(|point| point.code == code);
        let figures = time.iter().map(|own| point(&own.code).map(|found| percent(&found.survival)));
        Some(self.table_of(heading, vec![dimension], figures.collect()))
    }

    fn means(&self, structure: &Structure, place: usize) -> Option<Decided> {
        if unit(self.table) != Unit::Contact || persons_with_contact(self.table, self.noise) {
            return None;
        }
        let (participants, window, multiple) = self.participants(structure)?;
        let dimensions = dimensions(self.table, self.noise);
        let mut laws = Laws::of(self.table, self.noise);
        let counted = self.source.released.tables.get(place)?;
        let reported = self.source.published.coverage.reported;
        let figures = leaves_of_each_cell(&dimensions)
            .iter()
            .map(|leaves| {
                let cells = leaves.iter().filter_map(|leaf| counted.national.get(*leaf));
                let (half, deviation) = laws.of_sum(reported, leaves.len());
                let contacts = Mean { value: real(cells.sum()), variance: deviation * deviation };
                let own = if deviation > 0.0 { real(half) / deviation } else { NORMAL };
                ratio(contacts, participants, multiple.max(own)).map(per_month)
            })
            .collect();
        let heading = Heading {
            suffix: "mean",
            shows: TableKind::Means,
            title: labels(
                "Kontakter per deltaker og måned i det siste kvartalet (høyst 13 av hver type og seks typer telles for én deltaker)",
                "Kontaktar per deltakar og månad i det siste kvartalet (høgst 13 av kvar type og seks typar blir talde for éin deltakar)",
                "Contacts per participant and month in the last quarter (at most 13 of each category and six categories are counted for one participant)",
            ),
            description: means_description(window),
            figure: Figure {
                code: "KontakterPerMaaned".to_owned(),
                label: labels(
                    "Kontakter per deltaker og måned",
                    "Kontaktar per deltakar og månad",
                    "Contacts per participant and month",
                ),
                unit: labels("kontakter", "kontaktar", "contacts"),
                decimals: 2,
            },
        };
        Some(self.table_of(heading, dimensions, figures))
    }

    /// The best known number of participants: of those in the programme in the quarter if a table
    /// counts them, else in the period, else ever. With the multiple of deviations that its interval
    /// takes.
    fn participants(&self, structure: &Structure) -> Option<(Mean, Window, f64)> {
        let rank = |window: &Window| match window {
            Window::LastQuarter => 0,
            Window::Period => 1,
            Window::CensusDate => 2,
        };
        let nearest = structure.participants.iter().min_by_key(|(_, window)| rank(window));
        let (total, window) = nearest?;
        let mean = total_of(&self.source.released, structure, *total, Place::Country)?;
        let published = self.source.published;
        let tables = || published.tables.iter().zip(&published.certificate.tables);
        let reported = self.source.published.coverage.reported;
        let mut multiple = NORMAL;
        for family in structure.families.iter().filter(|family| family.total == *total) {
            let (table, noise) = tables().nth(family.table)?;
            let (half, deviation) = Laws::of(table, noise).of_sum(reported, family.cells.len());
            if deviation > 0.0 {
                multiple = multiple.max(real(half) / deviation);
            }
        }
        Some((mean, *window, multiple))
    }

    fn table_of(
        &self,
        heading: Heading,
        dimensions: Vec<PresentedDimension>,
        figures: Vec<Option<Derived>>,
    ) -> Decided {
        let published = self.source.published;
        let own = id(
            published.certificate.study.as_str(),
            self.table.statistic.as_str(),
            self.table.definition,
        );
        let id = format!("{own}-{}", heading.suffix);
        let country = self.source.regions.iter().find(|region| region.category.code == COUNTRY);
        let too_few = self.source.policy.are_too_few(published.coverage.reported);
        let mut cells = PresentedCells::default();
        for figure in figures {
            self.cell(&mut cells, figure, heading.figure.decimals, too_few);
        }
        let decision = Fixed::whole(i64::try_from(published.coverage.reported).unwrap_or(i64::MAX))
            .filter(|_| too_few)
            .map(|on| Decision {
                table: id.clone(),
                region: COUNTRY.to_owned(),
                codes: Vec::new(),
                reason: Reason::TooFewMunicipalities,
                on,
            });
        let table = PresentedTable {
            id,
            kind: heading.shows,
            statistic: self.table.statistic.clone(),
            definition: self.table.definition,
            title: heading.title,
            description: heading.description,
            figure: heading.figure,
            regions: country.map(|region| region.category.clone()).into_iter().collect(),
            dimensions,
            noise: TableNoise::of(self.table, self.noise),
            cells,
        };
        (table, decision.into_iter().collect())
    }

    fn cell(
        &self,
        cells: &mut PresentedCells,
        figure: Option<Derived>,
        decimals: u8,
        hidden: bool,
    ) {
        let within = |figure: Derived, value: f64| value.clamp(0.0, figure.largest);
        let shown = |pick: fn(Derived) -> f64, round: fn(f64) -> f64| {
            let figure = figure.filter(|_| !hidden)?;
            decimal(within(figure, pick(figure)), decimals, round)
        };
        cells.shown.push(shown(|figure| figure.value, f64::round));
        cells.lower95.push(shown(|figure| figure.lower, f64::floor));
        cells.upper95.push(shown(|figure| figure.upper, f64::ceil));
        let deviation = |figure: Derived| (figure.upper - figure.lower) / (2.0 * NORMAL);
        cells.deviation.push(figure.and_then(|figure| Fixed::nearest(deviation(figure))));
        cells.raw.push(figure.and_then(|figure| Fixed::nearest(figure.value)));
        let coverage = &self.source.published.coverage;
        cells.municipalities.push(u32::try_from(coverage.reported).ok());
        cells.asked.push(u32::try_from(coverage.asked).ok());
        let mark = self.source.provisional.then_some(Symbol::Provisional);
        cells.symbols.push(match (figure, hidden) {
            (None, _) => Some(Symbol::Missing),
            (Some(_), true) => Some(Symbol::Suppressed),
            (Some(_), false) => mark,
        });
    }
}

/// The ratio of two independent noisy numbers with Fieller's interval, if it has one.
pub(super) fn ratio(above: Mean, below: Mean, multiple: f64) -> Option<Derived> {
    let squared = multiple * multiple;
    let square = below.value * below.value - squared * below.variance;
    if below.value <= 0.0 || square <= 0.0 {
        return None;
    }
    let middle = above.value * below.value;
    let constant = above.value * above.value - squared * above.variance;
    // The ratio itself is in the set, so that the root is real but for rounding.
    let root = (middle * middle - square * constant).max(0.0).sqrt();
    Some(Derived {
        value: above.value / below.value,
        lower: (middle - root) / square,
        upper: (middle + root) / square,
        largest: f64::INFINITY,
    })
}

fn per_month(figure: Derived) -> Derived {
    Derived {
        value: figure.value / MONTHS,
        lower: figure.lower / MONTHS,
        upper: figure.upper / MONTHS,
        ..figure
    }
}

fn percent(estimate: &Estimate) -> Derived {
    let hundred = |value: Fixed| value.value() * 100.0;
    Derived {
        value: hundred(estimate.value),
        lower: hundred(estimate.lower95),
        upper: hundred(estimate.upper95),
        largest: 100.0,
    }
}

fn share(label: Labels, code: &str) -> Figure {
    let unit = labels("prosent", "prosent", "per cent");
    Figure { code: code.to_owned(), label, unit, decimals: 1 }
}

fn categories(all: impl Iterator<Item = (String, Labels)>) -> Vec<PresentedCategory> {
    all.map(|(code, label)| PresentedCategory { code, label }).collect()
}

fn means_description(window: Window) -> Labels {
    let (nb, nn, en) = match window {
        Window::LastQuarter => (
            "deltakerne som var i tiltaket i kvartalet",
            "deltakarane som var i tiltaket i kvartalet",
            "the participants who were in the programme in the quarter",
        ),
        Window::Period => (
            "deltakerne som var i tiltaket i perioden",
            "deltakarane som var i tiltaket i perioden",
            "the participants who were in the programme in the period",
        ),
        Window::CensusDate => (
            "alle som er tatt inn, også de som har sluttet",
            "alle som er tekne inn, også dei som har slutta",
            "everyone ever taken in, also those who have left",
        ),
    };
    Labels {
        nb: format!(
            "Talte kontakter delt på tre måneder og på {nb}, med intervall etter Fiellers metode. Måneder uten utfylt skjema teller som måneder uten talte kontakter, og antallet for én deltaker er avgrenset, så gjennomsnittet er heller for lavt enn for høyt."
        ),
        nn: format!(
            "Talde kontaktar delt på tre månader og på {nn}, med intervall etter metoden til Fieller. Månader utan utfylt skjema tel som månader utan talde kontaktar, og talet for éin deltakar er avgrensa, så gjennomsnittet er heller for lågt enn for høgt."
        ),
        en: format!(
            "Counted contacts divided by three months and by {en}, with an interval by Fieller's method. Months without a filled-in form count as months without counted contacts, and the number for one participant is bounded, so the mean is too low rather than too high."
        ),
    }
}
