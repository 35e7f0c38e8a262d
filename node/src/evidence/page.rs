//! The evidence pack as one page that needs nothing else.
//!
//! **Invariant:** every text of the register or a study is escaped; every figure is the one in
//! [`Facts`], also readable by a machine in the page.

use super::figure::Cost;
use super::{AccountFacts, Facts, PurposeFacts, ReleaseFacts, StudyFacts};
use crate::forecast::{Guarantee, Promise, SharedForecast};
use crate::kernel::Withdrawal;
use askama::Template;
use askama::filters::HtmlSafe;
use fellestall_shared::labels::{Labels, Language};
use fellestall_shared::wire::v1::{LegalBasis, Residence};
use std::fmt;
use time::Date;

/// A page that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the evidence pack could not be written; this is a defect of the program")]
pub struct RenderError(#[from] askama::Error);

/// The evidence pack in one language: a whole HTML page.
///
/// # Errors
/// [`RenderError`], which would be a defect.
pub fn render(facts: &Facts, language: Language) -> Result<String, RenderError> {
    Page { f: facts, language }.render().map_err(RenderError::from)
}

#[derive(Template)]
#[template(path = "evidence/page.html")]
struct Page<'f> {
    f: &'f Facts,
    language: Language,
}

/// A figure as it is written in a language, with the figure itself beside it for machines.
struct Figure {
    value: String,
    text: String,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<data value=\"{}\">{}</data>", self.value, self.text)
    }
}

// Digits, a sign and a decimal mark.
impl HtmlSafe for Figure {}

