//! A report with counts that the test knows, and what of it either server must not hold.

use crate::memory::Wanted;
use fellestall_shared::secure::Layout;
use fellestall_shared::secure::vdaf::{Shares, Vdaf};
use prio::field::{Field128, FieldElementWithInteger};

/// Bytes of a field element.
const ELEMENT: usize = 16;
/// Bytes of what blinds the leader's part of the joint randomness, at the end of its share.
const BLIND: usize = 32;

/// A report, and what it was made of.
pub struct Known {
    pub id: [u8; 16],
    pub counts: Vec<i64>,
    pub entries: Vec<u128>,
    pub shares: Shares,
    /// What was sealed to the helper, as it was sent.
    pub sealed: Vec<u8>,
    /// The leader's half of the vector, and the helper's.
    pub halves: [Vec<u8>; 2],
}

impl Known {
    /// What only a node and the helper may hold of it, and what only a node may.
    pub fn not_for_leader(&self, layout: &Layout, wanted: &mut Wanted) {
        self.helper_share(wanted);
        let encoded = encoded(&self.entries, layout);
        let leaders = elements(&self.shares.leader[..encoded.len() * ELEMENT]);
        let helpers: Vec<_> = encoded.iter().zip(&leaders).map(|(bit, own)| *bit - *own).collect();
        add_elements(wanted, "the helper's share of the encoding", &helpers);
        add_elements(wanted, "the helper's half of the vector", &elements(&self.halves[1]));
        self.vector(layout, wanted);
    }

    /// What only a node and the leader may hold of it, and what only a node may.
    pub fn not_for_helper(&self, layout: &Layout, wanted: &mut Wanted) {
        self.for_leader(wanted);
        self.vector(layout, wanted);
    }

    /// The plaintext of what is sealed to the helper.
    pub fn helper_share(&self, wanted: &mut Wanted) {
        for part in self.shares.helper.chunks(32) {
            wanted.add("the helper's share", part);
        }
    }

    /// What the leader holds of it.
    pub fn for_leader(&self, wanted: &mut Wanted) {
        let (all, blind) = self.shares.leader.split_at(self.shares.leader.len() - BLIND);
        add_elements(wanted, "the leader's share", &elements(all));
        add_elements(wanted, "the leader's half of the vector", &elements(&self.halves[0]));
        wanted.add("the leader's blind", blind);
    }

    /// The vector: counts, scaled counts and entries, as numbers of every size, as elements of the field
    /// and bit by bit, and as text.
    fn vector(&self, layout: &Layout, wanted: &mut Wanted) {
        let entry = |entry: &u128| i64::try_from(*entry).expect("of 40 bits at the most");
        let entries: Vec<i64> = self.entries.iter().map(entry).collect();
        let scaled: Vec<i64> = entries.iter().map(|entry| entry - layout.offset()).collect();
        for (what, values) in
            [("entries", &entries), ("scaled counts", &scaled), ("counts", &self.counts)]
        {
            for three in thirds(values).map(|at| &values[at..at + 3]) {
                add_numbers(wanted, what, three);
            }
        }
        let bits = usize::try_from(layout.bits()).expect("small");
        let encoded = encoded(&self.entries, layout);
        for at in thirds(&entries) {
            let three = self.entries[at..at + 3].iter().map(|entry| Field128::from(*entry));
            let whole: Vec<_> = three.collect();
            wanted.add("entries in the field's own form", &own_form(&whole));
            let bits = &encoded[at * bits..(at + 1) * bits];
            wanted.add("an entry's bits", &plain_form(bits));
            wanted.add("an entry's bits in the field's own form", &own_form(bits));
        }
    }
}

/// Where a vector is looked at: its beginning, its middle and its end.
fn thirds<T>(values: &[T]) -> impl Iterator<Item = usize> + use<T> {
    [0, values.len() / 2 - 1, values.len() - 3].into_iter()
}

/// The bits of every entry, lowest first, as elements of the field.
fn encoded(entries: &[u128], layout: &Layout) -> Vec<Field128> {
    let bits = |entry: &u128| {
        let entry = *entry;
        (0..layout.bits()).map(move |bit| Field128::from(entry >> bit & 1))
    };
    entries.iter().flat_map(bits).collect()
}

fn elements(bytes: &[u8]) -> Vec<Field128> {
    let parts = bytes.chunks_exact(ELEMENT);
    parts.map(|part| Field128::try_from(part).expect("an element")).collect()
}

fn plain_form(elements: &[Field128]) -> Vec<u8> {
    elements.iter().flat_map(|one| u128::from(*one).to_le_bytes()).collect()
}

/// As the field computes with them: times 2^128 (Montgomery).
fn own_form(elements: &[Field128]) -> Vec<u8> {
    let factor = Field128::from(2).pow(128);
    let scaled: Vec<_> = elements.iter().map(|one| *one * factor).collect();
    plain_form(&scaled)
}

/// Elements that are as good as random: each says whose they are.
fn add_elements(wanted: &mut Wanted, what: &str, elements: &[Field128]) {
    for at in thirds(elements) {
        wanted.add(what, &plain_form(&elements[at..at + 2]));
        wanted.add(what, &own_form(&elements[at..at + 2]));
    }
}

fn add_numbers(wanted: &mut Wanted, what: &str, values: &[i64]) {
    let mut add = |form: &dyn Fn(i64) -> Vec<u8>| {
        wanted.add(what, &values.iter().flat_map(|value| form(*value)).collect::<Vec<_>>());
    };
    add(&|value| i128::from(value).to_le_bytes().to_vec());
    add(&|value| i128::from(value).to_be_bytes().to_vec());
    add(&|value| value.to_le_bytes().to_vec());
    add(&|value| value.to_be_bytes().to_vec());
    if values.iter().all(|value| i32::try_from(*value).is_ok()) {
        let small = |value| i32::try_from(value).expect("just looked at");
        add(&|value| small(value).to_le_bytes().to_vec());
        add(&|value| small(value).to_be_bytes().to_vec());
        add(&|value| f64::from(small(value)).to_le_bytes().to_vec());
    }
    let text: Vec<String> = values.iter().map(ToString::to_string).collect();
    for between in [",", ", ", " ", "\n", "\",\"", "\", \"", ";", "\t"] {
        wanted.add(what, text.join(between).as_bytes());
    }
}

/// Both servers' halves of one report's vector, worked out here.
pub fn halves(
    vdaf: &Vdaf,
    key: &[u8; 32],
    task: fellestall_shared::digest::Digest,
    id: &[u8; 16],
    shares: &Shares,
) -> [Vec<u8>; 2] {
    let Shares { public, leader, helper } = shares;
    let (state, message) = vdaf.leader_start(key, task, id, public, leader).expect("it holds");
    let finished = vdaf.helper_finish(key, task, id, public, helper, &message);
    let (theirs, message) = finished.expect("it holds");
    let ours = state.finish(&message).expect("it holds");
    [ours, theirs].map(|half| {
        let mut sum = vdaf.nothing();
        sum.add(&half).expect("added");
        sum.to_bytes()
    })
}
