//! Contradictions among a person's dwellings.
//!
//! **Invariant:** a day that is not known contradicts nothing.

use super::{ContradictionRule, Finder, known, later};
use crate::kernel::person::{ExitReason, Tenancy};
use crate::kernel::source::drafts::{Draft, Located};
use crate::kernel::source::schema::Table;
use std::collections::BTreeMap;
use time::Date;

impl Finder<'_> {
    pub(super) fn tenancies(&mut self, draft: &Draft) {
        let participant = (Table::Participant, draft.participant.line);
        let intake = draft.participant.row.intake.day();
        let exit = draft.participant.row.exit;
        let died = exit.is_some() && draft.participant.row.exit_reason == Some(ExitReason::Died);
        for Located { line, row } in &draft.tenancies {
            let at = (Table::Tenancy, *line);
            let (moved_in, moved_out) = (row.moved_in.day(), known(row.moved_out));
            let backwards = later(moved_in, moved_out);
            self.report_if(backwards, at, None, ContradictionRule::MovedOutBeforeMovedIn);
            let early = later(intake, moved_in);
            self.report_if(early, at, Some(participant), ContradictionRule::TenancyBeforeIntake);
            let late = later(moved_in, known(exit));
            self.report_if(late, at, Some(participant), ContradictionRule::AfterExit);
            let without_mode = row.end_reason.is_some() && row.end_mode.is_none();
            self.report_if(without_mode, at, None, ContradictionRule::EndReasonWithoutMode);
            let goes_on = died && row.moved_out.is_none();
            self.report_if(goes_on, at, Some(participant), ContradictionRule::DiedButTenancyGoesOn);
            self.day(at, moved_in);
            self.day(at, moved_out);
        }
        self.overlaps(&draft.tenancies);
        self.numbers(&draft.tenancies);
    }

    /// Two dwellings at one time. To move out and in on one day is no overlap.
    fn overlaps(&mut self, tenancies: &[Located<Tenancy>]) {
        let mut last: Option<(Date, u64)> = None;
        for (moved_in, tenancy) in in_order(tenancies) {
            if let Some((end, line)) = last
                && moved_in < end
            {
                let other = Some((Table::Tenancy, line));
                self.report(
                    (Table::Tenancy, tenancy.line),
                    other,
                    ContradictionRule::TenanciesOverlap,
                );
            }
            let end = match tenancy.row.moved_out {
                None => Some(Date::MAX),
                Some(out) => out.day(),
            };
            if let Some(end) = end
                && last.is_none_or(|(longest, _)| end > longest)
            {
                last = Some((end, tenancy.line));
            }
        }
    }

    fn numbers(&mut self, tenancies: &[Located<Tenancy>]) {
        let mut lines = BTreeMap::new();
        for Located { line, row } in tenancies {
            let Some(number) = row.dwelling_no else { continue };
            let before = *lines.entry(number).or_insert(*line);
            let (at, other) = ((Table::Tenancy, *line), Some((Table::Tenancy, before)));
            let twice = before != *line;
            self.report_if(twice, at, other, ContradictionRule::DwellingNumberTwice);
        }
        let mut highest: Option<(u32, u64)> = None;
        for (_, Located { line, row }) in in_order(tenancies) {
            let Some(number) = row.dwelling_no else { continue };
            match highest {
                Some((before, other)) if number < before => {
                    let other = Some((Table::Tenancy, other));
                    self.report(
                        (Table::Tenancy, *line),
                        other,
                        ContradictionRule::DwellingNumberOrder,
                    );
                }
                _ => highest = Some((number, *line)),
            }
        }
    }
}

/// The tenancies whose first day is known, by that day.
fn in_order(tenancies: &[Located<Tenancy>]) -> Vec<(Date, &Located<Tenancy>)> {
    let mut known: Vec<_> = tenancies
        .iter()
        .filter_map(|tenancy| tenancy.row.moved_in.day().map(|day| (day, tenancy)))
        .collect();
    // On one day, the dwelling that was left on that same day came first.
    known.sort_by_key(|(day, tenancy)| {
        let out = tenancy.row.moved_out.map_or(Date::MAX, |out| out.day().unwrap_or(Date::MAX));
        (*day, out, tenancy.row.dwelling_no, tenancy.line)
    });
    known
}
