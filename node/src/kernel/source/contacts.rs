//! The `contact` table, which may be larger than memory: it is read once, by several threads where the
//! text allows it, and its rows are gone as soon as they are summed.
//!
//! **Invariant:** what comes out is the same for any number of threads, any order of rows and any size
//! of blocks; the report names the same lines.

use super::Limits;
use super::blocks::{Block, Blocks, Next};
use super::csv::{CsvError, CsvReader, Malformed, Record};
use super::error::{FileProblem, SourceError};
use super::file::{Rows, stop};
use super::progress::Progress;
use super::row_memo::{Plan, Reader, Tally, Visit};
use crate::kernel::contacts::{ContactTable, Months};
use crate::kernel::person::Contact;
use fellestall_shared::limits::{REPORTED_ROWS, SOURCE_ROWS};
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// Sums all rows into `table`, or only looks at them if there is none.
pub(super) fn sum(
    rows: Rows,
    plan: &Plan<'_>,
    table: Option<&mut ContactTable>,
    limits: Limits,
    progress: &Progress,
) -> Result<Tally, SourceError> {
    let sums =
        Sums { months: table.as_ref().map(|table| table.months()), table: &Mutex::new(table) };
    let file = match rows {
        Rows::Text(file) => file,
        Rows::Table(mut rows) => {
            let next = |record: &mut Record| Ok(rows.next(record)?.then(|| record.line()));
            return in_records(next, plan, &mut Batch::of(sums), Batch::add);
        }
    };
    progress.start(file.size);
    let (name, first_line) = (file.name, file.line);
    let named = |error| stop(&name, error).named(|at| plan.layout.header_at(at).map(str::to_owned));
    let is_large = usize::try_from(file.size).map_or(true, |size| size > limits.block);
    let threads = if is_large { limits.threads } else { NonZeroUsize::MIN };
    let blocks = Blocks::new(file.input, limits.block);
    let parts = in_blocks(blocks, plan, sums, threads, progress);
    let mut parts = parts.map_err(|error| named(CsvError::Io(error)))?;
    let (mut tally, next_line) = parts.located(first_line).map_err(|wrong| named(wrong.into()))?;
    if let Some((block, input)) = parts.irregular {
        let input = Counted { input: io::Cursor::new(block.text()).chain(input), progress };
        let mut reader = CsvReader::from_line(
            io::BufReader::with_capacity(BUFFER, input),
            plan.delimiter,
            next_line,
        );
        let next =
            |record: &mut Record| Ok(reader.read(record).map_err(named)?.then(|| record.line()));
        tally = tally.and(in_records(next, plan, &mut Batch::of(sums), Batch::add)?);
    }
    within_limit(&tally, &name, next_line)?;
    Ok(tally)
}

/// Shows every row to `visit`, in their order.
pub(super) fn visit(
    rows: Rows,
    plan: &Plan<'_>,
    visit: &mut impl Visit,
    progress: &Progress,
) -> Result<Tally, SourceError> {
    let file = match rows {
        Rows::Text(file) => file,
        Rows::Table(mut rows) => {
            let next = |record: &mut Record| Ok(rows.next(record)?.then(|| record.line()));
            return in_records(next, plan, visit, |_| ());
        }
    };
    progress.start(file.size);
    let (name, line) = (file.name, file.line);
    let named = |error| stop(&name, error).named(|at| plan.layout.header_at(at).map(str::to_owned));
    let input = io::BufReader::with_capacity(BUFFER, Counted { input: file.input, progress });
    let mut reader = CsvReader::from_line(input, plan.delimiter, line);
    let next = |record: &mut Record| Ok(reader.read(record).map_err(named)?.then(|| record.line()));
    let tally = in_records(next, plan, visit, |_| ())?;
    within_limit(&tally, &name, line)?;
    Ok(tally)
}

