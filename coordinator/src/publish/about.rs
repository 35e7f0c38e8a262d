//! What a reader has to know about every figure of a publication, in three languages.
//!
//! **Invariant:** a table that somebody saw node by node is not said to be seen by nobody.

use fellestall_shared::labels::Labels;
use fellestall_shared::study::{Study, Table};
use std::fmt::{self, Write as _};

/// The note that goes with every figure.
#[must_use]
pub fn about(study: &Study) -> Labels {
    let mut about = Labels {
        nb: "Tallene er summer av tellinger med tilført støy, og kan være negative. Et 95\u{a0}%-intervall dekker den eksakte summen over kommunene som har rapportert, i minst 95 av 100 tilfeller. Intervallet gjelder støyen, ikke kommunene som mangler.".to_owned(),
        nn: "Tala er summar av teljingar med tilført støy, og kan vere negative. Eit 95\u{a0}%-intervall dekkjer den eksakte summen over kommunane som har rapportert, i minst 95 av 100 tilfelle. Intervallet gjeld støyen, ikkje kommunane som manglar.".to_owned(),
        en: "The figures are sums of counts with added noise, and may be negative. A 95\u{a0}% interval covers the exact sum over the municipalities that reported in at least 95 of 100 cases. The interval speaks of the noise, not of the municipalities that are missing.".to_owned(),
    };
    let shared = |table: &&Table| table.shared.is_some();
    let tables = study.tables();
    let unseen = tables.iter().filter(shared).filter(|table| table.local.is_none());
    if let Some([nb, nn, en]) = names(unseen) {
        add(
            &mut about.nb,
            format_args!(
                " Tallene fra enkeltkommuner i {nb} er ikke sett av noen: to tjenere som ikke deler det de får, har lagt sammen hver sin halvdel, og bare summen er åpnet."
            ),
        );
        add(
            &mut about.nn,
            format_args!(
                " Tala frå einskildkommunar i {nn} er ikkje sett av nokon: to tenarar som ikkje deler det dei får, har lagt saman kvar si halvdel, og berre summen er opna."
            ),
        );
        add(
            &mut about.en,
            format_args!(
                " The figures of single municipalities in {en} were seen by nobody: two servers that do not share what they get each added up one half, and the sum alone was opened."
            ),
        );
    }
    let both = tables.iter().filter(shared).filter(|table| table.local.is_some());
    if let Some([nb, nn, en]) = names(both) {
        add(
            &mut about.nb,
            format_args!(
                " I {nb} er en slik sum vektet sammen med tallene som hver kommune har sendt med egen støy."
            ),
        );
        add(
            &mut about.nn,
            format_args!(
                " I {nn} er ein slik sum vekta saman med tala som kvar kommune har sendt med eigen støy."
            ),
        );
        add(
            &mut about.en,
            format_args!(
                " In {en} such a sum is combined with the figures that each municipality sent with noise of its own."
            ),
        );
    }
    about
}

fn add(text: &mut String, sentence: fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(sentence);
}

/// The tables as "S2, S4 and S5" in bokmål, nynorsk and English; `None` without any.
fn names<'t>(tables: impl Iterator<Item = &'t Table>) -> Option<[String; 3]> {
    let ids: Vec<String> = tables.map(|table| table.statistic.id().to_string()).collect();
    let (last, rest) = ids.split_last()?;
    Some(["og", "og", "and"].map(|and| {
        if rest.is_empty() { last.clone() } else { format!("{} {and} {last}", rest.join(", ")) }
    }))
}
