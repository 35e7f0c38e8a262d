//! Key files: from a table's own key, step by step, to the participant.
//!
//! **Invariant:** a key leads to one participant or the row is rejected; none is ever chosen.

use super::csv::Record;
use super::error::{SourceError, Why};
use super::file::SourceFile;
use super::layout::decode;
use super::mapping::Join;
use super::quality::{JoinReport, RejectedRow, Rule};
use super::schema::Table;
use super::shelf::Shelf;
use super::value::normalised;
use std::collections::HashMap;

/// The keys of one file.
pub(super) struct Keys(HashMap<String, Target>);

enum Target {
    One(String),
    Several,
}

impl Keys {
    /// Every key of the file.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Where a key leads, from file to file.
    pub(super) fn follow<'k>(steps: &'k [Self], key: &'k str) -> Result<&'k str, Rule> {
        steps.iter().try_fold(key, |key, step| step.find(key))
    }

    /// Where this key leads.
    pub(super) fn find(&self, key: &str) -> Result<&str, Rule> {
        match self.0.get(normalised(key).as_ref()) {
            Some(Target::One(to)) => Ok(to),
            Some(Target::Several) => Err(Rule::KeyAmbiguous),
            None => Err(Rule::KeyUnmatched),
        }
    }
}

/// Reads one key file; rejected rows go to `reject`.
pub(super) fn keys(
    shelf: &Shelf,
    table: Table,
    join: &Join,
    mut reject: impl FnMut(RejectedRow),
) -> Result<(Keys, JoinReport), SourceError> {
    let name = &join.file.name;
    let missing = || SourceError::Missing { file: name.clone(), why: Why::Join(table) };
    let mut file = SourceFile::open(shelf, &join.file)?.ok_or_else(missing)?;
    let place = |header: &str| {
        file.header().place(header).ok_or_else(|| SourceError::ColumnMissing {
            file: name.clone(),
            header: header.to_owned(),
            table,
            our: None,
        })
    };
    let (key_at, to_at, width) = (place(&join.key)?, place(&join.to)?, file.header().width());
    let header_at = |at| match at {
        at if at == key_at => Some(join.key.clone()),
        at if at == to_at => Some(join.to.clone()),
        _ => None,
    };
    let mut keys = HashMap::new();
    let mut report = JoinReport {
        table,
        file: name.clone(),
        key: join.key.clone(),
        to: join.to.clone(),
        read: 0,
        rejected: 0,
    };
    let mut record = Record::default();
    while file.next(&mut record).map_err(|stop| stop.named(header_at))? {
        let cell = |at, header: &String| {
            let bytes = record.field(at).filter(|_| record.len() == width);
            let bytes = bytes.ok_or((None, Rule::FieldCount))?;
            let text = decode(bytes, join.file.encoding);
            let text = text.ok_or_else(|| (Some(header.clone()), Rule::NotUtf8))?;
            let text = normalised(&text).into_owned();
            if text.is_empty() { Err((Some(header.clone()), Rule::KeyBlank)) } else { Ok(text) }
        };
        match cell(key_at, &join.key).and_then(|key| Ok((key, cell(to_at, &join.to)?))) {
            Ok((key, to)) => add(&mut keys, key, to),
            Err((column, rule)) => {
                report.rejected = report.rejected.saturating_add(1);
                reject(RejectedRow { file: name.clone(), line: record.line(), column, rule });
            }
        }
    }
    report.read = file.rows();
    Ok((Keys(keys), report))
}

fn add(keys: &mut HashMap<String, Target>, key: String, to: String) {
    let same = |target: &Target| matches!(target, Target::One(one) if *one == to);
    match keys.get_mut(&key) {
        None => {
            keys.insert(key, Target::One(to));
        }
        Some(target) if same(target) => {}
        Some(target) => *target = Target::Several,
    }
}