/// Reads record by record; `next` gives the line of each, and `pause` is called now and then.
fn in_records<V: Visit>(
    mut next: impl FnMut(&mut Record) -> Result<Option<u64>, SourceError>,
    plan: &Plan<'_>,
    visit: &mut V,
    pause: impl Fn(&mut V),
) -> Result<Tally, SourceError> {
    let mut reader = Reader::new(plan, visit);
    let mut record = Record::default();
    while let Some(line) = next(&mut record)? {
        reader.record(&mut record, line);
        if reader.tally.read.is_multiple_of(ROWS_OF_BATCH) {
            pause(reader.visit);
        }
    }
    pause(reader.visit);
    Ok(reader.tally)
}

/// Bytes that are read at once where a file is read from front to back.
const BUFFER: usize = 256 * 1024;
/// Rows between two pauses.
const ROWS_OF_BATCH: u64 = 10_000;

fn within_limit(tally: &Tally, name: &str, line: u64) -> Result<(), SourceError> {
    if tally.read > SOURCE_ROWS {
        let (file, problem) = (name.to_owned(), FileProblem::TooManyRows);
        return Err(SourceError::File { file, line, column: None, problem });
    }
    Ok(())
}

/// Where rows are summed.
#[derive(Clone, Copy)]
struct Sums<'a, 't> {
    /// What is asked about; `None` if nothing is.
    months: Option<Months>,
    table: &'a Mutex<Option<&'t mut ContactTable>>,
}

/// Rows that were read and not yet added: participant, cell and contacts.
struct Batch<'a, 't> {
    sums: Sums<'a, 't>,
    rows: Vec<(u32, u32, u32)>,
}

impl Visit for Batch<'_, '_> {
    /// The cell; `None` of what is not asked about.
    type Kept = Option<u32>;

    fn keep(&self, contact: &Contact) -> Self::Kept {
        self.sums.months.and_then(|months| months.cell(contact))
    }

    fn row(&mut self, place: u32, _line: u64, tail: Self::Kept, count: u32) {
        if let Some(cell) = tail {
            self.rows.push((place, cell, count));
        }
    }
}

impl<'a, 't> Batch<'a, 't> {
    fn of(sums: Sums<'a, 't>) -> Self {
        Self { sums, rows: Vec::new() }
    }

