//! What a file says about its numbers: what they are, how sure, who is behind them, where they are.
//!
//! **Invariant:** every file that has room for words carries the mandatory note.

use super::words::{self, Words};
use super::{Context, title};
use crate::databank::{Extract, Role, Slice};
use crate::present::{Symbol, Whose};
use crate::publish::Fixed;
use fellestall_shared::labels::Language;
use fellestall_shared::privacy::Loss;

/// The periods of an extract, ascending.
pub(super) fn slices(extract: &Extract) -> Vec<&Slice> {
    let cube = &extract.cube;
    let time = cube.dimensions.iter().position(|dimension| dimension.role == Role::Time);
    let chosen = extract.shown.iter().find(|(place, _)| Some(*place) == time);
    let mut places = chosen.map(|(_, values)| values.clone()).unwrap_or_default();
    places.sort_unstable();
    places.dedup();
    places.into_iter().filter_map(|place| cube.slices.get(place)).collect()
}

/// The mandatory note: what a reader has to know about every figure.
pub(super) fn note(extract: &Extract, language: Language) -> String {
    let own = slices(extract);
    let newest = own.last().copied().or_else(|| extract.cube.slices.last());
    newest.map(|slice| slice.presentation.about.text(language).to_owned()).unwrap_or_default()
}

/// The page of the table that an extract is of.
pub(super) fn link(extract: &Extract, context: &Context<'_>) -> String {
    format!("{}/{}/tables/{}", context.url, words::code(extract.language), extract.cube.id)
}

/// Everything else, as pairs of a name and a text.
pub(super) fn facts(extract: &Extract, context: &Context<'_>) -> Vec<(String, String)> {
    let (cube, language) = (&extract.cube, extract.language);
    let words = Words::of(language);
    let mut facts = Vec::new();
    let mut add = |name: &str, text: String| facts.push((name.to_owned(), text));
    add(&words.table, title(extract));
    add(&words.counted, cube.description.text(language).to_owned());
    add(&words.note, note(extract, language));
    add("", words.measures.clone());
    add("", words.no_sums.clone());
    for slice in slices(extract) {
        let shown = &slice.presentation;
        let (period, version) = (shown.period, shown.version);
        add(&words.periods, format!("{period}: {}, {} {version}", shown.round, words.version));
        let (reported, asked) = (shown.reported, shown.asked);
        let text = format!("{period}: {reported} {} {asked} {}", words.of, words.municipalities);
        add(&words.coverage, text);
        if let Some(table) = slice.table() {
            for part in table.noise.parts() {
                let law = match part.loss {
                    Loss::DiscreteGaussian { .. } => &words.discrete_gaussian,
                    Loss::DiscreteLaplace { .. } => &words.discrete_laplace,
                };
                let (whose, scale) = match part.whose {
                    Whose::Each => (&words.scale, table.noise.scale),
                    Whose::Shared => (&words.shared_scale, Fixed::nearest(part.scale)),
                };
                let Some(scale) = scale else { continue };
                add(&words.mechanism, format!("{period}: {law}, {whose} {scale}"));
            }
        }
        let privacy = &shown.privacy;
        let delta = format!("delta {}", privacy.delta_exponent);
        let is_ours = privacy.unit == crate::publish::UNIT;
        let unit = if is_ours { &words.participant_in_municipality } else { &privacy.unit };
        add(&words.unit_of_privacy, unit.clone());
        add(&words.loss, format!("{period}: epsilon {}, {delta}", privacy.epsilon));
        let municipalities = privacy.municipalities_per_person;
        let person = format!(
            "{period}: epsilon {}, {delta} ({municipalities} {})",
            privacy.person_epsilon, words.municipalities
        );
        add(&words.person_loss, person);
        let id = format!("{}.v{version}", shown.round);
        add(&words.certificate, format!("{}/publications/{id}.certificate.json", context.url));
    }
    for symbol in [Symbol::Suppressed, Symbol::Missing, Symbol::NotApplicable, Symbol::Provisional]
    {
        add(&words.symbols, format!("{}  {}", symbol.text(), words.symbol(symbol)));
    }
    add(&words.updated, cube.updated.to_string());
    add(&words.publisher, context.web.publisher.clone());
    if let Some(contact) = &context.web.contact {
        add(&words.contact, contact.clone());
    }
    add(&words.licence, format!("{} {}", context.web.licence, context.web.licence_url));
    add(&words.link, link(extract, context));
    facts
}
