//! The tables that readers see, over all periods and publications.
//!
//! The catalogue (which tables there are) is held in memory and read anew when something was
//! published, here or by another process; figures are read when a table is asked for, and kept while
//! there is room.
//!
//! **Invariant:** shows what is stored as published and presented, and nothing else.

use crate::present::{self, Policy, PresentError, Presentation};
use crate::publish::{Publication, PublicationFile};
use crate::store::presentations::{NewPresentation, NewTable, TableLine};
use crate::store::{Store, StoreError};
use fellestall_shared::clock::{Clock, Timestamp};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{RoundId, StatisticId, StudyId};
use fellestall_shared::labels::{Labels, Language};
use fellestall_shared::period::Period;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

mod cube;
mod measure;

pub use cube::*;
pub use measure::Measure;

/// Cells of presentations that are kept in memory, at the most: some hundred bytes each.
const KEPT_CELLS: usize = 2_000_000;
/// Cubes that are kept in memory, at the most.
const KEPT_CUBES: usize = 1_024;
/// The catalogue is not looked up again within so many seconds.
const FRESH_SECONDS: i64 = 1;

/// Why a table cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum DatabankError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored document that this program cannot read.
    #[error("a stored presentation or publication cannot be read or written")]
    Document(#[from] serde_json::Error),
    /// A publication that cannot be presented.
    #[error(transparent)]
    Present(#[from] PresentError),
}

/// What the catalogue shows of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The table's id as it is shown.
    pub id: String,
    /// The title.
    pub title: Labels,
    /// What is counted.
    pub description: Labels,
    /// The study.
    pub study: StudyId,
    /// The study's title.
    pub study_title: Labels,
    /// The statistic.
    pub statistic: StatisticId,
    /// The labels of its dimensions, contents and time among them.
    pub variables: Vec<Labels>,
}

/// One table in the catalogue.
#[derive(Debug, Clone)]
pub struct Listed {
    /// What is shown of it.
    pub entry: Entry,
    /// The rounds that have it, newest version of each, by period.
    pub rounds: Vec<(Period, RoundId, u32)>,
    /// When the newest of them was published.
    pub updated: Timestamp,
    /// What is searched in, for each language.
    words: [String; 3],
}

impl Listed {
    /// Whether a word, in lower case, is in what is shown of the table.
    #[must_use]
    pub fn mentions(&self, word: &str, language: Language) -> bool {
        let [nb, nn, en] = &self.words;
        let words = match language {
            Language::Nb => nb,
            Language::Nn => nn,
            Language::En => en,
        };
        words.contains(word)
    }
}

/// What is searched in: everything that is shown of a table, in lower case.
fn words(entry: &Entry, language: Language) -> String {
    let mut words = format!("{} {} {}", entry.id, entry.study.as_str(), entry.statistic.as_str());
    let texts = [&entry.title, &entry.description, &entry.study_title];
    for text in texts.into_iter().chain(&entry.variables) {
        words.push('\n');
        words.push_str(text.text(language));
    }
    words.to_lowercase()
}

/// All tables, by id in lower case.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// The tables.
    pub tables: BTreeMap<String, Listed>,
}

impl Catalogue {
    fn of(lines: Vec<TableLine>) -> Result<Self, DatabankError> {
        let mut grouped: BTreeMap<String, Vec<TableLine>> = BTreeMap::new();
        for line in lines {
            grouped.entry(line.id.to_ascii_lowercase()).or_default().push(line);
        }
        let mut tables = BTreeMap::new();
        for (id, mut lines) in grouped {
            // Of two answers about one period the one that was published last is shown.
            lines.sort_by_key(|line| (line.period.last_day(), line.published));
            let Some(newest) = lines.last() else { continue };
            let entry: Entry = serde_json::from_str(&newest.entry)?;
            let words =
                [Language::Nb, Language::Nn, Language::En].map(|language| words(&entry, language));
            let updated = lines.iter().map(|line| line.published).max().unwrap_or(newest.published);
            let mut rounds: Vec<(Period, RoundId, u32)> = Vec::with_capacity(lines.len());
            for line in lines {
                rounds.retain(|(period, _, _)| *period != line.period);
                rounds.push((line.period, line.round, line.version));
            }
            tables.insert(id, Listed { entry, rounds, updated, words });
        }
        Ok(Self { tables })
    }

    /// One table, by its id without regard to case.
    #[must_use]
    pub fn table(&self, id: &str) -> Option<&Listed> {
        self.tables.get(&id.to_ascii_lowercase())
    }
}

struct Held {
    catalogue: Arc<Catalogue>,
    presentations: i64,
    looked: Timestamp,
}

/// What was read and is kept while there is room.
#[derive(Default)]
struct Kept {
    presentations: HashMap<(RoundId, u32), Arc<Presentation>>,
    cubes: HashMap<String, (Rounds, Arc<Cube>)>,
    cells: usize,
}

type Rounds = Vec<(Period, RoundId, u32)>;

/// The databank.
pub struct Databank {
    store: Store,
    clock: Arc<dyn Clock>,
    held: Mutex<Option<Held>>,
    kept: Mutex<Kept>,
}

