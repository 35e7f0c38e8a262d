//! Destroying documents that are no longer needed.
//!
//! **Invariant:** what is destroyed is not in the file afterwards, not even in its free pages.

use super::{State, StateError};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{Purpose, RoundId};
use std::collections::BTreeMap;
use time::Date;
use time::macros::format_description;

impl State {
    /// Destroys studies, rounds with their tasks, and decisions: deleted, overwritten, and the file made
    /// anew.
    ///
    /// # Errors
    /// [`StateError`]; some may be destroyed then, and it may be done again.
    pub fn destroy(
        &mut self,
        studies: &[Digest],
        (rounds, tasks): (&[Digest], &[RoundId]),
        decisions: &[Digest],
    ) -> Result<(), StateError> {
        let path = self.path.clone();
        let failed = |source| StateError::Database { path: path.clone(), source };
        let set = |name, value: &str| self.connection.pragma_update(None, name, value);
        set("secure_delete", "ON").map_err(failed)?;
        // The copy that is made below must not lie in the system's folder for temporary files.
        set("temp_store", "MEMORY").map_err(failed)?;
        let transaction = self.connection.transaction().map_err(failed)?;
        let lists = [
            ("DELETE FROM study WHERE digest = $1", studies),
            ("DELETE FROM round WHERE digest = $1", rounds),
            ("DELETE FROM decision WHERE study = $1", decisions),
            ("DELETE FROM first_approval WHERE study = $1", studies),
        ];
        for (sql, digests) in lists {
            for digest in digests {
                transaction.execute(sql, [digest.to_string()]).map_err(failed)?;
            }
        }
        for round in tasks {
            let sql = "DELETE FROM task WHERE round = $1";
            transaction.execute(sql, [round.as_str()]).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        // Earlier versions of a row may lie in free pages that were not overwritten in their time.
        self.connection.execute_batch("VACUUM").map_err(failed)
    }

    /// Remembers that a purpose was purged after its project's end on this day.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn set_purged(&mut self, purpose: &Purpose, ended: Date) -> Result<(), StateError> {
        let mut purged: BTreeMap<Purpose, String> = self.fact("purged")?.unwrap_or_default();
        purged.insert(purpose.clone(), ended.to_string());
        self.set_fact("purged", &purged)
    }

    /// The project's end that a purpose was last purged after; `None` if it never was.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn purged(&self, purpose: &Purpose) -> Result<Option<Date>, StateError> {
        let purged: BTreeMap<Purpose, String> = self.fact("purged")?.unwrap_or_default();
        let day = |text: &String| Date::parse(text, format_description!("[year]-[month]-[day]"));
        purged.get(purpose).map(day).transpose().map_err(|_| self.damaged("purged"))
    }
}
