//! A participant's report as plain text, in the participant's language.
//!
//! **Invariant:** says the same as the page, in the same words.

use super::{ConsentReport, ReleaseReport, Report};
use crate::kernel::Standing;
use fellestall_shared::labels::Language;
use fellestall_shared::wire::v1::LegalBasis;
use std::fmt::Write;

/// The words of the report in one language.
#[derive(Clone, Copy)]
pub(super) struct Words(pub(super) Language);

impl Words {
    /// The text in this language.
    pub(super) fn t(self, nb: &'static str, nn: &'static str, en: &'static str) -> &'static str {
        match self.0 {
            Language::Nb => nb,
            Language::Nn => nn,
            Language::En => en,
        }
    }

    pub(super) fn title(self) -> &'static str {
        self.t(
            "Om bruken av opplysninger om deg i nasjonal statistikk",
            "Om bruken av opplysningar om deg i nasjonal statistikk",
            "How information about you is used in national statistics",
        )
    }

    /// What the report is and is not.
    pub(super) fn about(self) -> &'static str {
        self.t(
            "Oversikten er laget i kommunen på spørsmål fra deg, og er ikke lagret der. Den bygger på \
             registreringene og samtykkene slik de er i dag. Den som slo opp, står i kommunens logg; \
             hvem oppslaget gjaldt, står ikke der.",
            "Oversikta er laga i kommunen fordi du spurde, og er ikkje lagra der. Ho byggjer på \
             registreringane og samtykka slik dei er i dag. Den som slo opp, står i loggen til \
             kommunen; kven oppslaget gjaldt, står ikkje der.",
            "This overview was made in the municipality because you asked, and is not kept there. It \
             rests on the records and consents as they are today. Who looked is in the municipality's \
             log; whom it was about is not.",
        )
    }

    /// What a release is.
    pub(super) fn released(self) -> &'static str {
        self.t(
            "Ut av kommunen går bare tabeller med antall personer, og hvert tall er endret med \
             tilfeldig støy før det sendes. Tabellene har verken navn eller rader for enkeltpersoner. \
             Tall som er sendt, blir stående, også om et samtykke senere blir trukket tilbake: de er \
             ikke knyttet til navnet ditt, og de regnes ikke ut på nytt.",
            "Ut av kommunen går berre tabellar med talet på personar, og kvart tal er endra med \
             tilfeldig støy før det blir sendt. Tabellane har verken namn eller rader for \
             enkeltpersonar. Tal som er sende, blir ståande, også om eit samtykke seinare blir trekt \
             tilbake: dei er ikkje knytte til namnet ditt, og dei blir ikkje rekna ut på nytt.",
            "Only tables of how many people leave the municipality, and each number is changed by \
             random noise before it is sent. The tables have no names, and no row for any one \
             person. Figures that were sent stand, also if a consent is withdrawn later: they are not tied \
             to your name, and are not worked out again.",
        )
    }

    /// How a participant's consents stand.
    pub(super) fn standing(self, standing: Standing, basis: LegalBasis) -> &'static str {
        match standing {
            Standing::Counted if basis == LegalBasis::Consent => self.t(
                "regnes med, etter samtykke",
                "blir rekna med, etter samtykke",
                "counted, by consent",
            ),
            Standing::Counted => self.t(
                "regnes med; du har ikke reservert deg",
                "blir rekna med; du har ikkje reservert deg",
                "counted; you have not opted out",
            ),
            Standing::NotGiven => self.t(
                "regnes ikke med: samtykke er ikke gitt",
                "blir ikkje rekna med: samtykke er ikkje gitt",
                "not counted: no consent is given",
            ),
            Standing::Objected => self.t(
                "regnes ikke med: du har sagt nei eller trukket samtykket tilbake",
                "blir ikkje rekna med: du har sagt nei eller trekt samtykket tilbake",
                "not counted: you have said no or withdrawn your consent",
            ),
            Standing::Expired => self.t(
                "regnes ikke med: samtykket er gått ut",
                "blir ikkje rekna med: samtykket er gått ut",
                "not counted: the consent has expired",
            ),
            Standing::OtherForm => self.t(
                "regnes ikke med: samtykket er gitt på et skjema som ikke gjelder",
                "blir ikkje rekna med: samtykket er gitt på eit skjema som ikkje gjeld",
                "not counted: the consent was given on a form that does not apply",
            ),
            Standing::Unknown => self.t(
                "regnes ikke med: noe om samtykket er ukjent",
                "blir ikkje rekna med: noko om samtykket er ukjent",
                "not counted: something about the consent is not known",
            ),
        }
    }

    /// Why a release is without the participant, if the consents say so.
    pub(super) fn why_not(self, release: &ReleaseReport) -> Option<&'static str> {
        let standing = release.standing.filter(|standing| *standing != Standing::Counted)?;
        Some(self.standing(standing, LegalBasis::Consent))
    }

    /// How one row of the consent table reads.
    pub(super) fn row(self, row: &ConsentReport) -> String {
        let status = match row.status {
            "given" => self.t("gitt", "gitt", "given"),
            "refused" => self.t("avslått", "avslått", "refused"),
            "withdrawn" => self.t("trukket tilbake", "trekt tilbake", "withdrawn"),
            "not_asked" => self.t("ikke spurt", "ikkje spurd", "not asked"),
            _ => self.t("ukjent", "ukjent", "unknown"),
        };
        let mode = match row.mode {
            "written" => self.t("skriftlig", "skriftleg", "written"),
            "oral" => self.t("muntlig", "munnleg", "oral"),
            _ => self.t("ukjent måte", "ukjend måte", "unknown way"),
        };
        let mut text = format!("{}: {status}, {mode}", self.date(&row.date));
        if !row.form_version.is_empty() {
            let form = self.t("skjema", "skjema", "form");
            // Writing to a String does not fail.
            let _written = write!(text, ", {form} {}", row.form_version);
        }
        for (name, date) in [
            (self.t("gjelder til", "gjeld til", "holds until"), &row.valid_until),
            (self.t("trukket tilbake", "trekt tilbake", "withdrawn"), &row.withdrawn_on),
        ] {
            if let Some(date) = date {
                let _written = write!(text, ", {name} {}", self.date(date));
            }
        }
        text
    }

    fn date(self, date: &str) -> String {
        if date == "unknown" {
            return self.t("ukjent dag", "ukjend dag", "unknown day").to_owned();
        }
        let parts: Vec<&str> = date.split('-').collect();
        match (parts.as_slice(), self.0) {
            ([year, month, day], Language::Nb | Language::Nn) => {
                let plain = |part: &str| part.trim_start_matches('0').to_owned();
                format!("{}.{}.{year}", plain(day), plain(month))
            }
            _ => date.to_owned(),
        }
    }

    /// What a release cost, in plain words.
    pub(super) fn cost(self, release: &ReleaseReport) -> String {
        let (rho, epsilon) = (&release.cost.rho, release.cost.epsilon.to_string());
        let (delta, guess) = (&release.delta, release.cost.guess_percent.to_string());
        let comma = |text: &str| text.replace('.', ",");
        match self.0 {
            Language::Nb => format!(
                "Personverntap {} rho (epsilon {} ved delta {delta}). Den som skal gjette om du er regnet \
                 med, og ellers ville ha rett i 50 % av tilfellene, kan på grunn av tabellene ha rett i \
                 høyst {} %.",
                comma(rho),
                comma(&epsilon),
                comma(&guess)
            ),
            Language::Nn => format!(
                "Personverntap {} rho (epsilon {} ved delta {delta}). Den som skal gjette om du er rekna \
                 med, og elles ville ha rett i 50 % av tilfella, kan på grunn av tabellane ha rett i \
                 høgst {} %.",
                comma(rho),
                comma(&epsilon),
                comma(&guess)
            ),
            Language::En => format!(
                "Privacy loss {rho} rho (epsilon {epsilon} at delta {delta}). Somebody who guesses whether \
                 you are counted, and would otherwise be right half of the time, can be right at most \
                 {guess} % of the time because of the tables."
            ),
        }
    }

    /// What is said of a table.
    pub(super) fn table(self, table: &super::TableReport) -> String {
        let title = table.title.text(self.0);
        let units = table.bound.l1();
        if !table.could_be_part {
            let not = self.t(
                "opplysninger om deg er ikke med",
                "opplysningar om deg er ikkje med",
                "nothing about you is in it",
            );
            return format!("{} {title}: {not}", table.statistic);
        }
        let could = match self.0 {
            Language::Nb => {
                format!(
                    "opplysninger om deg kan være med, og kan ha endret tallene med til sammen høyst {units}"
                )
            }
            Language::Nn => {
                format!(
                    "opplysningar om deg kan vere med, og kan ha endra tala med til saman høgst {units}"
                )
            }
            Language::En => {
                format!(
                    "your records may be in it, and may have changed its numbers by at most {units} in all"
                )
            }
        };
        format!("{} {title}: {could}", table.statistic)
    }

    pub(super) fn missing(self) -> &'static str {
        self.t(
            "Studien eller formålet er ikke lenger registrert her, så det kan ikke sies om \
             opplysninger om deg kan ha vært med.",
            "Studien eller føremålet er ikkje lenger registrert her, så det kan ikkje seiast om \
             opplysningar om deg kan ha vore med.",
            "The study or the purpose is no longer registered here, so it cannot be said whether your \
             records could have been part of it.",
        )
    }

    pub(super) fn rights(self) -> &'static str {
        self.t(
            "Du kan se, rette, slette og få kopi av opplysningene kommunen har om deg, trekke et samtykke \
             tilbake når som helst uten å si hvorfor og uten at det får følger for tjenestene du får, og \
             klage til personvernombudet i kommunen eller til Datatilsynet.",
            "Du kan sjå, rette, slette og få kopi av opplysningane kommunen har om deg, trekkje eit \
             samtykke tilbake når som helst utan å seie kvifor og utan at det får følgjer for tenestene du \
             får, og klage til personvernombodet i kommunen eller til Datatilsynet.",
            "You may see, correct, delete and get a copy of what the municipality holds about you, withdraw \
             a consent at any time without saying why and without consequence for the services you get, \
             and complain to the municipality's data protection officer or to the data protection \
             authority.",
        )
    }

    pub(super) fn consents(self) -> &'static str {
        self.t("Samtykkene dine", "Samtykka dine", "Your consents")
    }

    pub(super) fn releases(self) -> &'static str {
        self.t(
            "Det kommunen har sendt ut",
            "Det kommunen har sendt ut",
            "What the municipality has sent out",
        )
    }

    pub(super) fn nothing(self) -> &'static str {
        self.t("Ingenting er sendt ut.", "Ingenting er sendt ut.", "Nothing has been sent out.")
    }
}

