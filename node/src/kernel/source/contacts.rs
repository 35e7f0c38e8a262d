//! The `contact` table, which may be larger than memory: it is read once, by several threads where the
//! text allows it, and its rows are gone as soon as they are summed.
//!
//! **Invariant:** what comes out is the same for any number of threads, any order of rows and any size
//! of blocks; the report names the same lines.

use super::Limits;
use super::blocks::{Blocks, Next, lines};
use super::csv::{CsvError, CsvReader, Malformed, Record};
use super::error::{FileProblem, SourceError};
use super::file::{Rest, Rows, stop};
use super::progress::Progress;
use super::row_memo::{Plan, Reader, Tail, Tally, Visit};
use fellestall_shared::limits::{REPORTED_ROWS, SOURCE_ROWS};
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::kernel::contacts::ContactTable;

/// Sums all rows into `table`, or only looks at them if there is none.
pub(super) fn sum(
    rows: Rows,
    plan: &Plan<'_>,
    table: Option<&mut ContactTable>,
    limits: Limits,
    progress: &Progress,
) -> Result<Tally, SourceError> {
    match rows {
        Rows::Text(file) => sum_text(file, plan, table, limits, progress),
        Rows::Table(mut rows) => {
            let table = Mutex::new(table);
            let mut batch = Batch::default();
            let next = |record: &mut Record| Ok(rows.next(record)?.then(|| record.line()));
            in_records(next, plan, &mut batch, |batch| batch.add_to(&table))
        }
    }
}

