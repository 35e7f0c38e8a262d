//! Signed documents as they came, and the operator's decisions as they are sent.
//!
//! **Invariant:** an envelope is stored and given back as the bytes that it was; its signature is
//! checked each time it is used, not trusted because it is stored.

use super::{State, StateError};
use crate::audit::Actor;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::signed::Envelope;
use fellestall_shared::wire::v1::Answer;
use rusqlite::params;

/// A signed study or round that the coordinator gave.
#[derive(Debug, Clone)]
pub struct StoredEnvelope {
    /// As it was signed.
    pub envelope: Envelope,
    /// Whether the coordinator listed it when last asked.
    pub current: bool,
}

/// What the operator decided about one study version.
#[derive(Debug, Clone)]
pub struct StoredDecision {
    /// The digest of the study's payload.
    pub study: Digest,
    /// Yes, or no and why.
    pub answer: Answer,
    /// The signed decision, as it is sent.
    pub envelope: Envelope,
    /// When.
    pub decided_at: Timestamp,
    /// Whether the coordinator has it.
    pub sent: bool,
}

/// The first of the two people that an approval needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstApproval {
    /// The digest of the study's payload.
    pub study: Digest,
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

impl State {
    /// Remembers the first of two approvals; one that stands already stands.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn set_first_approval(&mut self, first: &FirstApproval) -> Result<(), StateError> {
        self.connection
            .execute(
                "INSERT INTO first_approval (study, by, at) VALUES ($1, $2, $3)
                 ON CONFLICT (study) DO NOTHING",
                params![first.study.to_string(), first.by.name(), first.at.unix()],
            )
            .map(drop)
            .map_err(|source| self.database(source))
    }

    /// Forgets the first approval of a study: it was decided.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn clear_first_approval(&mut self, study: Digest) -> Result<(), StateError> {
        self.connection
            .execute("DELETE FROM first_approval WHERE study = $1", [study.to_string()])
            .map(drop)
            .map_err(|source| self.database(source))
    }

    /// Every approval that waits for a second person.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn first_approvals(&self) -> Result<Vec<FirstApproval>, StateError> {
        let failed = |source| self.database(source);
        let mut statement = self
            .connection
            .prepare("SELECT study, by, at FROM first_approval ORDER BY at, study")
            .map_err(failed)?;
        let rows = statement
            .query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
            })
            .map_err(failed)?;
        rows.map(|row| {
            let (study, by, at) = row.map_err(failed)?;
            let study = study.parse().map_err(|_| self.damaged("a first approval"))?;
            Ok(FirstApproval { study, by: Actor::named(&by), at: Timestamp::from_unix(at) })
        })
        .collect()
    }

    /// Remembers what the coordinator lists now: these are current, all others are not.
    ///
    /// # Errors
    /// [`StateError`]; nothing has changed then.
    pub fn set_work(
        &mut self,
        studies: &[Envelope],
        rounds: &[Envelope],
    ) -> Result<(), StateError> {
        let path = self.path.clone();
        let failed = |source| StateError::Database { path: path.clone(), source };
        let unwritable = |_| StateError::Damaged { path: path.clone(), what: "a signed document" };
        let transaction = self.connection.transaction().map_err(failed)?;
        let lists = [
            ("UPDATE study SET in_force = 0 WHERE in_force = 1", INSERT_STUDY, studies),
            ("UPDATE round SET open = 0 WHERE open = 1", INSERT_ROUND, rounds),
        ];
        for (clear, insert, envelopes) in lists {
            transaction.execute(clear, []).map_err(failed)?;
            for envelope in envelopes {
                let bytes = envelope.to_json().map_err(unwritable)?;
                let digest = envelope.payload_digest().to_string();
                transaction.execute(insert, params![digest, bytes]).map_err(failed)?;
            }
        }
        transaction.commit().map_err(failed)
    }

    /// All studies seen.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn studies(&self) -> Result<Vec<StoredEnvelope>, StateError> {
        self.envelopes("SELECT envelope, in_force FROM study ORDER BY digest")
    }

    /// All rounds seen.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn rounds(&self) -> Result<Vec<StoredEnvelope>, StateError> {
        self.envelopes("SELECT envelope, open FROM round ORDER BY digest")
    }

    fn envelopes(&self, query: &str) -> Result<Vec<StoredEnvelope>, StateError> {
        let failed = |source| self.database(source);
        let mut statement = self.connection.prepare(query).map_err(failed)?;
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, bool>(1)?)))
            .map_err(failed)?;
        rows.map(|row| {
            let (bytes, current) = row.map_err(failed)?;
            let envelope =
                Envelope::from_json(&bytes).map_err(|_| self.damaged("a signed document"))?;
            Ok(StoredEnvelope { envelope, current })
        })
        .collect()
    }

    /// Remembers a decision; an earlier one about the same study version gives way.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn set_decision(&mut self, decision: &StoredDecision) -> Result<(), StateError> {
        let answer = serde_json::to_string(&decision.answer).map_err(|_| self.damaged("answer"))?;
        let bytes = decision.envelope.to_json().map_err(|_| self.damaged("a decision"))?;
        self.connection
            .execute(
                "INSERT OR REPLACE INTO decision (study, answer, envelope, decided_at, sent)
                 VALUES ($1, $2, $3, $4, $5)",
                params![
                    decision.study.to_string(),
                    answer,
                    bytes,
                    decision.decided_at.unix(),
                    decision.sent
                ],
            )
            .map(drop)
            .map_err(|source| self.database(source))
    }

    /// Remembers that the coordinator has a decision, if it is still the one that stands.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn set_decision_sent(&mut self, sent: &Envelope, study: Digest) -> Result<(), StateError> {
        let bytes = sent.to_json().map_err(|_| self.damaged("a decision"))?;
        self.connection
            .execute(
                "UPDATE decision SET sent = 1 WHERE study = $1 AND envelope = $2",
                params![study.to_string(), bytes],
            )
            .map(drop)
            .map_err(|source| self.database(source))
    }

    /// All decisions, oldest first.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn decisions(&self) -> Result<Vec<StoredDecision>, StateError> {
        let failed = |source| self.database(source);
        let mut statement = self
            .connection
            .prepare(
                "SELECT study, answer, envelope, decided_at, sent FROM decision
                 ORDER BY decided_at, study",
            )
            .map_err(failed)?;
        let rows = statement
            .query_map([], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, Vec<u8>>(2)?,
                    row.get::<_, i64>(3)?,
                    row.get::<_, bool>(4)?,
                ))
            })
            .map_err(failed)?;
        rows.map(|row| {
            let (study, answer, envelope, decided_at, sent) = row.map_err(failed)?;
            let damaged = || self.damaged("a decision");
            Ok(StoredDecision {
                study: study.parse().map_err(|_| damaged())?,
                answer: serde_json::from_str(&answer).map_err(|_| damaged())?,
                envelope: Envelope::from_json(&envelope).map_err(|_| damaged())?,
                decided_at: Timestamp::from_unix(decided_at),
                sent,
            })
        })
        .collect()
    }
}

const INSERT_STUDY: &str = "INSERT INTO study (digest, envelope, in_force) VALUES ($1, $2, 1)
    ON CONFLICT (digest) DO UPDATE SET in_force = 1";
const INSERT_ROUND: &str = "INSERT INTO round (digest, envelope, open) VALUES ($1, $2, 1)
    ON CONFLICT (digest) DO UPDATE SET open = 1";
