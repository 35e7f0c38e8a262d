//! What a running process holds in its memory, and a search for many byte strings at once.
//!
//! **Invariant:** a process is read while it stands still, so that nothing moves from where the search
//! comes next to where it was.

use data_encoding::{BASE64, HEXLOWER};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::time::{Duration, Instant};

/// Bytes of a page: one that is all zeros is skipped.
const PAGE: usize = 4096;
/// The shortest thing that is searched for.
const SHORTEST: usize = 8;

/// Holds a process still while something is done, and lets it go on.
pub fn frozen<T>(process: u32, work: impl FnOnce() -> T) -> T {
    signal(process, "-STOP");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_still(process) {
        assert!(Instant::now() < deadline, "the process does not stand still");
        std::thread::yield_now();
    }
    let done = work();
    signal(process, "-CONT");
    done
}

fn signal(process: u32, name: &str) {
    // A process that has ended by now is nobody's to stop.
    Command::new("kill").args([name, &process.to_string()]).output().expect("kill");
}

fn is_still(process: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = state.rsplit(") ").next().and_then(|rest| rest.chars().next());
    // Or gone, or dead and not yet waited for.
    matches!(state, Some('T' | 't' | 'Z' | 'X') | None)
}

/// The readable and writable memory of a process, mapping by mapping, where it can be read.
///
/// The caller is its parent or of its user, without which the system refuses.
pub fn of(process: u32) -> Vec<Vec<u8>> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
    let Ok(memory) = File::open(format!("/proc/{process}/mem")) else { return Vec::new() };
    let mut mappings = Vec::new();
    for line in maps.lines() {
        let mut fields = line.split(' ');
        let (range, rights) = (fields.next().expect("a range"), fields.next().expect("rights"));
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').expect("two ends");
        let end = |text| u64::from_str_radix(text, 16).expect("an address");
        let (from, to) = (end(from), end(to));
        let mut bytes = vec![0; usize::try_from(to - from).expect("a size")];
        let mut read = 0;
        while let Ok(more @ 1..) = memory.read_at(&mut bytes[read..], from + read as u64) {
            read += more;
        }
        bytes.truncate(read);
        mappings.push(bytes);
    }
    mappings
}

/// Byte strings by what they are, in the forms in which a program may hold or write them.
#[derive(Default)]
pub struct Wanted {
    known: Vec<(String, Vec<u8>)>,
    by_start: BTreeMap<[u8; 4], Vec<usize>>,
    starts: Vec<bool>,
}

impl Wanted {
    /// Adds a byte string: as it is, in hexadecimal, in base64, and in base64 in base64. Zeros before it
    /// say nothing, and are left out.
    pub fn add(&mut self, what: &str, bytes: &[u8]) {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let bytes = &bytes[zeros..];
        let coded = in_base64(bytes);
        let twice = coded.iter().flat_map(|coded| in_base64(coded)).collect::<Vec<_>>();
        let hex = HEXLOWER.encode(bytes).into_bytes();
        let forms = [vec![bytes.to_vec(), hex], coded.to_vec(), twice].concat();
        self.starts.resize(1 << 16, false);
        for form in forms {
            assert!(form.len() >= SHORTEST, "{what} is too short to be looked for");
            self.starts[start(&form)] = true;
            let first = *form.first_chunk().expect("long enough");
            self.by_start.entry(first).or_default().push(self.known.len());
            self.known.push((what.to_owned(), form));
        }
    }

    /// All forms of everything, one after the other.
    pub fn forms(&self) -> impl Iterator<Item = &[u8]> {
        self.known.iter().map(|(_, form)| form.as_slice())
    }

    /// How many forms there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Which forms are somewhere in these bytes.
    fn places<'b>(&'b self, bytes: &'b [u8]) -> impl Iterator<Item = usize> + 'b {
        let mut at = 0;
        std::iter::from_fn(move || {
            while at + SHORTEST <= bytes.len() {
                if at % PAGE == 0 && bytes[at..].starts_with(&[0; PAGE]) {
                    // What begins in this page and goes on in the next is not passed over.
                    at += PAGE - PAGE / 8;
                    continue;
                }
                let here = at;
                at += 1;
                if !self.starts[usize::from(bytes[here]) | usize::from(bytes[here + 1]) << 8] {
                    continue;
                }
                let rest = &bytes[here..];
                let known = self.by_start.get(&rest[..4]).into_iter().flatten();
                let found: Vec<usize> =
                    known.copied().filter(|one| rest.starts_with(&self.known[*one].1)).collect();
                if !found.is_empty() {
                    return Some(found);
                }
            }
            None
        })
        .flatten()
    }

    /// What of it is found, in any form.
    pub fn found(&self, places: &[Vec<u8>]) -> BTreeSet<&str> {
        let found = places.iter().flat_map(|bytes| self.places(bytes));
        found.map(|one| self.known[one].0.as_str()).collect()
    }

    /// How many of the forms are found.
    pub fn count(&self, places: &[Vec<u8>]) -> usize {
        places.iter().flat_map(|bytes| self.places(bytes)).collect::<BTreeSet<_>>().len()
    }
}

fn start(form: &[u8]) -> usize {
    usize::from(form[0]) | usize::from(form[1]) << 8
}

/// How bytes look inside of base64, from each of the three places where they may begin.
fn in_base64(bytes: &[u8]) -> [Vec<u8>; 3] {
    [0, 1, 2].map(|shift| {
        let shifted = [&[0_u8; 2][..shift], bytes].concat();
        // The first character or two, and the last, also hold bits of what stands beside.
        let within = (shift * 8).div_ceil(6)..shifted.len() * 8 / 6;
        BASE64.encode(&shifted).into_bytes()[within].to_vec()
    })
}
