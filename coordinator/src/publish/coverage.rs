//! Who is in the figures, who is not, and whether that may be published.
//!
//! **Invariant:** no combination of published versions and studies sets fewer municipalities apart
//! than the studies declared.

use super::{Coverage, CoverageState, EarlierPublication, NodeCoverage, Participant, PublishError};
use fellestall_shared::ids::{MunicipalityNumber, StatisticId};
use fellestall_shared::municipality;
use fellestall_shared::round::Round;
use fellestall_shared::wire::v1::Answer;
use std::collections::{BTreeMap, BTreeSet};

/// The coverage of participants that are sorted already.
#[must_use]
pub fn coverage(participants: &[Participant], minimum_nodes: u32) -> Coverage {
    let nodes: Vec<NodeCoverage> = participants.iter().map(node).collect();
    tally(nodes, minimum_nodes)
}

/// The coverage with its numbers counted from its nodes.
#[must_use]
pub fn tally(nodes: Vec<NodeCoverage>, minimum_nodes: u32) -> Coverage {
    let count = |state| nodes.iter().filter(|node| node.state == state).count();
    Coverage {
        asked: nodes.len(),
        reported: count(CoverageState::Reported) + count(CoverageState::Late),
        late: count(CoverageState::Late),
        missing: count(CoverageState::Missing),
        declined: count(CoverageState::Declined),
        undecided: count(CoverageState::Undecided),
        minimum_nodes,
        nodes,
    }
}

fn node(participant: &Participant) -> NodeCoverage {
    let (state, reason) = match (&participant.reported, participant.decision) {
        (Some(reported), _) if reported.late => (CoverageState::Late, None),
        (Some(_), _) => (CoverageState::Reported, None),
        (None, Some(Answer::Refused { reason })) => (CoverageState::Declined, Some(reason)),
        (None, Some(Answer::Approved)) => (CoverageState::Missing, None),
        // Whoever has sent a report has decided.
        (None, None) if participant.rejected.is_some() => (CoverageState::Missing, None),
        (None, None) => (CoverageState::Undecided, None),
    };
    NodeCoverage {
        municipality: participant.municipality.clone(),
        name: municipality_name(&participant.municipality),
        node: participant.node.clone(),
        state,
        reason,
        rejected: participant.rejected.filter(|_| participant.reported.is_none()),
    }
}

/// The municipality's name in the snapshot of Klass 131, or nothing.
#[must_use]
pub fn municipality_name(number: &MunicipalityNumber) -> String {
    municipality::find(number).map(|found| found.name.to_owned()).unwrap_or_default()
}

/// Whether this version is the next one of its round.
///
/// # Errors
/// [`PublishError::Version`] if it is not.
pub fn check_version(
    round: &Round,
    version: u32,
    earlier: &[EarlierPublication],
) -> Result<(), PublishError> {
    let latest = earlier
        .iter()
        .filter(|publication| publication.round == *round.id())
        .map(|publication| publication.version)
        .max()
        .unwrap_or(0);
    let expected = latest.saturating_add(1);
    if version == expected { Ok(()) } else { Err(PublishError::Version { version, expected }) }
}

/// Whether what is published about these statistics and this period, taken together, sets too few
/// municipalities apart. Periods that end on one day count as one: tables about a state on the last
/// day are the same in all of them.
///
/// Each publication is a sum over a set of municipalities. Municipalities that lie in exactly the
/// same publications can't be told apart by any sums and differences of these; each such group is
/// the finest that a reader can reach. So every group has to hold at least the largest minimum that
/// any of the studies declared: this covers each pairwise difference, and also what two differences
/// give together.
///
/// # Errors
/// [`PublishError::TooSimilar`], naming an earlier publication that separates the group.
pub fn check_difference(
    round: &Round,
    municipalities: &BTreeSet<MunicipalityNumber>,
    earlier: &[EarlierPublication],
) -> Result<(), PublishError> {
    let statistics: BTreeSet<&StatisticId> =
        round.study().tables().iter().map(|table| table.statistic.id()).collect();
    let shares = |publication: &&EarlierPublication| {
        publication.statistics.iter().any(|statistic| statistics.contains(statistic))
    };
    let mut overlapping: Vec<&EarlierPublication> = earlier
        .iter()
        .filter(|publication| publication.period.last_day() == round.period().last_day())
        .filter(shares)
        .collect();
    overlapping.sort_by_key(|publication| (&publication.round, publication.version));
    let minimum = overlapping
        .iter()
        .map(|publication| publication.minimum_difference)
        .fold(round.study().document().minimum_difference, u32::max);
    let mut groups: BTreeMap<Vec<bool>, usize> = BTreeMap::new();
    let everyone: BTreeSet<&MunicipalityNumber> = overlapping
        .iter()
        .flat_map(|publication| &publication.municipalities)
        .chain(municipalities)
        .collect();
    for municipality in everyone {
        let mut key = vec![municipalities.contains(municipality)];
        key.extend(overlapping.iter().map(|other| other.municipalities.contains(municipality)));
        *groups.entry(key).or_default() += 1;
    }
    for (key, alone) in groups {
        if alone >= usize::try_from(minimum).unwrap_or(usize::MAX) {
            continue;
        }
        let here = key.first().copied().unwrap_or(false);
        let separating =
            overlapping.iter().zip(key.iter().skip(1)).find(|(_, there)| **there != here);
        if let Some((other, _)) = separating {
            let (round, version) = (other.round.clone(), other.version);
            return Err(PublishError::TooSimilar { round, version, alone, minimum });
        }
    }
    Ok(())
}