    fn add(&mut self) {
        if let Some(table) = locked(self.sums.table).as_mut() {
            table.add_all(&self.rows);
        }
        self.rows.clear();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What threads found, each in the blocks that it got.
struct Parts<R> {
    threads: Vec<Found>,
    /// From where on the text has to be read from front to back.
    irregular: Option<(Block, R)>,
}

/// What one thread found. Lines are those of [`line_of`] until they are located.
#[derive(Default)]
struct Found {
    tally: Tally,
    /// The blocks that it read to their end, with how many lines each has.
    blocks: Vec<(u64, u64)>,
    /// What is no delimited text; it took no block after that.
    wrong: Option<Malformed>,
}

/// Lines of one block, at the most, so that a block and a line in it are one number.
const LINES_OF_BLOCK: u64 = 1 << 32;

/// The first line of a block.
fn line_of(block: u64) -> u64 {
    block.saturating_mul(LINES_OF_BLOCK)
}

impl<R> Parts<R> {
    /// What all threads found together, each line by its number in the file, of which the first that was
    /// read is `first`; and the number of the line after the last. The first place that is no delimited
    /// text otherwise.
    fn located(&mut self, first: u64) -> Result<(Tally, u64), Malformed> {
        let blocks = || self.threads.iter().flat_map(|found| &found.blocks);
        let mut starts: Vec<(u64, u64)> = blocks().copied().collect();
        starts.sort_unstable();
        let mut next = first;
        for (_, lines) in &mut starts {
            // From the number of its lines to that of its first.
            next = next.saturating_add(std::mem::replace(lines, next));
        }
        let locate = |at: u64| {
            let block = at.div_euclid(LINES_OF_BLOCK);
            // One that was not read to its end has no lines here, and starts where the next one does.
            let place = starts.partition_point(|(before, _)| *before < block);
            let start = starts.get(place).map_or(next, |(_, start)| *start);
            start.saturating_add(at.rem_euclid(LINES_OF_BLOCK))
        };
        let wrong = self.threads.iter().filter_map(|found| found.wrong);
        if let Some(wrong) = wrong.min_by_key(|wrong| wrong.line) {
            return Err(Malformed { line: locate(wrong.line), ..wrong });
        }
        let mut tally = Tally::default();
        for mut found in self.threads.drain(..).map(|found| found.tally) {
            for (line, _) in found.shown.iter_mut().chain(&mut found.of_several) {
                *line = locate(*line);
            }
            tally = tally.and(found);
        }
        Ok((tally, next))
    }
}

impl Tally {
    /// Both together.
    fn and(self, other: Self) -> Self {
        let mut shown: Vec<_> = self.shown.into_iter().chain(other.shown).collect();
        shown.sort_by_key(|(line, _)| *line);
        shown.truncate(REPORTED_ROWS);
        let of_several = self.of_several.into_iter().chain(other.of_several);
        Self {
            read: self.read.saturating_add(other.read),
            accepted: self.accepted.saturating_add(other.accepted),
            left_out: self.left_out.saturating_add(other.left_out),
            rejected: self.rejected.saturating_add(other.rejected),
            shown,
            of_several: of_several.min_by_key(|(line, _)| *line),
        }
    }
}

/// A file that threads take blocks from, each when it is ready for one.
struct Shared<R> {
    blocks: Blocks<R>,
    /// How many were taken.
    taken: u64,
    /// What came instead of another one, or that nothing shall come any more.
    end: Option<io::Result<Option<Block>>>,
}

impl<R: Read> Shared<R> {
    /// Fills `block`, and gives its number; `None` if there is none.
    fn take(&mut self, block: &mut Block) -> Option<u64> {
        if self.end.is_some() {
            return None;
        }
        self.end = match self.blocks.next(block) {
            Ok(Next::Lines) => {
                let number = self.taken;
                self.taken = number.saturating_add(1);
                return Some(number);
            }
            Ok(Next::End) => Some(Ok(None)),
            Ok(Next::Irregular) => Some(Ok(Some(std::mem::take(block)))),
            Err(error) => Some(Err(error)),
        };
        None
    }
}

fn in_blocks<R: Read + Send>(
    blocks: Blocks<R>,
    plan: &Plan<'_>,
    sums: Sums<'_, '_>,
    threads: NonZeroUsize,
    progress: &Progress,
) -> io::Result<Parts<R>> {
    let shared = Mutex::new(Shared { blocks, taken: 0, end: None });
    let work = || work(&shared, plan, sums, progress);
    let found = thread::scope(|scope| {
        let others: Vec<_> = (1..threads.get()).map(|_| scope.spawn(work)).collect();
        let own = work();
        // A thread ends early only by a defect, as the whole program would without it.
        let others = others
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|defect| std::panic::resume_unwind(defect)));
        others.chain(std::iter::once(own)).collect()
    });
    let shared = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    let irregular = shared.end.transpose()?.flatten();
    let irregular = irregular.map(|block| (block, shared.blocks.into_inner()));
    Ok(Parts { threads: found, irregular })
}

/// Takes blocks until there are no more, or one is no delimited text. Blocks are given out in order, so
/// every block before that one is somebody's, and read to its end or to such a place.
fn work<R: Read>(
    shared: &Mutex<Shared<R>>,
    plan: &Plan<'_>,
    sums: Sums<'_, '_>,
    progress: &Progress,
) -> Found {
    let mut reader = Reader::new(plan, Batch::of(sums));
    let (mut blocks, mut wrong) = (Vec::new(), None);
    let mut block = Block::default();
    loop {
        let number = locked(shared).take(&mut block);
        let Some(number) = number else { break };
        progress.add(block.text().len());
        let start = line_of(number);
        match reader.block(&block, start) {
            // What comes after the last line break is the start of the next block's first line, or
            // nothing.
            Ok(end) => blocks.push((number, end.saturating_sub(start).saturating_sub(1))),
            Err(found) => {
                locked(shared).end.get_or_insert(Ok(None));
                wrong = Some(found);
                break;
            }
        }
        reader.visit.add();
    }
    Found { tally: reader.tally, blocks, wrong }
}

/// A file whose reading is told.
struct Counted<'a, R> {
    input: R,
    progress: &'a Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.progress.add(read);
        Ok(read)
    }
}
