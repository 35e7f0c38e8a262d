//! A study that holds together: every table is in the catalogue, in the definition asked for, and
//! the document says what its tables read.
//!
//! **Invariant:** a [`Study`] exists only for a document that every node would count in the same
//! way.

use crate::catalogue::Catalogue;
use crate::digest::Digest;
use crate::ids::{RoundId, StatisticId};
use crate::limits::{NODES, STUDY_TABLES, TEXT_CHARS};
use crate::period::Period;
use crate::privacy::{Loss, Rho};
use crate::secure::{BadLayout, Layout, SharedTable};
use crate::signed::Verified;
use crate::statistic::Statistic;
use crate::wire::v1::{StudyDocument, StudyTable};
use std::collections::BTreeSet;
use time::Date;
use time::macros::format_description;

/// One table of a study with its definition.
#[derive(Debug, Clone)]
pub struct Table {
    /// The statistic, in the definition that the study asks for.
    pub statistic: &'static Statistic,
    /// The noise that each node adds for itself, and its loss; `None` if no node's table is released.
    pub local: Option<Loss>,
    /// The noise that nodes share, and the table's place in their reports; `None` if it has none.
    pub shared: Option<SharedTable>,
    /// What the ledger is charged for it: the losses of both together.
    pub charge: Rho,
}

/// A checked study.
#[derive(Debug, Clone)]
pub struct Study {
    document: StudyDocument,
    digest: Digest,
    starts: Date,
    ends: Date,
    tables: Vec<Table>,
    layout: Option<Layout>,
    charge: Rho,
    person_charge: Rho,
}

/// What is wrong with a study document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StudyError {
    /// A version of 0.
    #[error("a study's version starts at 1")]
    Version,
    /// A text that is missing or too long.
    #[error("{field} must have 1 to {TEXT_CHARS} characters (the title in nb, nn and en)")]
    Text {
        /// Which text.
        field: &'static str,
    },
    /// A date that is none.
    #[error("{field} must be a date, as 2026-12-31")]
    Date {
        /// Which date.
        field: &'static str,
    },
    /// The end before the start.
    #[error("the study ends before it starts")]
    EndsBeforeStart,
    /// No table, or too many.
    #[error("a study has 1 to {STUDY_TABLES} tables")]
    Tables,
    /// One table twice.
    #[error("{statistic} is asked for twice; one question is answered once")]
    Twice {
        /// Which statistic.
        statistic: StatisticId,
    },
    /// A statistic that this version of the program does not know.
    #[error(
        "{statistic} is not in the catalogue of this version of Fellestall; upgrade, or ask for another"
    )]
    Unknown {
        /// Which statistic.
        statistic: StatisticId,
    },
    /// A definition that this version of the program does not have.
    #[error(
        "{statistic} is asked for in definition {asked}, this version of Fellestall has definition {known}: upgrade the older side"
    )]
    Definition {
        /// Which statistic.
        statistic: StatisticId,
        /// The definition in the study.
        asked: u32,
        /// The definition in the catalogue.
        known: u32,
    },
    /// A privacy loss that is zero or beyond sense.
    #[error("the privacy loss of {statistic} must be above 0 and at most 100 rho")]
    Loss {
        /// Which statistic.
        statistic: StatisticId,
    },
    /// The document does not declare exactly the fields that its tables read.
    #[error(
        "the study must declare exactly the fields that its tables and its rule of residence read; {field} is {what}"
    )]
    Fields {
        /// The first field in question.
        field: String,
        /// `missing` or `not read`.
        what: &'static str,
    },
    /// A table that asks for no noise at all.
    #[error(
        "{statistic} asks for neither loss nor shared: a table has noise of its nodes' own, or noise that they share, or both"
    )]
    NoLoss {
        /// Which statistic.
        statistic: StatisticId,
    },
    /// Shared tables without an aggregation, or the other way round.
    #[error("a study has [aggregation] exactly if one of its tables is shared")]
    Aggregation,
    /// Shared tables in a study that says that all of its tables are local.
    #[error("mode is local, and a table is shared: leave mode out, each table says its noise")]
    Mode,
    /// Shared tables that make no report.
    #[error(transparent)]
    Layout(#[from] BadLayout),
    /// Municipal figures of tables that nobody sees.
    #[error(
        "municipal_figures needs at least one table with loss: nobody sees a node's shared table"
    )]
    Municipal,
    /// Minimum numbers that protect nobody.
    #[error(
        "minimum_nodes must be 2 to {NODES}, minimum_difference 2 or more, municipalities_per_person 1 to 100"
    )]
    Minimum,
}

impl Study {
    /// Checks a verified document against the catalogue of this version of the program.
    ///
    /// # Errors
    /// [`StudyError`]: the first thing that does not hold.
    pub fn new(
        document: &Verified<StudyDocument>,
        catalogue: &'static Catalogue,
    ) -> Result<Self, StudyError> {
        Self::check(document, document.digest(), catalogue)
    }

