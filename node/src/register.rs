//! The register of processing: for which purposes this municipality lets its records be counted, and
//! on which terms.
//!
//! It is one TOML file in the node's directory that the municipality writes (a record of processing
//! activities, GDPR article 30, as far as a node can enforce it). A study runs only under a purpose
//! that stands here, on the terms that stand here.
//!
//! **Invariant:** a [`Register`] exists only for a file that is wholly understood; what is not
//! registered is not permitted.

use crate::files;
use crate::kernel::{Terms, Withdrawal, is_column};
use fellestall_shared::ids::Purpose;
use fellestall_shared::labels::Labels;
use fellestall_shared::limits::TEXT_CHARS;
use fellestall_shared::period::Period;
use fellestall_shared::study::Study;
use fellestall_shared::wire::v1::{LegalBasis, StudyDocument};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use time::Date;
use time::macros::format_description;

mod error;
pub use error::{AddError, NotPermitted, RegisterError};

/// The file's name.
pub const FILE: &str = "register.toml";
/// A register without a purpose, with what an entry says.
pub const EMPTY: &str = "\
# The register of processing: for which purposes this municipality lets its records be counted, and on
# which terms. The municipality writes it and answers for it. A study runs only under a purpose that
# stands here, on the day and the period that its project lasts, and reads only columns named here.
#
# fellestall-node register add STUDY proposes an entry for a study; read it, and correct it. It says:
#
#   id                   the purpose, as in the consent table
#   title                what it is called, in nb, nn and en
#   controller           who is responsible, as the study names it
#   legal_basis          \"consent\", or \"public_task\" with the right to object
#   assessment           the reference of the assessment by NSD (now Sikt); left out if there is none
#   information_letter   the version of the letter in use
#   accepted_forms       the versions of the consent form that count; a consent on another one does not
#   withdrawal           \"next_period\": a withdrawal counts from the period in which it came;
#                        \"at_once\": for every period that is counted after it is recorded
#   starts, ends         the first and the last day of the project; nothing is released after it
#   at_end               \"delete\", \"anonymise\" or \"archive\": what happens with the data then
#   fields               the columns that may be read, as \"tenancy.moved_in\"
";

/// What happens with the project's data at the municipality when the project ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtEnd {
    /// They are deleted.
    Delete,
    /// They are made anonymous.
    Anonymise,
    /// They are archived by law.
    Archive,
}

/// One purpose that the municipality processes records for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredPurpose {
    /// The purpose that consents name and studies ask under.
    pub purpose: Purpose,
    /// What it is called, for people.
    pub title: Labels,
    /// Who is responsible.
    pub controller: String,
    /// On what ground records are processed.
    pub legal_basis: LegalBasis,
    /// A reference of the assessment by NSD (now Sikt), if there is one.
    pub assessment: Option<String>,
    /// The columns that may be read, as `tenancy.moved_in`.
    pub fields: BTreeSet<String>,
    /// The version of the information letter in use.
    pub information_letter: String,
    /// The versions of the consent form that are accepted.
    pub accepted_forms: BTreeSet<String>,
    /// From when a withdrawal counts.
    pub withdrawal: Withdrawal,
    /// The first day of the project.
    pub starts: Date,
    /// The last day of the project: nothing is released after it.
    pub ends: Date,
    /// What happens with the project's data then.
    pub at_end: AtEnd,
}

/// The register of one municipality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    purposes: Vec<RegisteredPurpose>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    purpose: Vec<Section>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    id: String,
    title: Labels,
    controller: String,
    legal_basis: LegalBasis,
    #[serde(skip_serializing_if = "Option::is_none")]
    assessment: Option<String>,
    information_letter: String,
    accepted_forms: BTreeSet<String>,
    withdrawal: Withdrawal,
    starts: String,
    ends: String,
    at_end: AtEnd,
    fields: BTreeSet<String>,
}

