//! A map from short texts to numbers, without an allocation for each text.
//!
//! The standard map keeps each key in an allocation of its own: with a participant for each key that is
//! most of the memory, and several misses of the cache for every row. Here a text of up to 40 bytes lies
//! beside its number, in the first free slot after the one that its hash names.
//!
//! **Invariant:** a text is found only if it is there byte by byte; what its hash is decides nothing.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Words of four bytes that a short text is made of.
pub(super) const SHORT: usize = 3;
/// Words of four bytes that a text of middle length is made of.
const MIDDLE: usize = 10;
/// Bytes that must be readable from the start of a text on for its [`words`], whatever its length.
pub(super) const REACH: usize = 4 * MIDDLE;

/// A map from texts to numbers, but for the largest of 32 bits.
pub(super) struct ByteMap {
    short: Slots<SHORT>,
    middle: Slots<MIDDLE>,
    /// Longer ones, and those that end with the byte 0.
    others: HashMap<Box<[u8]>, u32>,
}

/// A map from so many words to numbers, but for the largest of 32 bits.
pub(super) struct Slots<const WORDS: usize> {
    all: Vec<Slot<WORDS>>,
    used: usize,
    secret: u64,
}

/// Words, ready to be looked for.
#[derive(Clone, Copy)]
pub(super) struct Key<const WORDS: usize> {
    words: [u32; WORDS],
    hash: u64,
}

#[derive(Clone, Copy)]
struct Slot<const WORDS: usize> {
    words: [u32; WORDS],
    value: u32,
}

/// The value of a slot that holds nothing.
const FREE: u32 = u32::MAX;

/// From the place that lies so many bytes before the middle on, the bits that belong to a text so long.
const MASK: &[u8] = [[0xFF; REACH], [0x00; REACH]].as_flattened();

/// The text of this length with which `from` starts as so many words, with zeros behind it. `None` for one
/// that is longer, or is followed by too little, or ends with a zero: so no two texts look the same.
#[inline]
pub(super) fn words<const WORDS: usize>(from: &[u8], length: usize) -> Option<[u32; WORDS]> {
    let first = |bytes: &'_ [u8]| -> Option<[[u8; 4]; WORDS]> {
        bytes.as_chunks::<4>().0.first_chunk::<WORDS>().copied()
    };
    let bytes = first(from)?;
    let masks = first(MASK.get(REACH.checked_sub(length)?..)?)?;
    // One that is longer has its last byte behind what is looked at.
    let last = length.checked_sub(1).map_or(Some(&b' '), |last| bytes.as_flattened().get(last))?;
    if *last == 0 {
        return None;
    }
    let mut words = [0; WORDS];
    for ((word, bytes), mask) in words.iter_mut().zip(bytes).zip(masks) {
        *word = u32::from_le_bytes(bytes) & u32::from_le_bytes(mask);
    }
    Some(words)
}

impl ByteMap {
    pub(super) fn new() -> Self {
        Self::with_room(0)
    }

    /// A map with room for so many short texts.
    pub(super) fn with_room(texts: usize) -> Self {
        let (short, middle) = (Slots::with_room(texts), Slots::with_room(0));
        Self { short, middle, others: HashMap::new() }
    }

    /// How many texts are in it.
    pub(super) fn len(&self) -> usize {
        [self.short.len(), self.middle.len(), self.others.len()].iter().sum()
    }

    /// Those of the texts that are short.
    pub(super) fn short(&self) -> &Slots<SHORT> {
        &self.short
    }

    /// The number of a text.
    pub(super) fn get(&self, text: &[u8]) -> Option<u32> {
        let padded = padded(text);
        let padded = padded.as_ref();
        if let Some(words) = padded.and_then(|from| words(from, text.len())) {
            return self.short.get(&self.short.key(words));
        }
        if let Some(words) = padded.and_then(|from| words(from, text.len())) {
            return self.middle.get(&self.middle.key(words));
        }
        self.others.get(text).copied()
    }

    /// Puts in a text that is not there yet.
    pub(super) fn insert(&mut self, text: &[u8], value: u32) {
        let padded = padded(text);
        let padded = padded.as_ref();
        if let Some(words) = padded.and_then(|from| words(from, text.len())) {
            self.short.insert(words, value);
        } else if let Some(words) = padded.and_then(|from| words(from, text.len())) {
            self.middle.insert(words, value);
        } else {
            self.others.insert(text.into(), value);
        }
    }
}

impl<const WORDS: usize> Key<WORDS> {
    /// The words that are looked for.
    pub(super) fn words(&self) -> [u32; WORDS] {
        self.words
    }
}

