//! The commented configuration that `init` writes.
//!
//! **Invariant:** every choice that is the municipality's stands in the file, none is silent.

use crate::kernel::source::RejectedRows;
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::privacy::Rho;
use std::path::PathBuf;

/// What `init` is told.
#[derive(Debug, Clone)]
pub struct Choices {
    /// The municipality.
    pub municipality: MunicipalityNumber,
    /// The folder of the export.
    pub records: PathBuf,
    /// The mapping file, if the export is not in the standard form.
    pub mapping: Option<PathBuf>,
    /// What is done when a row is rejected.
    pub rejected_rows: RejectedRows,
    /// Cap for all time.
    pub lifetime: Rho,
    /// Cap for one calendar year.
    pub year: Rho,
    /// Cap for one study.
    pub study: Rho,
    /// Seconds between two polls.
    pub poll_seconds: u64,
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The text of a configuration file with these choices.
#[must_use]
pub fn template(choices: &Choices) -> String {
    let Choices { municipality, rejected_rows, lifetime, year, study, poll_seconds, .. } = choices;
    let records = quoted(&choices.records.to_string_lossy());
    let mapping = choices.mapping.as_ref().map_or_else(
        || "# mapping = \"mapping.toml\"".to_owned(),
        |path| format!("mapping = {}", quoted(&path.to_string_lossy())),
    );
    let rejected = match rejected_rows {
        RejectedRows::Refuse => "refuse",
        RejectedRows::Skip => "skip",
    };
    format!(
        r#"# A node of Fellestall. Paths are relative to this file's directory.
# After a change: fellestall-node config check

# The municipality's number.
municipality = "{municipality}"

[records]
# The folder of the export. It is read when a release is made, and nothing of it is kept.
folder = {records}
# How the export's own file names, columns, codes and dates are read, if they differ from the
# standard form.
{mapping}
# A row that cannot be understood: "refuse" releases nothing until it is mended, "skip" leaves the
# row out. fellestall-node check-data lists such rows.
rejected_rows = "{rejected}"
# How much memory reading the records may take, and how many threads. Left out: 1024 MiB, and as many
# threads as the machine runs at once. What would take more is refused.
# memory_mib = 1024
# threads = 2
# Instead of a folder, a database in one file, whose tables are named as the files without ".csv":
# sqlite = "records.db"
# Instead of a folder, a database that counts where the records are (without a mapping, and with
# rejected_rows = "refuse"): its eight tables are tables or views of one schema, as in the standard form.
# [records.postgres]
# host = "db.example.no"          # or the folder of a Unix socket, as "/run/postgresql"
# port = 5432
# database = "housing"
# user = "fellestall"             # a role that may only read that schema
# schema = "fellestall"
# password_file = "postgres.password"   # one line; only the node's user may read it
# ca_file = "postgres-authority.pem"    # if the server's authority is not one that the system trusts
# statement_timeout_seconds = 300

[budget]
# Privacy loss that the municipality allows, in rho (zero-concentrated differential privacy).
# What is spent never comes back. fellestall-node preview STUDY shows what a study costs, also as
# epsilon.
lifetime = "{lifetime}"
year = "{year}"
study = "{study}"
# Epsilon is shown at a delta of ten to the minus this.
delta_exponent = 6

[coordinator]
# The coordinator's address and authority come from the invitation. Where the way out goes through a
# proxy, or TLS is opened by one with its own authority (a PEM file):
# proxy = "http://proxy.example.no:3128"
# ca_file = "proxy-authority.pem"

[network]
# Seconds between two questions to the coordinator.
poll_seconds = {poll_seconds}

# A page for operators and the data protection officer, on this machine alone. fellestall-node console
# serves it; with this section the running node does too. Who may sign in: fellestall-node console-user
# [console]
# listen = "127.0.0.1:8475"

# How many people an approval takes: 1, or 2 who are not the same.
# [approval]
# people = 2
"#
    )
}