/// What the municipality decides about a purpose, beyond what a study says of itself.
#[derive(Debug, Clone)]
pub struct Choices {
    /// The version of the information letter in use.
    pub information_letter: String,
    /// The versions of the consent form that are accepted.
    pub accepted_forms: BTreeSet<String>,
    /// From when a withdrawal counts.
    pub withdrawal: Withdrawal,
    /// What happens with the project's data when the project ends.
    pub at_end: AtEnd,
}

/// An entry of the register under which a study could run, as text to be read and corrected.
///
/// # Errors
/// The serialiser's, which such an entry does not give.
pub fn entry(study: &StudyDocument, choices: &Choices) -> Result<String, toml::ser::Error> {
    let section = Section {
        id: study.purpose.to_string(),
        title: study.title.clone(),
        controller: study.controller.clone(),
        legal_basis: study.legal_basis,
        assessment: study.assessment.clone(),
        information_letter: choices.information_letter.clone(),
        accepted_forms: choices.accepted_forms.clone(),
        withdrawal: choices.withdrawal,
        starts: study.starts.clone(),
        ends: study.ends.clone(),
        at_end: choices.at_end,
        fields: study.fields.clone(),
    };
    toml::to_string(&File { purpose: vec![section] })
}

/// Adds an entry for a study's purpose to the register of the node in `directory`, and gives its text.
/// What stands there stays as it is, letter by letter.
///
/// # Errors
/// [`AddError`]; the register is as it was then.
pub fn add(directory: &Path, study: &StudyDocument, choices: &Choices) -> Result<String, AddError> {
    let path = directory.join(FILE);
    if Register::read(directory)?.purpose(&study.purpose).is_some() {
        return Err(AddError::Stands { purpose: study.purpose.clone(), path });
    }
    let mut text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => EMPTY.to_owned(),
        Err(source) => return Err(RegisterError::Read { path, source }.into()),
    };
    let entry = entry(study, choices)?;
    text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
    text.push_str(&entry);
    // Checked before it is written, together with all that stands there.
    Register::parse(&path, &text)?;
    files::replace(&path, text.as_bytes())?;
    Ok(entry)
}

impl Register {
    /// Reads the register of the node in `directory`; without a file nothing is registered.
    ///
    /// # Errors
    /// [`RegisterError`]: the purpose, the key, what is wrong with it and how to mend it.
    pub fn read(directory: &Path) -> Result<Self, RegisterError> {
        let path = directory.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&path, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self { purposes: Vec::new() })
            }
            Err(source) => Err(RegisterError::Read { path, source }),
        }
    }

    /// The register that a text is; `path` is for messages.
    ///
    /// # Errors
    /// [`RegisterError`], as [`Self::read`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, RegisterError> {
        let file: File = toml::from_str(text).map_err(|error| RegisterError::Form {
            path: path.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        let mut purposes: Vec<RegisteredPurpose> = Vec::with_capacity(file.purpose.len());
        for section in file.purpose {
            let id = section.id.clone();
            let bad = |key, what| RegisterError::Value {
                path: path.to_owned(),
                purpose: id.clone(),
                key,
                what,
            };
            let purpose = section.check().map_err(|(key, what)| bad(key, what))?;
            if purposes.iter().any(|other| other.purpose == purpose.purpose) {
                return Err(bad("id", "stands twice; one purpose has one entry"));
            }
            purposes.push(purpose);
        }
        Ok(Self { purposes })
    }

    /// Every purpose, in the order of the file.
    #[must_use]
    pub fn purposes(&self) -> &[RegisteredPurpose] {
        &self.purposes
    }

    /// One purpose.
    #[must_use]
    pub fn purpose(&self, purpose: &Purpose) -> Option<&RegisteredPurpose> {
        self.purposes.iter().find(|registered| registered.purpose == *purpose)
    }

    /// The terms on which a study may be answered over a period today.
    ///
    /// # Errors
    /// [`NotPermitted`]: the first thing that does not hold.
    pub fn terms(&self, study: &Study, period: Period, today: Date) -> Result<Terms, NotPermitted> {
        self.permit(study, today)?.terms(period)
    }

    /// The purpose that a study may run under today.
    ///
    /// # Errors
    /// [`NotPermitted`]: the first thing that does not hold.
    pub fn permit(&self, study: &Study, today: Date) -> Result<&RegisteredPurpose, NotPermitted> {
        let document = study.document();
        let purpose = || document.purpose.clone();
        let registered = self
            .purpose(&document.purpose)
            .ok_or_else(|| NotPermitted::Unregistered { purpose: purpose() })?;
        if registered.legal_basis != document.legal_basis {
            return Err(NotPermitted::LegalBasis { purpose: purpose() });
        }
        if registered.controller.trim() != document.controller.trim() {
            return Err(NotPermitted::Controller { purpose: purpose() });
        }
        if today < registered.starts {
            return Err(NotPermitted::NotStarted { purpose: purpose(), starts: registered.starts });
        }
        if today > registered.ends {
            return Err(NotPermitted::Ended { purpose: purpose(), ends: registered.ends });
        }
        match document.fields.iter().find(|field| !registered.fields.contains(*field)) {
            Some(field) => Err(NotPermitted::Field { purpose: purpose(), field: field.clone() }),
            None => Ok(registered),
        }
    }
}

