//! Records as delimited text, in the many ways in which the same records can be written.
//!
//! **Invariant:** what is written is well-formed (RFC 4180).

use super::chance::Chance;
use super::{Format, Records};

/// The bytes of a file.
pub fn text(chance: &mut Chance, format: &Format, records: &Records) -> Vec<u8> {
    let mut bytes = Vec::new();
    if !format.latin1 && chance.percent(25) {
        bytes.extend_from_slice(b"\xEF\xBB\xBF");
    }
    let ends = ["\n", "\n", "\r\n", "\r"];
    let end = chance.one_of(&ends).as_bytes();
    let (blank, always) = (chance.percent(30), chance.percent(20));
    for (at, record) in records.iter().enumerate() {
        if blank && chance.percent(20) {
            bytes.extend_from_slice(end);
        }
        write(chance, format, record, always, &mut bytes);
        let is_last = at + 1 == records.len();
        if !is_last || chance.percent(70) {
            bytes.extend_from_slice(end);
        }
    }
    bytes
}

fn write(
    chance: &mut Chance,
    format: &Format,
    record: &[Vec<u8>],
    always: bool,
    bytes: &mut Vec<u8>,
) {
    let delimiter = u8::try_from(format.delimiter).expect("one byte");
    for (at, cell) in record.iter().enumerate() {
        if at > 0 {
            bytes.push(delimiter);
        }
        let special = |byte: &u8| [delimiter, b'"', b'\n', b'\r'].contains(byte);
        // A record of one empty cell would be a blank line.
        let alone = record.len() == 1 && cell.is_empty();
        if always || alone || cell.iter().any(special) || chance.percent(5) {
            bytes.push(b'"');
            for byte in cell {
                bytes.extend(std::iter::repeat_n(*byte, if *byte == b'"' { 2 } else { 1 }));
            }
            bytes.push(b'"');
        } else {
            bytes.extend_from_slice(cell);
        }
    }
}

/// The same records in another order, the header first.
pub fn shuffled(chance: &mut Chance, format: &Format, bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(u8::try_from(format.delimiter).expect("one byte"))
        .flexible(true)
        .has_headers(false)
        .from_reader(bytes);
    let records = reader.byte_records().map(|record| record.expect("delimited text"));
    let mut records: Records =
        records.map(|record| record.iter().map(<[u8]>::to_vec).collect()).collect();
    chance.shuffle(&mut records[1..]);
    text(chance, format, &records)
}
