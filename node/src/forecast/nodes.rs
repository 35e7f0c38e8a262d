//! How many nodes a forecast reckons with.
//!
//! **Invariant:** from public documents: the round's task if it is known, the study and the snapshot of
//! municipalities otherwise.

use crate::state::{Membership, State, StateError};
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::municipality::{self, Municipality};
use fellestall_shared::period::Period;
use fellestall_shared::study::Study;
use fellestall_shared::wire::v1::TaskDocument;

/// How many nodes report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reporting {
    /// In the whole country.
    pub nodes: u32,
    /// In this municipality's county.
    pub county: u32,
}

impl Reporting {
    /// As many as were asked for; without that, the participants of the round's task if it is known, and
    /// the study's minimum otherwise. In the county, those of the task, or else as many municipalities
    /// as it has.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn find(
        state: &State,
        membership: &Membership,
        (study, period): (&Study, Period),
        asked: Option<u32>,
    ) -> Result<Self, StateError> {
        let key = &membership.coordinator_key;
        let given = state.task(&study.round(period))?;
        let task = given.and_then(|given| given.task.verify::<TaskDocument>(key).ok());
        let listed: Option<Vec<_>> =
            task.map(|task| task.participants.iter().map(|one| one.municipality.clone()).collect());
        let minimum = study.document().minimum_nodes;
        Ok(Self::of(&membership.municipality, minimum, listed.as_deref(), asked))
    }

    /// See [`Self::find`].
    #[must_use]
    pub fn of(
        own: &MunicipalityNumber,
        minimum: u32,
        listed: Option<&[MunicipalityNumber]>,
        asked: Option<u32>,
    ) -> Self {
        let count = |list: &[MunicipalityNumber]| u32::try_from(list.len()).unwrap_or(u32::MAX);
        let nodes = asked.or(listed.map(count)).unwrap_or(minimum);
        let county = municipality::find(own).map(|found| found.county);
        let here = |number: &MunicipalityNumber| {
            municipality::find(number).map(|found| found.county) == county
        };
        let all = || {
            let all = municipality::all().iter();
            all.filter(|one: &&Municipality| Some(one.county) == county).count()
        };
        let county =
            listed.map_or_else(all, |listed| listed.iter().filter(|number| here(number)).count());
        let county = u32::try_from(county).unwrap_or(u32::MAX);
        Self { nodes, county: county.clamp(1, nodes.max(1)) }
    }
}