impl<'f> Page<'f> {
    /// The text in the page's language.
    fn t<'t>(&self, nb: &'t str, nn: &'t str, en: &'t str) -> &'t str {
        match self.language {
            Language::Nb => nb,
            Language::Nn => nn,
            Language::En => en,
        }
    }

    fn label<'l>(&self, labels: &'l Labels) -> &'l str {
        labels.text(self.language)
    }

    /// The page's language, as HTML names it.
    fn code(&self) -> &'static str {
        self.t("nb", "nn", "en")
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    fn day(&self, day: &Date) -> String {
        crate::retention::day(*day, self.language)
    }

    /// A figure that stands as decimal text.
    fn figure(&self, value: impl fmt::Display) -> Figure {
        let value = value.to_string();
        let text = match self.language {
            Language::En => value.clone(),
            Language::Nb | Language::Nn => value.replace('.', ","),
        };
        Figure { value, text }
    }

    fn rho(&self, cost: &Cost) -> Figure {
        self.figure(&cost.rho)
    }

    fn epsilon(&self, cost: &Cost) -> Figure {
        self.figure(cost.epsilon)
    }

    fn basis(&self, purpose: &PurposeFacts) -> &'static str {
        match purpose.legal_basis {
            LegalBasis::Consent => self.t("samtykke", "samtykke", "consent"),
            LegalBasis::PublicTask => self.t(
                "oppgave i allmennhetens interesse, med rett til å reservere seg",
                "oppgåve i ålmenta si interesse, med rett til å reservere seg",
                "task in the public interest, with the right to opt out",
            ),
        }
    }

    fn withdrawal(&self, purpose: &PurposeFacts) -> &'static str {
        match purpose.withdrawal {
            Withdrawal::NextPeriod => self.t(
                "fra og med perioden da samtykket blir trukket tilbake; perioder som var over da, telles slik de var",
                "frå og med perioden då samtykket blir trekt tilbake; periodar som var over då, blir talde slik dei var",
                "from the period in which it comes; periods that were over by then are counted as they were",
            ),
            Withdrawal::AtOnce => self.t(
                "straks, for alt som telles etterpå",
                "straks, for alt som blir talt etterpå",
                "at once, for everything that is counted afterwards",
            ),
        }
    }

    fn residence(&self, study: &StudyFacts) -> &'static str {
        match study.residence {
            Residence::Anywhere => self.t(
                "i hver kommune som har personen registrert",
                "i kvar kommune som har personen registrert",
                "in every municipality that holds the person",
            ),
            Residence::OnCensusDate => self.t(
                "der personen bor på periodens siste dag",
                "der personen bur den siste dagen i perioden",
                "where the person lives on the last day of the period",
            ),
        }
    }

    /// What the shared tables of a study rest on, in sentences.
    fn promise(&self, promise: &Promise) -> Vec<String> {
        let Promise { minimum, tolerated, honest, helper, helper_key, .. } = promise;
        let loss = |guarantee: Option<&Guarantee>| match guarantee {
            Some(Guarantee { rho, epsilon }) => {
                self.decimal(format!("{rho} rho (epsilon {epsilon})"))
            }
            None => self
                .t(
                    "mer enn det kan gjøres rede for",
                    "meir enn det kan gjerast greie for",
                    "more than can be accounted for",
                )
                .to_owned(),
        };
        let sum = loss(Some(&promise.sum));
        let more = loss(promise.one_more.as_ref());
        let joined = loss(promise.joined.as_ref());
        [
            match self.language {
                Language::Nb => format!("Noden legger til støy, deler hver rapport mellom koordinatoren og {helper} (nøkkel {helper_key}), og ingen av dem kan lese sin halvdel. Bare summen av minst {minimum} kommuner åpnes."),
                Language::Nn => format!("Noden legg til støy, deler kvar rapport mellom koordinatoren og {helper} (nøkkel {helper_key}), og ingen av dei kan lese halvdelen sin. Berre summen av minst {minimum} kommunar blir opna."),
                Language::En => format!("The node adds noise and splits each report between the coordinator and {helper} (key {helper_key}), and neither can read its half. Only the sum of at least {minimum} municipalities is opened."),
            },
            match self.language {
                Language::Nb => format!("Av {minimum} kommuner er støyen fra {honest} nok til at tabellene koster høyst {sum}; {tolerated} kan samarbeide mot de andre eller la være å legge til støy. Hvis én til gjør det: {more}."),
                Language::Nn => format!("Av {minimum} kommunar er støyen frå {honest} nok til at tabellane kostar høgst {sum}; {tolerated} kan samarbeide mot dei andre eller la vere å leggje til støy. Om éin til gjer det: {more}."),
                Language::En => format!("Of {minimum} municipalities, the noise of {honest} is enough for the tables to cost at most {sum}; {tolerated} may collude or add no noise. If one more does: {more}."),
            },
            match self.language {
                Language::Nb => format!("Hvis koordinatoren og {helper} legger sammen det de har, er det bare nodens egen støy som beskytter kommunens tabeller: {joined}."),
                Language::Nn => format!("Om koordinatoren og {helper} legg saman det dei har, er det berre støyen til noden sjølv som vernar tabellane til kommunen: {joined}."),
                Language::En => format!("If the coordinator and {helper} join what they hold, the node's own noise alone protects the municipality's tables: {joined}."),
            },
        ]
        .into()
    }

    /// The standard deviation of a node's share of the noise, rounded down.
    fn own_noise(&self, shared: &SharedForecast) -> Figure {
        self.figure((shared.own_noise * 1000.0).floor() / 1000.0)
    }

    /// Text with decimal figures, as they are written in the language.
    fn decimal(&self, text: String) -> String {
        match self.language {
            Language::En => text,
            Language::Nb | Language::Nn => text.replace('.', ","),
        }
    }

    /// The day a release was made, if the log says.
    fn made(&self, release: &ReleaseFacts) -> String {
        let unknown = || self.t("ukjent", "ukjend", "unknown").to_owned();
        release.made_on.map_or_else(unknown, |day| crate::retention::day(day, self.language))
    }

    fn municipality(&self) -> String {
        let number = &self.f.municipality;
        self.f
            .municipality_name
            .map_or_else(|| number.to_string(), |name| format!("{name} ({number})"))
    }

    /// What an account is for.
    fn account(&self, account: &AccountFacts) -> String {
        if account.of.is_empty() {
            return self.t("hele levetiden", "heile levetida", "all time").to_owned();
        }
        account.of.clone()
    }

    /// Every account, the lifetime's first.
    fn accounts(&self) -> Vec<&'f AccountFacts> {
        let budget = &self.f.budget;
        std::iter::once(&budget.lifetime).chain(&budget.years).chain(&budget.studies).collect()
    }

    fn made_on(&self) -> String {
        self.day(&self.f.made_on)
    }

    /// The losses to infer from: what left, what may leave, and one round of each study.
    fn losses(&self) -> Vec<Loss<'f>> {
        let lifetime = &self.f.budget.lifetime;
        let spent = self.t("alt som er utlevert", "alt som er utlevert", "everything that left");
        let cap =
            self.t("alt som kan bli utlevert", "alt som kan bli utlevert", "everything allowed");
        let mut losses = vec![
            Loss { name: spent.to_owned(), cost: &lifetime.spent },
            Loss { name: cap.to_owned(), cost: &lifetime.cap },
        ];
        for study in &self.f.studies {
            let round = self.t("én runde av", "éin runde av", "one round of");
            let held = self.t("person i", "person i", "person held in");
            let municipalities = self.t("kommuner", "kommunar", "municipalities");
            let several = study.municipalities_per_person;
            losses.push(Loss { name: format!("{round} {}", study.study), cost: &study.cost });
            if several > 1 {
                let name = format!("{round} {}, {held} {several} {municipalities}", study.study);
                losses.push(Loss { name, cost: &study.cost_several });
            }
        }
        losses
    }
}

/// A loss, and what it is the loss of.
struct Loss<'f> {
    name: String,
    cost: &'f Cost,
}