impl RegisteredPurpose {
    /// Whether the project lasts on this day.
    #[must_use]
    pub fn in_force(&self, today: Date) -> bool {
        self.starts <= today && today <= self.ends
    }

    /// The terms on which a period may be counted under this purpose.
    ///
    /// # Errors
    /// [`NotPermitted::Period`] unless all of the period is within the project.
    pub fn terms(&self, period: Period) -> Result<Terms, NotPermitted> {
        if period.first_day() < self.starts || period.last_day() > self.ends {
            return Err(NotPermitted::Period { purpose: self.purpose.clone(), period });
        }
        Ok(self.terms_today())
    }

    /// The terms as they are registered, for showing how consents stand.
    #[must_use]
    pub fn terms_today(&self) -> Terms {
        let accepted_forms = self.accepted_forms.clone();
        Terms { accepted_forms, withdrawal: self.withdrawal }
    }
}

impl Section {
    fn check(self) -> Result<RegisteredPurpose, (&'static str, &'static str)> {
        let text = |key, text: &str| {
            let fits = !text.trim().is_empty() && text.chars().count() <= TEXT_CHARS;
            if fits { Ok(()) } else { Err((key, "must have 1 to 500 characters")) }
        };
        if !self.title.are_within(TEXT_CHARS) {
            return Err(("title", "must have 1 to 500 characters in nb, nn and en"));
        }
        text("controller", &self.controller)?;
        text("information_letter", &self.information_letter)?;
        if let Some(assessment) = &self.assessment {
            text("assessment", assessment)?;
        }
        if self.legal_basis == LegalBasis::Consent && self.accepted_forms.is_empty() {
            return Err((
                "accepted_forms",
                "names no version: then no consent would count; name those in use",
            ));
        }
        for form in &self.accepted_forms {
            text("accepted_forms", form)?;
        }
        if !self.fields.iter().all(|field| is_column(field)) {
            return Err(("fields", "names a column that is none; one is, as \"tenancy.moved_in\""));
        }
        let date = |key, text: &str| {
            Date::parse(text, format_description!("[year]-[month]-[day]"))
                .map_err(|_| (key, "must be a date, as \"2026-12-31\""))
        };
        let (starts, ends) = (date("starts", &self.starts)?, date("ends", &self.ends)?);
        if ends < starts {
            return Err(("ends", "is before starts; correct one of them"));
        }
        let purpose = self
            .id
            .parse()
            .map_err(|_| ("id", "must be letters, digits and hyphens, as in the consent table"))?;
        Ok(RegisteredPurpose {
            purpose,
            title: self.title,
            controller: self.controller,
            legal_basis: self.legal_basis,
            assessment: self.assessment,
            fields: self.fields,
            information_letter: self.information_letter,
            accepted_forms: self.accepted_forms,
            withdrawal: self.withdrawal,
            starts,
            ends,
            at_end: self.at_end,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