    /// Checks a document that is not signed yet, as before signing it.
    ///
    /// # Errors
    /// [`StudyError`]: the first thing that does not hold.
    pub fn check(
        document: &StudyDocument,
        digest: Digest,
        catalogue: &'static Catalogue,
    ) -> Result<Self, StudyError> {
        if document.version == 0 {
            return Err(StudyError::Version);
        }
        if !document.title.are_within(TEXT_CHARS) {
            return Err(StudyError::Text { field: "title" });
        }
        let is_text = |text: &str| !text.trim().is_empty() && text.chars().count() <= TEXT_CHARS;
        if !is_text(&document.controller) {
            return Err(StudyError::Text { field: "controller" });
        }
        if document.assessment.as_deref().is_some_and(|text| !is_text(text)) {
            return Err(StudyError::Text { field: "assessment" });
        }
        let starts = date(&document.starts, "starts")?;
        let ends = date(&document.ends, "ends")?;
        if ends < starts {
            return Err(StudyError::EndsBeforeStart);
        }
        let people = (1..=100).contains(&document.municipalities_per_person);
        let nodes = usize::try_from(document.minimum_nodes).unwrap_or(usize::MAX);
        if !people || !(2..=NODES).contains(&nodes) || document.minimum_difference < 2 {
            return Err(StudyError::Minimum);
        }
        let (tables, layout) = tables(document, catalogue)?;
        if document.municipal_figures && tables.iter().all(|table| table.local.is_none()) {
            return Err(StudyError::Municipal);
        }
        fields(document, &tables)?;
        let charge = tables
            .iter()
            .try_fold(Rho::ZERO, |sum, table| sum.plus(table.charge))
            .ok_or(StudyError::Tables)?;
        let person_charge = (0..document.municipalities_per_person)
            .try_fold(Rho::ZERO, |sum, _| sum.plus(charge))
            .ok_or(StudyError::Minimum)?;
        let document = document.clone();
        Ok(Self { document, digest, starts, ends, tables, layout, charge, person_charge })
    }

    /// The document as it was published.
    #[must_use]
    pub fn document(&self) -> &StudyDocument {
        &self.document
    }

    /// The digest of the document's signed payload.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The tables, in the order of the document.
    #[must_use]
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// How the shared tables make one report; `None` if there are none.
    #[must_use]
    pub fn layout(&self) -> Option<&Layout> {
        self.layout.as_ref()
    }

    /// What one period costs a node, over all tables.
    #[must_use]
    pub fn charge(&self) -> Rho {
        self.charge
    }

    /// What one period costs a person who is held in as many municipalities as the study allows for.
    ///
    /// Such a person is in as many data sets, each answered once with noise of its own: k mechanisms
    /// of rho each compose to k times rho (Bun and Steinke 2016, lemma 1.7). It is not k squared times
    /// rho, which is the price when one mechanism sees k changes.
    #[must_use]
    pub fn person_charge(&self) -> Rho {
        self.person_charge
    }

    /// The last day on which anything may be released.
    #[must_use]
    pub fn ends(&self) -> Date {
        self.ends
    }

    /// Whether all of a period lies within the study.
    #[must_use]
    pub fn covers(&self, period: Period) -> bool {
        self.starts <= period.first_day() && period.last_day() <= self.ends
    }

    /// The id of this study version's round over a period.
    #[must_use]
    pub fn round(&self, period: Period) -> RoundId {
        RoundId::new(&self.document.study, self.document.version, period)
    }
}

fn date(text: &str, field: &'static str) -> Result<Date, StudyError> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .map_err(|_| StudyError::Date { field })
}

fn tables(
    document: &StudyDocument,
    catalogue: &'static Catalogue,
) -> Result<(Vec<Table>, Option<Layout>), StudyError> {
    if !(1..=STUDY_TABLES).contains(&document.tables.len()) {
        return Err(StudyError::Tables);
    }
    let mut seen = BTreeSet::new();
    let mut tables = Vec::with_capacity(document.tables.len());
    let mut shared = Vec::new();
    for asked in &document.tables {
        let id = asked.statistic.clone();
        if !seen.insert(id.clone()) {
            return Err(StudyError::Twice { statistic: id });
        }
        let Some(statistic) = catalogue.statistic(&id) else {
            return Err(StudyError::Unknown { statistic: id });
        };
        if statistic.definition() != asked.definition {
            let (asked, known) = (asked.definition, statistic.definition());
            return Err(StudyError::Definition { statistic: id, asked, known });
        }
        let charge = charge(asked)?;
        shared.extend(asked.shared.map(|loss| (statistic, loss)));
        tables.push(Table { statistic, local: asked.loss, shared: None, charge });
    }
    let aggregation = match (&document.aggregation, shared.is_empty()) {
        (None, true) => return Ok((tables, None)),
        (Some(aggregation), false) => aggregation,
        _ => return Err(StudyError::Aggregation),
    };
    if document.mode.is_some() {
        return Err(StudyError::Mode);
    }
    let (layout, places) = Layout::of(aggregation, document.minimum_nodes, &shared)?;
    let asked = tables.iter_mut().zip(&document.tables).filter(|(_, asked)| asked.shared.is_some());
    for ((table, _), place) in asked.zip(places) {
        table.shared = Some(place);
    }
    Ok((tables, Some(layout)))
}

/// What a table costs: the losses of both of its noises, which compose (Bun and Steinke 2016).
fn charge(asked: &StudyTable) -> Result<Rho, StudyError> {
    let id = || asked.statistic.clone();
    let losses = [asked.loss, asked.shared];
    if losses.iter().all(Option::is_none) {
        return Err(StudyError::NoLoss { statistic: id() });
    }
    losses.into_iter().flatten().try_fold(Rho::ZERO, |sum, loss| {
        let charge = loss.charge().and_then(|charge| sum.plus(charge));
        charge.ok_or_else(|| StudyError::Loss { statistic: id() })
    })
}

fn fields(document: &StudyDocument, tables: &[Table]) -> Result<(), StudyError> {
    let of_tables = tables.iter().flat_map(|table| table.statistic.fields()).map(String::as_str);
    let read: BTreeSet<&str> =
        of_tables.chain(document.residence.fields().iter().copied()).collect();
    let declared: BTreeSet<&str> = document.fields.iter().map(String::as_str).collect();
    let first = |what, field: Option<&&str>| {
        field.map_or(Ok(()), |field| Err(StudyError::Fields { field: (*field).to_owned(), what }))
    };
    first("missing", read.difference(&declared).next())?;
    first("not read", declared.difference(&read).next())
}