fn sum_text(
    file: Rest,
    plan: &Plan<'_>,
    table: Option<&mut ContactTable>,
    limits: Limits,
    progress: &Progress,
) -> Result<Tally, SourceError> {
    progress.start(file.size);
    let (name, first_line) = (file.name, file.line);
    let named = |error| stop(&name, error).named(|at| plan.layout.header_at(at).map(str::to_owned));
    let table = Mutex::new(table);
    let is_large = usize::try_from(file.size).map_or(true, |size| size > limits.block);
    let threads = if is_large { limits.threads } else { NonZeroUsize::MIN };
    let mut parts =
        in_blocks(Blocks::new(file.input, limits.block), plan, &table, threads, progress)
            .map_err(|error| named(CsvError::Io(error)))?;
    let next_line = parts.locate(first_line);
    if let Some(wrong) = parts.wrong.iter().min_by_key(|wrong| wrong.line) {
        return Err(named(CsvError::Malformed(*wrong)));
    }
    let mut tally = parts.tally;
    if let Some((bytes, input)) = parts.irregular {
        let input = io::BufReader::new(io::Cursor::new(bytes).chain(Counted { input, progress }));
        let mut reader = CsvReader::from_line(input, plan.delimiter, next_line);
        let mut batch = Batch::default();
        let rest = in_records(
            |record| Ok(reader.read(record).map_err(named)?.then(|| record.line())),
            plan,
            &mut batch,
            |batch| batch.add_to(&table),
        )?;
        tally = tally.and(rest);
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
pub(super) fn in_records<V: Visit>(
    mut next: impl FnMut(&mut Record) -> Result<Option<u64>, SourceError>,
    plan: &Plan<'_>,
    visit: &mut V,
    mut pause: impl FnMut(&mut V),
) -> Result<Tally, SourceError> {
    let mut reader = Reader::new(plan);
    let mut record = Record::default();
    while let Some(line) = next(&mut record)? {
        reader.record(&mut record, line, visit);
        if reader.tally.read.is_multiple_of(ROWS_OF_BATCH) {
            pause(visit);
        }
    }
    pause(visit);
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

/// Rows that were read and not yet added: participant, cell and contacts.
#[derive(Default)]
pub(super) struct Batch(Vec<(u32, u32, u32)>);

impl Visit for Batch {
    fn row(&mut self, place: u32, _line: u64, tail: &Tail) {
        if let Some(cell) = tail.cell {
            // A row of a file has never more than 32 bits.
            let contacts = u32::try_from(tail.contact.count).unwrap_or(u32::MAX);
            self.0.push((place, cell, contacts));
        }
    }
}

impl Batch {
    pub(super) fn add_to(&mut self, table: &Mutex<Option<&mut ContactTable>>) {
        let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = table.as_mut() {
            for (place, cell, contacts) in &self.0 {
                table.add(*place, *cell, *contacts);
            }
        }
        self.0.clear();
    }
}

/// What threads found, each in the blocks that it got.
struct Parts<R> {
    tally: Tally,
    /// How many lines each block has, by number.
    lines: Vec<u64>,
    /// What is no delimited text; the line is that in its block until it is located.
    wrong: Vec<Malformed>,
    /// From where on the text has to be read from front to back.
    irregular: Option<(Vec<u8>, R)>,
    threads: Vec<Found>,
}

/// What one thread found.
#[derive(Default)]
struct Found {
    tally: Tally,
    /// The blocks that it got, with their lines.
    blocks: Vec<(usize, u64)>,
    wrong: Option<Malformed>,
}

/// Lines of one block, at the most, so that a block and a line in it are one number.
const LINES_OF_BLOCK: u64 = 1 << 32;

impl<R> Parts<R> {
    /// Gives every line its number in the file, of which the first read is `first`; the number of the
    /// line after the last.
    fn locate(&mut self, first: u64) -> u64 {
        let blocks = self.threads.iter().flat_map(|found| found.blocks.iter());
        for (block, lines) in blocks {
            if let Some(held) = self.lines.get_mut(*block) {
                *held = *lines;
            }
        }
        let mut next = first;
        let starts: Vec<u64> = self
            .lines
            .iter()
            .map(|lines| {
                let start = next;
                next = next.saturating_add(*lines);
                start
            })
            .collect();
        let locate = |at: u64| {
            let block = at.checked_div(LINES_OF_BLOCK).and_then(|at| usize::try_from(at).ok());
            let start = block.and_then(|block| starts.get(block)).copied().unwrap_or(first);
            start.saturating_add(at.checked_rem(LINES_OF_BLOCK).unwrap_or(0))
        };
        for mut found in self.threads.drain(..) {
            for (line, _) in found.tally.shown.iter_mut().chain(&mut found.tally.of_several) {
                *line = locate(*line);
            }
            let wrong = found.wrong.map(|wrong| Malformed { line: locate(wrong.line), ..wrong });
            self.wrong.extend(wrong);
            let tally = std::mem::take(&mut self.tally);
            self.tally = tally.and(found.tally);
        }
        next
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

/// A block on its way to a thread.
struct Block {
    number: usize,
    bytes: Vec<u8>,
}

fn in_blocks<R: Read>(
    mut blocks: Blocks<R>,
    plan: &Plan<'_>,
    table: &Mutex<Option<&mut ContactTable>>,
    threads: NonZeroUsize,
    progress: &Progress,
) -> io::Result<Parts<R>> {
    let mut irregular = None;
    let mut count = 0;
    let found = if threads == NonZeroUsize::MIN {
        let mut worker = Worker::new(plan);
        let mut bytes = Vec::new();
        loop {
            match blocks.next(&mut bytes)? {
                Next::End => break,
                Next::Irregular => {
                    irregular = Some(bytes);
                    break;
                }
                Next::Lines => {
                    progress.add(bytes.len());
                    let block = Block { number: count, bytes };
                    count = count.saturating_add(1);
                    let goes_on = worker.take(&block, table);
                    bytes = block.bytes;
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        vec![worker.into_found()]
    } else {
        let stopped = AtomicBool::new(false);
        // A block for each thread to work on, and one for each that waits.
        let (send, receive) = sync_channel::<Block>(threads.get());
        let (give_back, used) = channel::<Vec<u8>>();
        let receive = Mutex::new(receive);
        thread::scope(|scope| {
            let work = || work(plan, table, &receive, &give_back, &stopped);
            let started: Vec<_> = (0..threads.get()).map(|_| scope.spawn(work)).collect();
            let mut dispatch = || -> io::Result<()> {
                while !stopped.load(Ordering::Relaxed) {
                    let mut bytes = used.try_recv().unwrap_or_default();
                    match blocks.next(&mut bytes)? {
                        Next::End => break,
                        Next::Irregular => {
                            irregular = Some(bytes);
                            break;
                        }
                        Next::Lines => {
                            progress.add(bytes.len());
                            let block = Block { number: count, bytes };
                            count = count.saturating_add(1);
                            if send.send(block).is_err() {
                                break;
                            }
                        }
                    }
                }
                Ok(())
            };
            let dispatched = dispatch();
            drop(send);
            let found = started.into_iter().map(|thread| {
                // A thread ends early only by a defect, as the whole program would without it.
                thread.join().unwrap_or_else(|defect| std::panic::resume_unwind(defect))
            });
            let found: Vec<Found> = found.collect();
            dispatched.map(|()| found)
        })?
    };
    Ok(Parts {
        tally: Tally::default(),
        lines: vec![0; count],
        wrong: Vec::new(),
        irregular: irregular.map(|bytes| (bytes, blocks.into_inner())),
        threads: found,
    })
}

/// Takes blocks until there are no more, or one is no delimited text. Blocks are given out in order, so
/// every block before that one is somebody's, and read to its end.
fn work(
    plan: &Plan<'_>,
    table: &Mutex<Option<&mut ContactTable>>,
    blocks: &Mutex<Receiver<Block>>,
    give_back: &Sender<Vec<u8>>,
    stopped: &AtomicBool,
) -> Found {
    let mut worker = Worker::new(plan);
    loop {
        let next = blocks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(block) = next else { break };
        let goes_on = worker.take(&block, table);
        // Nobody wants it back when the file is at its end.
        give_back.send(block.bytes).ok();
        if !goes_on {
            stopped.store(true, Ordering::Relaxed);
            break;
        }
    }
    worker.into_found()
}

struct Worker<'a> {
    reader: Reader<'a>,
    batch: Batch,
    blocks: Vec<(usize, u64)>,
    wrong: Option<Malformed>,
}

impl<'a> Worker<'a> {
    fn new(plan: &'a Plan<'a>) -> Self {
        let reader = Reader::new(plan);
        Self { reader, batch: Batch::default(), blocks: Vec::new(), wrong: None }
    }

    /// Takes a block; `false` if it is no delimited text.
    fn take(&mut self, block: &Block, table: &Mutex<Option<&mut ContactTable>>) -> bool {
        let number = u64::try_from(block.number).unwrap_or(u64::MAX);
        let start = number.saturating_mul(LINES_OF_BLOCK);
        let end = match self.reader.lines(lines(&block.bytes), start, &mut self.batch) {
            Ok(end) => end,
            Err(wrong) => {
                self.wrong = Some(wrong);
                return false;
            }
        };
        let count = end.saturating_sub(start);
        // What comes after the last line break is the start of the next block's first line, or nothing.
        self.blocks.push((block.number, count.saturating_sub(1)));
        self.batch.add_to(table);
        true
    }

    fn into_found(self) -> Found {
        Found { tally: self.reader.tally, blocks: self.blocks, wrong: self.wrong }
    }
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
