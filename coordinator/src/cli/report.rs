//! `report`.
//!
//! **Invariant:** reads the store, and writes nothing but the file that was asked for.

use super::{CliError, Desk, Output};
use crate::databank::Databank;
use crate::report::{self, Imprint};
use fellestall_shared::labels::Language;
use fellestall_shared::period::Period;
use std::path::PathBuf;
use std::sync::Arc;

/// What the report is about, and how it is written.
#[derive(Debug, clap::Args)]
pub struct Wanted {
    /// The period, as 2026H1.
    #[arg(long)]
    pub period: Period,
    /// In which language.
    #[arg(long, value_enum, default_value_t = Tongue::Nb)]
    pub lang: Tongue,
    /// As a page that prints, or a workbook.
    #[arg(long = "as", value_enum, default_value_t = Form::Html)]
    pub form: Form,
    /// To this file, instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Tongue {
    /// Bokmål.
    Nb,
    /// Nynorsk.
    Nn,
    /// English.
    En,
}

impl From<Tongue> for Language {
    fn from(tongue: Tongue) -> Self {
        match tongue {
            Tongue::Nb => Self::Nb,
            Tongue::Nn => Self::Nn,
            Tongue::En => Self::En,
        }
    }
}

/// In which form a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// One HTML document that prints to A4.
    Html,
    /// A workbook.
    Xlsx,
}

pub(super) async fn report(
    desk: &Desk,
    wanted: Wanted,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let (home, clock) = (&desk.home, Arc::clone(&desk.clock));
    let databank = Databank::open(desk.store.clone(), &home.policy, clock).await?;
    let imprint = Imprint::of(&home.config.web);
    let found = report::gather(&databank, wanted.period, imprint).await?;
    let language = wanted.lang.into();
    let bytes = match wanted.form {
        Form::Html => report::html(&found, language)?.into_bytes(),
        Form::Xlsx => report::xlsx(&found, language)?,
    };
    match wanted.out {
        None => output.bytes(&bytes),
        Some(path) => std::fs::write(&path, bytes).map_err(|source| CliError::File {
            path,
            what: "written",
            source,
        }),
    }
}