impl<const WORDS: usize> Slots<WORDS> {
    /// With room for so many: nearly half stay free, so that the next free one is near.
    pub(super) fn with_room(texts: usize) -> Self {
        let free = Slot { words: [0; WORDS], value: FREE };
        let all = vec![free; slots_for(texts)];
        Self { all, used: 0, secret: RandomState::new().hash_one(0_u64) }
    }

    /// How many are in it.
    pub(super) fn len(&self) -> usize {
        self.used
    }

    /// What is needed to look for words.
    #[inline]
    pub(super) fn key(&self, words: [u32; WORDS]) -> Key<WORDS> {
        Key { words, hash: hash(&words, self.secret) }
    }

    /// Looks at the place where words would be, and at nothing else. Who does that for many before the
    /// first is looked for has the processor wait for several places of memory at once: a search waits for
    /// its own before it is known how it goes on.
    pub(super) fn touch(&self, key: &Key<WORDS>) {
        std::hint::black_box(self.all.get(self.start(key)).map_or(FREE, |slot| slot.value));
    }

    /// The number of words.
    #[inline]
    pub(super) fn get(&self, key: &Key<WORDS>) -> Option<u32> {
        let slot = self.all.get(self.place(key))?;
        (slot.value != FREE).then_some(slot.value)
    }

    /// Puts in words that are not there yet.
    pub(super) fn insert(&mut self, words: [u32; WORDS], value: u32) {
        if slots_for(self.used.saturating_add(1)) > self.all.len() {
            let larger = Self::with_room(self.used.saturating_add(8).saturating_mul(2));
            // Keys that were made before are good afterwards.
            let larger = Self { secret: self.secret, ..larger };
            for slot in std::mem::replace(self, larger).all {
                if slot.value != FREE {
                    self.put(slot);
                }
            }
        }
        self.put(Slot { words, value });
    }

    fn put(&mut self, slot: Slot<WORDS>) {
        let place = self.place(&self.key(slot.words));
        if let Some(free) = self.all.get_mut(place) {
            *free = slot;
            self.used = self.used.saturating_add(1);
        }
    }

    /// Where the search for words starts.
    fn start(&self, key: &Key<WORDS>) -> usize {
        let slots = u64::try_from(self.all.len()).unwrap_or(u64::MAX);
        usize::try_from((key.hash >> 32).wrapping_mul(slots) >> 32).unwrap_or(0)
    }

    /// The slot of words, or the free one in which they would be. There is always a free one.
    fn place(&self, key: &Key<WORDS>) -> usize {
        let mut at = self.start(key);
        while let Some(slot) = self.all.get(at) {
            if slot.value == FREE || are_equal(&slot.words, &key.words) {
                break;
            }
            at = at.wrapping_add(1);
            if at == self.all.len() {
                at = 0;
            }
        }
        at
    }
}

/// How many slots there are for so many texts.
fn slots_for(texts: usize) -> usize {
    texts.saturating_mul(9).div_ceil(5).saturating_add(1)
}

/// Compares all words at once, where `==` would call for a comparison of memory.
fn are_equal<const WORDS: usize>(one: &[u32; WORDS], other: &[u32; WORDS]) -> bool {
    one.iter().zip(other).fold(0, |differ, (one, other)| differ | (one ^ other)) == 0
}

/// A hash of words, which depends on a secret; its high bits are the good ones. Every product can be
/// made before the one before it is ready.
fn hash<const WORDS: usize>(words: &[u32; WORDS], secret: u64) -> u64 {
    let (pairs, last) = words.as_chunks::<2>();
    let mut sum = secret;
    for ([low, high], factor) in pairs.iter().zip(FACTORS) {
        let pair = u64::from(*low) | u64::from(*high) << 32;
        sum = sum.wrapping_add(pair.wrapping_mul(factor));
    }
    for (word, factor) in last.iter().zip(FACTORS.iter().rev()) {
        sum = sum.wrapping_add(u64::from(*word).wrapping_mul(*factor));
    }
    (sum ^ (sum >> 32)).wrapping_mul(FACTORS[0])
}

/// Odd numbers without a pattern: the digits of pi behind the point.
const FACTORS: [u64; 6] = [
    0x243F_6A88_85A3_08D3,
    0x1319_8A2E_0370_7345,
    0xA409_3822_299F_31D1,
    0x082E_FA98_EC4E_6C89,
    0x4528_21E6_38D0_1377,
    0xBE54_66CF_34E9_0C6D,
];

/// A text with zeros behind it; `None` if it is longer than any that lies in a slot.
fn padded(text: &[u8]) -> Option<[u8; REACH]> {
    let mut padded = [0; REACH];
    padded.get_mut(..text.len())?.copy_from_slice(text);
    Some(padded)
}

#[cfg(test)]
mod tests;
