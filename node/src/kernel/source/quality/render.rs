//! The report as an operator reads it.
//!
//! **Invariant:** it prints what [`super::QualityReport`] holds, and so no value of a record.

use super::{Listed, QualityReport, TableReport};
use crate::kernel::source::RejectedRows;
use std::fmt;

impl fmt::Display for QualityReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tables(self, f)?;
        joins(self, f)?;
        if self.flaws.is_empty() {
            list(f, "Rejected rows", &self.rejected)?;
        } else {
            writeln!(f, "\nRejected rows: {}", self.rejected.total)?;
            self.flaws.iter().try_for_each(|flaw| writeln!(f, "  {flaw}"))?;
        }
        list(f, "Contradictions (the rows are counted as they stand)", &self.contradictions)?;
        if let Some(file) = &self.control_file {
            if self.control.total == 0 {
                writeln!(f, "\n{file}: the printed figures go together.")?;
            } else {
                list(f, &format!("Printed figures in {file}"), &self.control)?;
            }
        }
        writeln!(f)?;
        conclusion(self, f)
    }
}

fn tables(report: &QualityReport, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let width = report.tables.iter().map(|table| table.file.chars().count()).max().unwrap_or(0);
    let width = width.max("file".len());
    writeln!(
        f,
        "{:<12}  {:<width$}  {:>9}  {:>9}  {:>9}  {:>9}",
        "table", "file", "read", "accepted", "rejected", "left out"
    )?;
    for table in &report.tables {
        let TableReport { table: name, file, present, read, accepted, rejected, left_out } = table;
        // `Table` writes itself without padding.
        let name = name.name();
        if *present {
            writeln!(
                f,
                "{name:<12}  {file:<width$}  {read:>9}  {accepted:>9}  {rejected:>9}  {left_out:>9}"
            )?;
        } else {
            writeln!(
                f,
                "{name:<12}  {file:<width$}  no such file or table: nothing is known of it"
            )?;
        }
    }
    Ok(())
}

fn joins(report: &QualityReport, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for join in &report.joins {
        writeln!(
            f,
            "{} goes through {} ({} to {}): {} rows read, {} rejected",
            join.table, join.file, join.key, join.to, join.read, join.rejected
        )?;
    }
    Ok(())
}

fn list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    entries: &Listed<T>,
) -> fmt::Result {
    if entries.total == 0 {
        return Ok(());
    }
    writeln!(f, "\n{title}: {}", entries.total)?;
    for entry in &entries.shown {
        writeln!(f, "  {entry}")?;
    }
    let shown = u64::try_from(entries.shown.len()).unwrap_or(u64::MAX);
    match entries.total.saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(f, "  and {more} more"),
    }
}

/// What to do now.
fn conclusion(report: &QualityReport, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let (RejectedRows::Skip, Some(row)) = (report.rejected_rows, &report.consent_of_unknown) {
        return write!(
            f,
            "Not ready: mend {} line {}. It is not known whose consent it is, and it may be a withdrawal, so it cannot be skipped.",
            row.file, row.line
        );
    }
    if let (RejectedRows::Skip, Some(row)) = (report.rejected_rows, &report.row_of_several) {
        return write!(
            f,
            "Not ready: mend the keys of {} line {}. They lead to several participants, and one of them may not decide whether another's rows are counted, so the row cannot be skipped.",
            row.file, row.line
        );
    }
    match (report.rejected.total, report.rejected_rows) {
        (0, _) if report.is_clean() => f.write_str("Ready: nothing is wrong with this export."),
        (0, _) => f.write_str(
            "Ready: every row can be counted. Look into what is listed above before the next round.",
        ),
        (_, RejectedRows::Refuse) => f.write_str(
            "Not ready: mend the rejected rows. The configuration says to refuse while there are any, so nothing is released from this export.",
        ),
        (_, RejectedRows::Skip) => f.write_str(
            "Ready, without the rejected rows: the configuration says to skip them. Who has a rejected participant row is left out whole; who has a rejected consent row counts as having objected.",
        ),
    }
}
