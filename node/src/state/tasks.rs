//! The tasks of rounds whose studies have shared tables, as they came.
//!
//! **Invariant:** a round has one task: the first that checked out stands. It is checked again each time
//! it is used.

use super::{State, StateError};
use fellestall_shared::ids::RoundId;
use fellestall_shared::signed::Envelope;
use fellestall_shared::wire::v1::AcceptedTask;
use rusqlite::{OptionalExtension, params};

impl State {
    /// Remembers the task of a round; one that is there already stands.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn set_task(&mut self, round: &RoundId, given: &AcceptedTask) -> Result<(), StateError> {
        let bytes = |envelope: &Envelope| envelope.to_json().map_err(|_| self.damaged("a task"));
        let (task, acceptance) = (bytes(&given.task)?, bytes(&given.acceptance)?);
        self.connection
            .execute(
                "INSERT INTO task (round, task, acceptance) VALUES ($1, $2, $3)
                 ON CONFLICT (round) DO NOTHING",
                params![round.as_str(), task, acceptance],
            )
            .map(drop)
            .map_err(|source| self.database(source))
    }

    /// The task of a round; `None` if none is known.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn task(&self, round: &RoundId) -> Result<Option<AcceptedTask>, StateError> {
        let sql = "SELECT task, acceptance FROM task WHERE round = $1";
        let stored: Option<(Vec<u8>, Vec<u8>)> = self
            .connection
            .query_row(sql, [round.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(|source| self.database(source))?;
        let Some((task, acceptance)) = stored else { return Ok(None) };
        let read = |bytes: &[u8]| Envelope::from_json(bytes).map_err(|_| self.damaged("a task"));
        Ok(Some(AcceptedTask { task: read(&task)?, acceptance: read(&acceptance)? }))
    }
}