impl Databank {
    /// The databank over a store. Publications that have no presentation yet, from before there were
    /// any, get one by this policy.
    ///
    /// # Errors
    /// [`DatabankError`].
    pub async fn open(
        store: Store,
        policy: &Policy,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, DatabankError> {
        for (round, version) in store.unpresented().await? {
            let Some(stored) = store.publication(&round, version).await? else { continue };
            let file: PublicationFile = serde_json::from_slice(&stored.document)?;
            let new = presentation(&file.publication, stored.digest, policy)?;
            store.add_presentation(&round, version, &new, stored.created).await?;
        }
        let (held, kept) = (Mutex::new(None), Mutex::default());
        Ok(Self { store, clock, held, kept })
    }

    /// The store behind it.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// All tables, as of a second ago or less.
    ///
    /// # Errors
    /// [`DatabankError`].
    pub async fn catalogue(&self) -> Result<Arc<Catalogue>, DatabankError> {
        let now = self.clock.now();
        let fresh = |held: &Held| (0..=FRESH_SECONDS).contains(&(now.unix() - held.looked.unix()));
        if let Some(found) = self.held().as_ref().filter(|held| fresh(held)) {
            return Ok(Arc::clone(&found.catalogue));
        }
        let presentations = self.store.presentations().await?;
        if let Some(held) = self.held().as_mut()
            && held.presentations == presentations
        {
            held.looked = now;
            return Ok(Arc::clone(&held.catalogue));
        }
        let catalogue = Arc::new(Catalogue::of(self.store.tables().await?)?);
        let held = Held { catalogue: Arc::clone(&catalogue), presentations, looked: now };
        *self.held() = Some(held);
        Ok(catalogue)
    }

    /// One table over all its periods, by its id without regard to case.
    ///
    /// # Errors
    /// [`DatabankError`].
    pub async fn cube(&self, id: &str) -> Result<Option<Arc<Cube>>, DatabankError> {
        let catalogue = self.catalogue().await?;
        let Some(listed) = catalogue.table(id) else { return Ok(None) };
        let key = id.to_ascii_lowercase();
        let kept = self.kept().cubes.get(&key).cloned();
        if let Some((rounds, cube)) = kept
            && rounds == listed.rounds
        {
            return Ok(Some(cube));
        }
        let mut presentations = Vec::with_capacity(listed.rounds.len());
        for (_, round, version) in &listed.rounds {
            presentations.extend(self.presentation(round, *version).await?);
        }
        let Some(cube) = Cube::new(id, presentations).map(Arc::new) else { return Ok(None) };
        let mut kept = self.kept();
        if kept.cubes.len() >= KEPT_CUBES {
            kept.cubes.clear();
        }
        // A cube whose presentations are not counted any more would hold them uncounted.
        let is_counted = |(_, round, version): &(Period, RoundId, u32)| {
            kept.presentations.contains_key(&(round.clone(), *version))
        };
        if listed.rounds.iter().all(is_counted) {
            kept.cubes.insert(key, (listed.rounds.clone(), Arc::clone(&cube)));
        }
        Ok(Some(cube))
    }

    /// One presentation.
    ///
    /// # Errors
    /// [`DatabankError`].
    pub async fn presentation(
        &self,
        round: &RoundId,
        version: u32,
    ) -> Result<Option<Arc<Presentation>>, DatabankError> {
        let key = (round.clone(), version);
        let kept = self.kept().presentations.get(&key).cloned();
        if kept.is_some() {
            return Ok(kept);
        }
        let Some(document) = self.store.presentation(round, version).await? else {
            return Ok(None);
        };
        let found: Arc<Presentation> = Arc::new(serde_json::from_slice(&document)?);
        let cells: usize = found.tables.iter().map(|table| table.cells.len()).sum();
        let mut kept = self.kept();
        // Cubes hold presentations too: both go, so that what is counted is what is held.
        if kept.cells.saturating_add(cells) > KEPT_CELLS {
            *kept = Kept::default();
        }
        if kept.presentations.insert(key, Arc::clone(&found)).is_none() {
            kept.cells += cells;
        }
        Ok(Some(found))
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The presentation of a publication, as it is stored.
///
/// # Errors
/// [`DatabankError`]: it does not hold, or cannot be written as JSON.
pub fn presentation(
    publication: &Publication,
    digest: Digest,
    policy: &Policy,
) -> Result<NewPresentation, DatabankError> {
    Ok(stored(&present::present(publication, digest, policy)?)?)
}

/// A presentation as it is stored.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn stored(presentation: &Presentation) -> Result<NewPresentation, serde_json::Error> {
    let document = serde_json::to_vec(presentation)?;
    let tables = presentation
        .tables
        .iter()
        .map(|table| {
            let entry = Entry {
                id: table.id.clone(),
                title: table.title.clone(),
                description: table.description.clone(),
                study: presentation.study.clone(),
                study_title: presentation.study_title.clone(),
                statistic: table.statistic.clone(),
                variables: Cube::variables(table),
            };
            Ok(NewTable { id: table.id.clone(), entry: serde_json::to_string(&entry)? })
        })
        .collect::<Result<_, serde_json::Error>>()?;
    Ok(NewPresentation {
        digest: Digest::of("fellestall/presentation/1", &document),
        document,
        period: presentation.period,
        tables,
    })
}
