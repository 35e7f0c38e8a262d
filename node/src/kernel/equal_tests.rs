//! The kernel against a reference that is written as plainly as possible, from the documents and not from
//! the kernel: whole rows in memory, maps of strings, one statistic after the other.
//!
//! Small exports are drawn from seeds, in every form that a mapping can describe and with everything wrong
//! that an export can have. Both count them, and must agree on every cell, or on refusing.
//!
//! **Invariant:** nothing of the kernel is used but through [`kernel_cells`]; the reference shares with it
//! the standard library, the `csv` crate, which the kernel does not use, and SHA-256.

use self::draw::{Drawn, Wish};
use self::reference::Question;
use super::consent::{Terms, Withdrawal, cohort};
use super::count::{CountKey, count, months_read};
use super::residence::is_counted_here;
use super::source::{Limits, Mapping, Origin, RejectedRows, SourceConfig, Wanted, read};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::period::Period;
use fellestall_shared::wire::v1::{LegalBasis, Residence};
use std::num::NonZeroUsize;
use tempfile::TempDir;

mod database;
mod draw;
mod extremes;
mod format;
mod reference;

/// The node's secret for choosing cells.
const KEY: [u8; 32] = [42; 32];

/// How many chunks are read at once; what is counted must not depend on it.
const THREADS: [usize; 3] = [1, 2, 7];

/// Exact cells of every asked statistic; `None` if the kernel refuses the export.
///
/// This is the only place that knows how the kernel is called. Where it reads files in chunks, they are as
/// small here as it allows, so that these small files have many ends of chunks.
fn kernel_cells(
    origin: Origin,
    mapping: &str,
    skip: bool,
    question: &Question,
    threads: usize,
) -> Option<Vec<Vec<i64>>> {
    let mapping = Mapping::parse(mapping).unwrap_or_else(|why| panic!("{why}\n{mapping}"));
    let rejected_rows = if skip { RejectedRows::Skip } else { RejectedRows::Refuse };
    // Small exports in many blocks: each boundary may fall anywhere.
    let threads_of = |threads: usize| NonZeroUsize::new(threads).expect("a thread");
    let block = if threads == 1 { Limits::default().block } else { 96 };
    let limits = Limits { threads: threads_of(threads), block, ..Limits::default() };
    let config = SourceConfig { limits, ..SourceConfig::new(origin, mapping, rejected_rows) };
    let period: Period = question.period.parse().expect("a period");
    let catalogue = Catalogue::builtin().expect("a catalogue");
    let asked: Vec<_> = reference::STATISTICS
        .iter()
        .map(|id| catalogue.statistic(&id.parse().expect("an id")).expect("a statistic"))
        .map(|statistic| (statistic, statistic.bound()))
        .collect();
    let months = months_read(asked.iter().map(|(statistic, _)| *statistic), period);
    let (records, _) = read(&config, &Wanted { months, only: None }).ok()?;
    let terms = Terms {
        accepted_forms: question.forms.iter().cloned().collect(),
        withdrawal: if question.at_once { Withdrawal::AtOnce } else { Withdrawal::NextPeriod },
    };
    let basis = if question.by_consent { LegalBasis::Consent } else { LegalBasis::PublicTask };
    let residence =
        if question.where_they_live { Residence::OnCensusDate } else { Residence::Anywhere };
    let purpose = question.purpose.parse().expect("a purpose");
    let cohort = cohort(&records, &purpose, basis, &terms, period)
        .of_those(|row| is_counted_here(row, residence, period.last_day()));
    let tables = count(&asked, period, &cohort, &CountKey::from_bytes(KEY)).ok()?;
    Some(tables.into_iter().map(|raw| raw.into_parts().0).collect())
}

/// What the kernel counts of a drawn export, however many chunks are read at once.
fn kernel_of(drawn: &Drawn) -> Option<Vec<Vec<i64>>> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in &drawn.files {
        std::fs::write(folder.path().join(name), bytes).expect("written");
    }
    let mapping = drawn.format.mapping();
    let count =
        |origin, threads| kernel_cells(origin, &mapping, drawn.skip, &drawn.question, threads);
    let folder_of = |folder: &TempDir| Origin::Folder(folder.path().to_owned());
    let [one, others @ ..] = THREADS.map(|threads| count(folder_of(&folder), threads));
    assert!(others.iter().all(|other| *other == one), "what is counted depends on the threads");
    if one.is_some()
        && let Some(file) = database::of(drawn, folder.path())
    {
        let stored = count(Origin::Sqlite(file), 1);
        assert!(stored == one, "SQLite {stored:?}, files {one:?}");
    }
    one
}

/// Both on one export.
fn check(seed: u64, wish: Wish) -> Option<Vec<Vec<i64>>> {
    let drawn = draw::draw(seed, wish);
    let (ours, plain) = (kernel_of(&drawn), reference::cells(&drawn, &KEY));
    if ours != plain {
        let shown = |(name, bytes): (&String, &Vec<u8>)| {
            format!("--- {name}\n{}", String::from_utf8_lossy(bytes))
        };
        let files: Vec<String> = drawn.files.iter().map(shown).collect();
        let files = files.join("\n");
        panic!(
            "seed {seed} {wish:?}\n{:?} skip {}\n{}\n{files}\nkernel    {ours:?}\nreference {plain:?}",
            drawn.question,
            drawn.skip,
            drawn.format.mapping(),
        );
    }
    ours
}

fn check_many(seeds: std::ops::Range<u64>, wish: Wish) -> Vec<Option<Vec<Vec<i64>>>> {
    seeds.map(|seed| check(seed, wish)).collect()
}

/// Sound exports in every form: none is refused, and something is counted in every statistic.
#[test]
fn the_kernel_counts_sound_exports_as_the_reference_does() {
    let counted = check_many(0..1_000, Wish::Sound);
    assert!(counted.iter().all(Option::is_some), "a sound export is refused");
    let of = |statistic: usize| {
        counted.iter().flatten().map(|tables| tables[statistic].iter().sum::<i64>()).sum::<i64>()
    };
    for (at, id) in reference::STATISTICS.iter().enumerate() {
        assert!(of(at) > 300, "{id} is counted {} times only", of(at));
    }
}

/// Exports with everything wrong that rows can have: the same rows are left out, or both refuse.
#[test]
fn the_kernel_leaves_out_and_refuses_what_the_reference_does() {
    let counted = check_many(10_000..11_200, Wish::Broken);
    let refused = counted.iter().filter(|one| one.is_none()).count();
    assert!((120..1_080).contains(&refused), "{refused} of {} are refused", counted.len());
    let cells = counted.iter().flatten().flatten().flatten().sum::<i64>();
    assert!(cells > 2_000, "only {cells} are counted");
}

/// Few people with many contacts in every category: here the keyed hash chooses cells.
#[test]
fn the_kernel_bounds_people_as_the_reference_does() {
    let counted = check_many(20_000..20_200, Wish::Heavy);
    let s18 = reference::STATISTICS.iter().position(|id| *id == "S18").expect("asked");
    let cells = |tables: &&Vec<Vec<i64>>| tables[s18].iter().filter(|cell| **cell > 0).count() >= 6;
    let full = counted.iter().flatten().filter(cells).count();
    assert!(full > 30, "cells were chosen in {full} exports only");
}

/// Files long enough to be read in several chunks, with quoted line breaks wherever a chunk may end.
#[test]
fn the_kernel_counts_long_files_as_the_reference_does() {
    let counted = check_many(40_000..40_004, Wish::Long);
    assert!(counted.iter().all(Option::is_some), "a sound export is refused");
}
