//! What is measured beside the node: programs that do less with the same rows.
//!
//! Each is a process of its own, this program started again with an argument, so that its start is
//! measured as the node's is.
//!
//! **Invariant:** nothing here keeps a row.

use anyhow::{Context, Result, bail, ensure};
use axum::body::{Body, HttpBody};
use fellestall_tests::synthetic::large::postgres::SCHEMA;
use sqlx::postgres::{PgPool, PgPoolCopyExt};
use std::collections::HashMap;
use std::fs::File;
use std::future::poll_fn;
use std::io::Read;
use std::path::Path;
use std::pin::Pin;
use tokio::runtime::Runtime;

/// The buffer of every reader here; larger ones are not faster.
const BUFFER: usize = 64 * 1024;

/// Every byte record of a file, as the `csv` crate reads it fastest: one record that is used again, and a
/// buffer larger than its own; how many there were.
pub fn csv(file: &Path) -> Result<u64> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).buffer_capacity(BUFFER).from_path(file)?;
    let mut record = csv::ByteRecord::new();
    let mut records = 0;
    while reader.read_byte_record(&mut record)? {
        records += 1;
        std::hint::black_box(&record);
    }
    Ok(records)
}

/// Every byte record of a file, as the `csv` crate gives them to a loop: a new one each time; how many
/// there were.
pub fn csv_each(file: &Path) -> Result<u64> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).buffer_capacity(BUFFER).from_path(file)?;
    let mut records = 0;
    for record in reader.byte_records() {
        records += 1;
        std::hint::black_box(record?);
    }
    Ok(records)
}

/// Every end of a line; how many there were.
pub fn lines(file: &Path) -> Result<u64> {
    let mut file = File::open(file)?;
    let mut buffer = vec![0; BUFFER];
    let mut lines = 0;
    loop {
        let read = file.read(&mut buffer)?;
        let read = buffer.get(..read).filter(|read| !read.is_empty());
        let Some(read) = read else { return Ok(lines) };
        // In parts whose count fits into a byte: the compiler takes many bytes at once then.
        for part in read.chunks(255) {
            let ends =
                part.iter().map(|byte| u8::from(*byte == b'\n')).fold(0_u8, u8::wrapping_add);
            lines += u64::from(ends);
        }
    }
}

/// Every contact row of a database, pulled over and summed up by participant and category as a plain
/// program would; how many there were.
pub fn pull(address: &str) -> Result<u64> {
    Runtime::new()?.block_on(async {
        let database = PgPool::connect(address).await?;
        let rows = format!(
            "COPY (SELECT participant_id, month, category, count, recorded FROM {SCHEMA}.contact) \
             TO STDOUT"
        );
        // A body of axum is the one reader of a stream that is here without another library.
        let mut body = Body::from_stream(database.copy_out_raw(&rows).await?);
        let mut sums: HashMap<(String, String), u64> = HashMap::new();
        let (mut rest, mut pulled) = (Vec::new(), 0);
        while let Some(part) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            let part = part?.into_data().ok().context("something that is not data")?;
            rest.extend_from_slice(&part);
            let end = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            for row in rest.get(..end).unwrap_or_default().split(|byte| *byte == b'\n') {
                if row.is_empty() {
                    continue;
                }
                pulled += 1;
                add(&mut sums, std::str::from_utf8(row)?)?;
            }
            rest.drain(..end);
        }
        ensure!(rest.is_empty(), "the last row is cut off");
        std::hint::black_box(&sums);
        Ok(pulled)
    })
}

fn add(sums: &mut HashMap<(String, String), u64>, row: &str) -> Result<()> {
    let mut cells = row.split('\t');
    let mut next = || cells.next().context("a row with too few cells");
    let (person, _month, category, count, recorded) = (next()?, next()?, next()?, next()?, next()?);
    if recorded == "yes" {
        *sums.entry((person.to_owned(), category.to_owned())).or_default() +=
            count.parse::<u64>()?;
    }
    Ok(())
}

/// Which of these a program was started for, if it was; `None` if it is to measure.
pub fn asked(args: &[String]) -> Result<Option<u64>> {
    let rows = match args {
        [what, file] if what == "csv" => csv(Path::new(file))?,
        [what, file] if what == "csv-each" => csv_each(Path::new(file))?,
        [what, file] if what == "lines" => lines(Path::new(file))?,
        [what, address] if what == "pull" => pull(address)?,
        [what, ..] if ["csv", "csv-each", "lines", "pull"].contains(&what.as_str()) => {
            bail!("{what} takes one argument")
        }
        _ => return Ok(None),
    };
    Ok(Some(rows))
}
