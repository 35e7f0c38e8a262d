//! A map from short texts to small values, without an allocation for each text.
//!
//! The standard map keeps each key in an allocation of its own: with a participant for each key that is
//! most of the memory, and several misses of the cache for every row. Here a text of up to 40 bytes lies
//! beside its value; longer ones lie behind each other in one piece of memory.
//!
//! **Invariant:** a text is found only if it is there byte by byte; what its hash is decides nothing.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// A map from texts to values.
pub(super) struct ByteMap<V> {
    short: HashTable<Short<V>>,
    middle: HashTable<Middle<V>>,
    long: HashTable<u32>,
    entries: Vec<Entry<V>>,
    texts: Vec<u8>,
    hasher: DefaultHashBuilder,
    secret: u64,
}

/// A text of up to 16 bytes: its first and its last, which may overlap, and its length tell it.
struct Short<V> {
    ends: (u64, u64),
    length: u8,
    value: V,
}

/// A text of 17 to 40 bytes: its first four times eight and its last eight, which may overlap, and its
/// length tell it.
struct Middle<V> {
    words: [u64; 5],
    length: u8,
    value: V,
}

/// A text of up to 16 bytes, ready to be looked for.
#[derive(Clone, Copy)]
pub(super) struct Prepared {
    ends: (u64, u64),
    length: u8,
    hash: u64,
}

struct Entry<V> {
    start: u32,
    end: u32,
    value: V,
}

impl<V: Copy> ByteMap<V> {
    pub(super) fn new() -> Self {
        Self::with_room(0)
    }

    /// A map with room for so many short texts.
    pub(super) fn with_room(texts: usize) -> Self {
        let hasher = DefaultHashBuilder::default();
        let secret = hasher.hash_one(0_u64);
        Self {
            short: HashTable::with_capacity(texts),
            middle: HashTable::new(),
            long: HashTable::new(),
            entries: Vec::new(),
            texts: Vec::new(),
            hasher,
            secret,
        }
    }

    /// How many texts are in it.
    #[cfg(test)]
    fn len(&self) -> usize {
        [self.short.len(), self.middle.len(), self.entries.len()].iter().sum()
    }

    /// The value of a text.
    pub(super) fn get(&self, text: &[u8]) -> Option<V> {
        if let Some(text) = self.prepare(text) {
            return self.get_prepared(text);
        }
        if let Some((words, length)) = middle(text) {
            let same = |one: &Middle<V>| one.words == words && one.length == length;
            return self.middle.find(mixed(words, self.secret), same).map(|one| one.value);
        }
        let same = |place: &u32| {
            entry(&self.entries, *place).is_some_and(|entry| slice(&self.texts, entry) == text)
        };
        let place = self.long.find(self.hasher.hash_one(text), same)?;
        entry(&self.entries, *place).map(|entry| entry.value)
    }

    /// What is needed to look for a text of up to 16 bytes; `None` for a longer one.
    pub(super) fn prepare(&self, text: &[u8]) -> Option<Prepared> {
        let (ends, length) = short(text)?;
        Some(Prepared { ends, length, hash: self.hasher.hash_one(ends) })
    }

    /// The value of a text that was prepared. Where many are looked for, one after the other and with
    /// nothing between, the processor waits for several places of memory at once.
    pub(super) fn get_prepared(&self, text: Prepared) -> Option<V> {
        let same = |one: &Short<V>| one.ends == text.ends && one.length == text.length;
        self.short.find(text.hash, same).map(|one| one.value)
    }

    /// Puts in a text that is not there yet; `false` if there is no room for it.
    pub(super) fn insert(&mut self, text: &[u8], value: V) -> bool {
        let Self { short: shorts, middle: middles, long, entries, texts, hasher, secret } = self;
        if let Some((ends, length)) = short(text) {
            let hash = |one: &Short<V>| hasher.hash_one(one.ends);
            shorts.insert_unique(hasher.hash_one(ends), Short { ends, length, value }, hash);
            return true;
        }
        if let Some((words, length)) = middle(text) {
            let hash = |one: &Middle<V>| mixed(one.words, *secret);
            middles.insert_unique(mixed(words, *secret), Middle { words, length, value }, hash);
            return true;
        }
        let end = texts.len().saturating_add(text.len());
        let numbers = [texts.len(), end, entries.len()].map(u32::try_from);
        let [Ok(start), Ok(end), Ok(place)] = numbers else { return false };
        texts.extend_from_slice(text);
        entries.push(Entry { start, end, value });
        let hash = |place: &u32| {
            hasher.hash_one(entry(entries, *place).map_or(&[][..], |entry| slice(texts, entry)))
        };
        long.insert_unique(hasher.hash_one(text), place, hash);
        true
    }
}

/// What tells a text of up to 16 bytes from all others.
fn short(text: &[u8]) -> Option<((u64, u64), u8)> {
    let length = u8::try_from(text.len()).ok().filter(|length| *length <= 16)?;
    let ends = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
            (Some(first), Some(last)) => {
                (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into())
            }
            // Up to three bytes are one number.
            _ => (text.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)), 0),
        },
    };
    Some((ends, length))
}

/// What tells a text of 17 to 40 bytes from all others.
fn middle(text: &[u8]) -> Option<([u64; 5], u8)> {
    let length = u8::try_from(text.len()).ok().filter(|length| (17..=40).contains(length))?;
    let last = u64::from_le_bytes(*text.last_chunk::<8>()?);
    let mut words = [0, 0, 0, 0, last];
    for (word, bytes) in words.iter_mut().take(4).zip(text.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    Some((words, length))
}

/// A hash of such a text, which depends on a secret of this map.
fn mixed(words: [u64; 5], secret: u64) -> u64 {
    let mixed = words.iter().fold(secret, |mixed, word| {
        (mixed.rotate_left(23) ^ word).wrapping_mul(0xD6E8_FEB8_6659_FD93)
    });
    mixed ^ (mixed >> 32)
}

fn entry<V>(entries: &[Entry<V>], place: u32) -> Option<&Entry<V>> {
    entries.get(usize::try_from(place).ok()?)
}

fn slice<'t, V>(texts: &'t [u8], entry: &Entry<V>) -> &'t [u8] {
    let range = usize::try_from(entry.start).ok().zip(usize::try_from(entry.end).ok());
    range.and_then(|(start, end)| texts.get(start..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::ByteMap;
    use std::collections::HashMap;

    #[test]
    fn it_holds_what_a_map_holds() {
        let (mut map, mut plain) = (ByteMap::new(), HashMap::new());
        for number in 0..5_000_u32 {
            // Texts of every length up to 40, many of which begin and end alike.
            let text = format!("{}{}", "0".repeat((number % 35) as usize), number / 3);
            if plain.insert(text.clone(), number).is_none() {
                assert_eq!(map.get(text.as_bytes()), None);
                assert!(map.insert(text.as_bytes(), number));
            } else {
                plain.insert(text.clone(), map.get(text.as_bytes()).expect("a number"));
            }
        }
        assert!(map.insert(b"", 1));
        assert_eq!((map.get(b""), map.len()), (Some(1), plain.len() + 1));
        for (text, number) in plain {
            assert_eq!(map.get(text.as_bytes()), Some(number), "{text}");
            assert_eq!(map.get(format!("{text} ").as_bytes()), None);
            assert_eq!(map.get(format!("\0{text}").as_bytes()), None);
        }
    }
}
