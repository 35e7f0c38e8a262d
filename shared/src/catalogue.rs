//! The catalogue of statistics that ships with the program: S1 to S28, and the domains they use.
//!
//! **Invariant:** both sides read the same files; a changed meaning gets a new definition version.

use crate::ids::StatisticId;
use crate::statistic::{BadStatistic, Domain, Statistic, StatisticFile, Variable};
use serde::Deserialize;
use std::sync::LazyLock;

#[cfg(test)]
mod tests;

/// The domains' file.
const DOMAINS: &str = include_str!("catalogue/domains.toml");
/// The statistics' file.
const STATISTICS: &str = include_str!("catalogue/statistics.toml");

/// All statistics, in the order of their numbers.
#[derive(Debug)]
pub struct Catalogue {
    statistics: Vec<Statistic>,
}

/// A catalogue that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A file that is not in the form it should be.
    #[error("the catalogue file {file} cannot be read")]
    File {
        /// Which file.
        file: &'static str,
        /// What is wrong in it.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A domain with a missing label, or a code that is malformed or given twice.
    #[error("the domain of {variable:?} has a bad code or label")]
    Domain {
        /// Which variable.
        variable: Variable,
    },
    /// A statistic that the language does not allow.
    #[error(transparent)]
    Statistic(#[from] BadStatistic),
    /// Two statistics with one id.
    #[error("{id} stands twice in the catalogue")]
    Twice {
        /// Which statistic.
        id: StatisticId,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DomainsFile {
    domain: Vec<Domain>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatisticsFile {
    statistic: Vec<StatisticFile>,
}

impl Catalogue {
    /// The catalogue of this version of the program.
    ///
    /// # Errors
    /// [`CatalogueError`] if the files it was built with are not sound; a test keeps them so.
    pub fn builtin() -> Result<&'static Self, &'static CatalogueError> {
        static BUILTIN: LazyLock<Result<Catalogue, CatalogueError>> =
            LazyLock::new(|| Catalogue::parse(DOMAINS, STATISTICS));
        BUILTIN.as_ref()
    }

    /// A catalogue from the text of its two files.
    ///
    /// # Errors
    /// [`CatalogueError`]: what is wrong in which of them.
    pub fn parse(domains: &str, statistics: &str) -> Result<Self, CatalogueError> {
        let failed = |file| move |source| CatalogueError::File { file, source: Box::new(source) };
        let domains: DomainsFile = toml::from_str(domains).map_err(failed("domains.toml"))?;
        let statistics: StatisticsFile =
            toml::from_str(statistics).map_err(failed("statistics.toml"))?;
        if let Some(domain) = domains.domain.iter().find(|domain| !domain.is_sound()) {
            return Err(CatalogueError::Domain { variable: domain.variable() });
        }
        let mut all: Vec<Statistic> = Vec::with_capacity(statistics.statistic.len());
        for file in statistics.statistic {
            let statistic = Statistic::new(file, &domains.domain)?;
            if all.iter().any(|other| other.id() == statistic.id()) {
                return Err(CatalogueError::Twice { id: statistic.id().clone() });
            }
            all.push(statistic);
        }
        Ok(Self { statistics: all })
    }

    /// All statistics.
    #[must_use]
    pub fn statistics(&self) -> &[Statistic] {
        &self.statistics
    }

    /// One statistic; `None` if this version of the program does not know it.
    #[must_use]
    pub fn statistic(&self, id: &StatisticId) -> Option<&Statistic> {
        self.statistics.iter().find(|statistic| statistic.id() == id)
    }
}
