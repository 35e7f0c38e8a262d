//! What is kept, in words.
//!
//! **Invariant:** every code has a text in every language.

use super::{Item, Until, Why};
use crate::register::AtEnd;
use fellestall_shared::labels::Language;
use time::Date;

fn one_of(language: Language, texts: [&'static str; 3]) -> &'static str {
    let [nb, nn, en] = texts;
    match language {
        Language::Nb => nb,
        Language::Nn => nn,
        Language::En => en,
    }
}

impl Item {
    /// What it is.
    #[must_use]
    pub fn text(self, language: Language) -> &'static str {
        let texts = match self {
            Self::Configuration => ["konfigurasjonen", "konfigurasjonen", "the configuration"],
            Self::Register => {
                ["behandlingsprotokollen", "behandlingsprotokollen", "the register of processing"]
            }
            Self::Enrolment => [
                "innmeldingen hos koordinatoren",
                "innmeldinga hos koordinatoren",
                "the enrolment at the coordinator",
            ],
            Self::ConsoleUsers => [
                "brukerne av konsollen (navn, rolle og avtrykk av den hemmelige koden)",
                "brukarane av konsollen (namn, rolle og avtrykk av den hemmelege koden)",
                "the users of the console (name, role and a digest of the secret)",
            ],
            Self::Keys => ["nodens nøkler", "nøklane til noden", "the node's keys"],
            Self::Ledger => [
                "regnskapet over personvernbudsjettet, med de utleverte tabellene",
                "rekneskapen over personvernbudsjettet, med dei utleverte tabellane",
                "the ledger of the privacy budget, with the tables that left",
            ],
            Self::AuditLog => ["hendelsesloggen", "hendingsloggen", "the audit log"],
            Self::AnsweredStudies => [
                "studiene som er besvart",
                "studiane som er svara på",
                "the studies that were answered",
            ],
            Self::UnansweredDocuments => [
                "studier og runder som ikke er besvart, og vedtak om dem",
                "studiar og rundar som ikkje er svara på, og vedtak om dei",
                "studies and rounds that were not answered, and decisions about them",
            ],
            Self::SnapshotKey => [
                "nøkkelen til samtykkeavtrykkene",
                "nøkkelen til samtykkeavtrykka",
                "the key of the consent snapshots",
            ],
            Self::Attestation => [
                "erklæringen om sletting",
                "erklæringa om sletting",
                "the attestation of the purge",
            ],
            Self::MunicipalRecords => [
                "kommunens egne registreringer (noden leser dem og beholder dem ikke)",
                "registreringane til kommunen sjølv (noden les dei og tek ikkje vare på dei)",
                "the municipality's own records (the node reads them and keeps none)",
            ],
        };
        one_of(language, texts)
    }
}

impl Why {
    /// Why it is kept.
    #[must_use]
    pub fn text(self, language: Language) -> &'static str {
        let texts = match self {
            Self::NeededToRun => [
                "noden trenger det for å virke",
                "noden treng det for å verke",
                "the node runs by it",
            ],
            Self::RecordOfProcessing => [
                "viser hvilken behandling som er tillatt",
                "viser kva behandling som er tillaten",
                "it says which processing is permitted",
            ],
            Self::BudgetStaysSpent => [
                "et budsjett som er brukt, skal ikke komme tilbake, og samme spørsmål skal få samme svar",
                "eit budsjett som er brukt, skal ikkje kome tilbake, og same spørsmål skal få same svar",
                "a budget that was spent must not come back, and a question must get the same answer",
            ],
            Self::Accountability => [
                "viser hva som har skjedd, for den som skal kontrollere det",
                "viser kva som har skjedd, for den som skal kontrollere det",
                "it shows what happened, to whoever has to check it",
            ],
            Self::ExplainsReleases => [
                "forklarer tall som er utlevert",
                "forklarer tal som er utleverte",
                "it explains figures that have left",
            ],
            Self::MayBeAnswered => [
                "kan fortsatt bli besvart",
                "kan framleis bli svara på",
                "it may still be answered",
            ],
            Self::ShowsConsents => [
                "viser hvilke samtykker en utlevering bygger på",
                "viser kva samtykke ei utlevering byggjer på",
                "it shows which consents a release rests on",
            ],
            Self::ProvesPurge => [
                "viser hva som er slettet",
                "viser kva som er sletta",
                "it proves what was destroyed",
            ],
            Self::MunicipalitysOwn => [
                "er kommunens, ikke nodens",
                "høyrer til kommunen, ikkje noden",
                "it is the municipality's, not the node's",
            ],
        };
        one_of(language, texts)
    }
}

impl Until {
    /// Until when it is kept.
    #[must_use]
    pub fn text(self, language: Language) -> String {
        match self {
            Self::NodeInUse => one_of(
                language,
                [
                    "så lenge noden er i bruk",
                    "så lenge noden er i bruk",
                    "as long as the node is in use",
                ],
            )
            .to_owned(),
            Self::FiguresInUse => one_of(
                language,
                [
                    "så lenge tallene er i bruk",
                    "så lenge tala er i bruk",
                    "as long as the figures are in use",
                ],
            )
            .to_owned(),
            Self::ProjectEnd { ends } => {
                let after = one_of(
                    language,
                    ["til prosjektslutt", "til prosjektslutt", "until the project's end"],
                );
                format!("{after}, {}", day(ends, language))
            }
            Self::Municipality { ends, at_end } => {
                let after = one_of(
                    language,
                    ["etter prosjektslutt", "etter prosjektslutt", "after the project's end"],
                );
                format!("{after}, {}: {}", day(ends, language), at_end.text(language))
            }
        }
    }
}

impl AtEnd {
    /// What the municipality does with its records at the project's end.
    #[must_use]
    pub fn text(self, language: Language) -> &'static str {
        let texts = match self {
            Self::Delete => ["slettes", "blir sletta", "deleted"],
            Self::Anonymise => ["anonymiseres", "blir anonymiserte", "made anonymous"],
            Self::Archive => [
                "arkiveres slik loven krever",
                "blir arkiverte slik lova krev",
                "archived as the law requires",
            ],
        };
        one_of(language, texts)
    }
}

/// A day as it is written in a language: 31.12.2026 in Norwegian, 2026-12-31 in English.
#[must_use]
pub(crate) fn day(day: Date, language: Language) -> String {
    match language {
        Language::En => day.to_string(),
        Language::Nb | Language::Nn => {
            format!("{}.{}.{}", day.day(), u8::from(day.month()), day.year())
        }
    }
}
