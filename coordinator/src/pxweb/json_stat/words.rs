//! What every table says about itself.
//!
//! **Invariant:** the same in every table, in three languages.

use fellestall_shared::labels::Language;

/// One text in three languages.
pub(super) struct Words {
    nb: &'static str,
    nn: &'static str,
    en: &'static str,
}

impl Words {
    pub(super) fn text(&self, language: Language) -> &'static str {
        match language {
            Language::Nb => self.nb,
            Language::Nn => self.nn,
            Language::En => self.en,
        }
    }
}

/// Why there is nothing to add up.
pub(super) const SUMS: Words = Words {
    nb: "Ikke legg sammen tallene: støyen legges også sammen. Hver variabel som kan legges sammen, har en egen publisert verdi for summen.",
    nn: "Ikkje legg saman tala: støyen blir òg lagd saman. Kvar variabel som kan leggjast saman, har ein eigen publisert verdi for summen.",
    en: "Do not add the figures up: the noise adds up too. Every variable that adds up to something has a published value of its own for the total.",
};

/// What the marks mean.
pub(super) const SYMBOLS: Words = Words {
    nb: ": holdt tilbake, .. ikke rapportert, . kan ikke forekomme, * foreløpig tall.",
    nn: ": halden tilbake, .. ikkje rapportert, . kan ikkje førekome, * førebels tal.",
    en: ": withheld, .. not reported, . not applicable, * provisional figure.",
};
