//! Where each participant stands in the order of identifiers, found by identifier or by the bytes of a
//! cell.
//!
//! **Invariant:** a cell leads to a place only if reading it slowly would lead to the same participant.

use super::byte_map::{ByteMap, Key, SHORT, words};
use super::join::Keys;
use super::layout::Layout;
use super::numbered::Numbered;
use super::value::Cell;
use crate::kernel::person::PersonId;
use std::borrow::Cow;

/// Longest cell that is looked up by its bytes.
const LONGEST: usize = 64;

/// The places of all participants.
pub(super) struct Places<'a> {
    by_id: &'a ByteMap,
    /// By the key of the first join, or by an identifier that the mapping gives a meaning of its own;
    /// `None` where a cell holds the identifier and nothing else can be meant.
    by_cell: Option<ByteMap>,
    /// By their numbers, where cells hold identifiers that are running numbers.
    numbered: Option<Numbered>,
}

/// What is needed to look for a short cell.
#[derive(Clone, Copy)]
pub(super) enum PersonKey {
    /// By its number.
    Number(usize),
    /// By its characters.
    Words(Key<SHORT>),
}

impl<'a> Places<'a> {
    /// The places of these participants, for a table that is laid out so and leads to them through
    /// these keys.
    pub(super) fn new<'p>(
        by_id: &'a ByteMap,
        people: impl Iterator<Item = &'p PersonId> + Clone,
        layout: &Layout,
        keys: &[Keys],
    ) -> Self {
        let means = |text: &str| {
            let read = layout.words("participant_id").map(|words| words.read(Cow::Borrowed(text)));
            matches!(read, Some(Ok(Cell::Text(meant))) if meant == text)
        };
        let has_meaning = |id: &PersonId| std::str::from_utf8(id.as_bytes()).is_ok_and(means);
        let is_plain = keys.is_empty() && people.clone().all(has_meaning);
        let by_cell = (!is_plain).then(|| {
            let mut by_cell = ByteMap::new();
            let first = keys.first().into_iter().flat_map(Keys::all).filter(|key| means(key));
            for key in first {
                let id = Keys::follow(keys, key).ok().and_then(PersonId::new);
                if let Some(place) = id.and_then(|id| by_id.get(id.as_bytes())) {
                    by_cell.insert(key.as_bytes(), place);
                }
            }
            by_cell
        });
        let ids = people.map(PersonId::as_bytes);
        let numbered = if is_plain { Numbered::of(ids) } else { None };
        Self { by_id, by_cell, numbered }
    }

    /// The place of a participant.
    pub(super) fn of(&self, id: &PersonId) -> Option<u32> {
        self.by_id.get(id.as_bytes())
    }

    /// The place of the participant whom a cell means; `None` if that takes a closer look.
    pub(super) fn of_cell(&self, cell: &[u8]) -> Option<u32> {
        with_small_letters(cell, |cell| self.map().get(cell))?
    }

    /// What is needed to look for a short cell, with which `from` starts; `None` for any other.
    #[inline]
    pub(super) fn key(&self, from: &[u8], length: usize) -> Option<PersonKey> {
        if let Some(numbered) = &self.numbered {
            return numbered.key(from, length).map(PersonKey::Number);
        }
        // In another encoding the bytes of one name may be those of another.
        let is_ascii = |words: &[u32; SHORT]| words.iter().all(|word| word & 0x8080_8080 == 0);
        let words = words(from, length).filter(is_ascii)?;
        Some(PersonKey::Words(self.map().short().key(words)))
    }

    /// Looks at where the place is, as [`Slots::touch`](super::byte_map::Slots::touch) does.
    #[inline]
    pub(super) fn touch(&self, key: &PersonKey) {
        match key {
            PersonKey::Number(_) => _ = std::hint::black_box(self.of_key(key)),
            PersonKey::Words(key) => self.map().short().touch(key),
        }
    }

    /// The place of the participant whom a short cell means, letter by letter; otherwise as
    /// [`Self::of_cell`].
    #[inline]
    pub(super) fn of_key(&self, key: &PersonKey) -> Option<u32> {
        match key {
            PersonKey::Number(number) => self.numbered.as_ref()?.get(*number),
            PersonKey::Words(key) => self.map().short().get(key),
        }
    }

    fn map(&self) -> &ByteMap {
        self.by_cell.as_ref().unwrap_or(self.by_id)
    }
}

/// What comes out for a cell with its capital letters made small; `None` if it has other characters than
/// plain ones: then it takes the closer look.
fn with_small_letters<T>(cell: &[u8], look: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let mut small = [0_u8; LONGEST];
    let small = small.get_mut(..cell.len())?;
    for (small, byte) in small.iter_mut().zip(cell) {
        *small = byte.is_ascii_graphic().then(|| byte.to_ascii_lowercase())?;
    }
    Some(look(small))
}