/// The report as plain text.
#[must_use]
pub fn text(report: &Report, language: Language) -> String {
    let words = Words(language);
    let mut lines = vec![
        words.title().to_owned(),
        format!("{} {}", words.t("Kommune", "Kommune", "Municipality"), report.municipality),
        words.date(&report.made_on),
        String::new(),
        words.about().to_owned(),
        String::new(),
        words.consents().to_owned(),
    ];
    for purpose in &report.purposes {
        let standing = words.standing(purpose.today, purpose.legal_basis);
        lines.push(format!("- {}: {standing}", purpose.title.text(language)));
        lines.extend(purpose.history.iter().map(|row| format!("    {}", words.row(row))));
    }
    lines.extend([String::new(), words.releases().to_owned(), words.released().to_owned()]);
    if report.releases.is_empty() {
        lines.push(words.nothing().to_owned());
    }
    for release in &report.releases {
        let title = release.title.as_ref().map_or("", |title| title.text(language));
        lines.extend([String::new(), format!("- {title} ({}), {}", release.round, release.period)]);
        if release.standing.is_some() {
            lines.extend(words.why_not(release).map(|why| format!("    {why}")));
            lines.extend(release.tables.iter().map(|one| format!("    {}", words.table(one))));
        } else {
            lines.push(format!("    {}", words.missing()));
        }
        lines.push(format!("    {}", words.cost(release)));
    }
    lines.extend([String::new(), words.rights().to_owned()]);
    lines.join("\n")
}

impl Words {
    pub(super) fn made(self, report: &Report) -> String {
        self.date(&report.made_on)
    }
}
