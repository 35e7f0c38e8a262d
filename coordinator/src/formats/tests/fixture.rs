//! A small table over two periods with every mark, negative and fractional numbers, and texts that
//! are trouble for every format.

use crate::databank::{Choice, Cube, Extract};
use crate::present::{
    Figure, Policy, Presentation, PresentedCategory, PresentedCells, PresentedDimension,
    PresentedTable, Privacy, Symbol, TableKind, TableNoise,
};
use crate::publish::Fixed;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::labels::{Labels, Language};
use fellestall_shared::privacy::{Delta, Loss, Rho};
use std::sync::Arc;

fn labels(nb: &str, nn: &str, en: &str) -> Labels {
    Labels { nb: nb.to_owned(), nn: nn.to_owned(), en: en.to_owned() }
}

fn category(code: &str, label: Labels) -> PresentedCategory {
    PresentedCategory { code: code.to_owned(), label }
}

fn dimensions() -> Vec<PresentedDimension> {
    let situation = vec![
        category("total", labels("I alt", "I alt", "Total")),
        category("same", labels("Samme bolig", "Same bustad", "Same dwelling")),
        category("=later", labels("=later", "=later", "=cmd|' /C calc'!A0")),
        category(
            "left",
            labels("Ute; \"sluttet\", på\nto linjer", "Ute", "<b>bold</b> & \"quoted\""),
        ),
    ];
    let item = vec![
        category("6", labels("6 måneder", "6 månader", "6 months")),
        category("12", labels("12 måneder", "12 månader", "12 months")),
    ];
    let dimension = |code: &str, label, categories, has_total| PresentedDimension {
        code: code.to_owned(),
        label,
        categories,
        has_total,
    };
    let situation_label = labels("bosituasjon", "busituasjon", "housing situation");
    vec![
        dimension("housing_situation", situation_label, situation, true),
        dimension("milestone", labels("tid", "tid", "time since"), item, false),
    ]
}

fn fixed(value: f64) -> Option<Fixed> {
    Fixed::nearest(value)
}

/// Numbers that differ in every cell, with decimals, signs and marks.
fn cells(count: usize, seed: i64) -> PresentedCells {
    let mut cells = PresentedCells::default();
    for place in 0..count {
        let n = i64::try_from(place).unwrap() + seed;
        let hidden = place % 5 == 3;
        let missing = place % 11 == 7;
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let x = n as f64;
        let shown = (!hidden && !missing).then_some(x + 1234.0);
        cells.shown.push(shown.and_then(fixed));
        cells.lower95.push(shown.and_then(|shown| fixed(shown - 2.5)));
        cells.upper95.push(shown.and_then(|shown| fixed(shown + 2.5)));
        cells.deviation.push(fixed(5.477_226 + x / 1000.0));
        cells.raw.push((!missing).then_some(x - 3.0).and_then(fixed));
        cells.municipalities.push(u32::try_from(n + 3).ok());
        cells.asked.push(Some(12));
        cells.symbols.push(match (hidden, missing, place % 4) {
            (_, true, _) => Some(Symbol::Missing),
            (true, ..) => Some(Symbol::Suppressed),
            (.., 0) => Some(Symbol::Provisional),
            _ => None,
        });
    }
    cells
}

fn table(
    regions: Vec<PresentedCategory>,
    dimensions: Vec<PresentedDimension>,
    seed: i64,
) -> PresentedTable {
    let sizes = dimensions.iter().map(|dimension| dimension.categories.len());
    let count = regions.len() * sizes.product::<usize>();
    PresentedTable {
        id: "core-S2".to_owned(),
        kind: TableKind::Counts,
        statistic: "S2".parse().unwrap(),
        definition: 1,
        title: labels("Bosituasjon", "Busituasjon", "Housing situation"),
        description: labels("Deltakere", "Deltakarar", "Participants"),
        figure: Figure {
            code: "Deltakere".to_owned(),
            label: labels("Deltakere", "Deltakarar", "Participants"),
            unit: labels("personer", "personar", "persons"),
            decimals: 0,
        },
        regions,
        dimensions,
        noise: TableNoise {
            loss: Some(Loss::DiscreteGaussian { rho_micro: Rho::from_micro(50_000) }),
            charge_micro: Rho::from_micro(50_000),
            l0: 1,
            l1: 1,
            l2_squared: 1,
            scale: Fixed::nearest(3.162_278),
            shared: None,
        },
        cells: cells(count, seed),
    }
}

/// A presentation of one table.
pub(crate) fn presentation(period: &str, table: PresentedTable) -> Presentation {
    Presentation {
        format: crate::present::FORMAT.to_owned(),
        round: format!("core.1.{period}").parse().unwrap(),
        version: 1,
        publication: Digest::of("test", period.as_bytes()),
        period: period.parse().unwrap(),
        published: Timestamp::from_unix(1_785_000_000),
        study: "core".parse().unwrap(),
        study_version: 1,
        study_title: labels("Kjerne", "Kjerne", "Core"),
        about: labels("Tallene har støy.", "Tala har støy.", "The figures are noisy."),
        provisional: true,
        asked: 12,
        reported: 9,
        privacy: Privacy {
            unit: "one participant".to_owned(),
            rho_micro: Rho::from_micro(50_000),
            delta_exponent: Delta::MICRO,
            epsilon: Fixed::nearest(1.75).unwrap(),
            municipalities_per_person: 2,
            person_epsilon: Fixed::nearest(2.5).unwrap(),
        },
        policy: Policy::default(),
        tables: vec![table],
        decisions: Vec::new(),
    }
}

fn regions(codes: &[&str]) -> Vec<PresentedCategory> {
    codes
        .iter()
        .map(|code| {
            let name = if *code == "0" { "Hele landet" } else { "Sandnes" };
            category(code, labels(name, name, name))
        })
        .collect()
}

/// The table over two periods; the older one has no municipality.
pub(crate) fn cube() -> Arc<Cube> {
    let older = presentation("2025H2", table(regions(&["0"]), dimensions(), 100));
    let newer = presentation("2026H1", table(regions(&["0", "1108"]), dimensions(), -2));
    Arc::new(Cube::new("core-s2", vec![Arc::new(newer), Arc::new(older)]).expect("a cube"))
}

/// An extract with this many rows and one column.
pub(super) fn wide(rows: usize) -> Extract {
    let cube = cube();
    let choice = |size: usize| Choice::Values((0..size).map(|_| 0).collect());
    let last = cube.dimensions.len() - 2;
    let choices = (0..cube.dimensions.len())
        .map(|place| match place {
            0 => choice(rows),
            place if place < last => choice(1),
            _ => Choice::Values(vec![0]),
        })
        .collect();
    Extract::new(cube, Language::Nb, choices).expect("an extract")
}
