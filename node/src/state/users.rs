//! Who may sign in to the console.
//!
//! **Invariant:** a secret is never stored, only a salted digest of it; one name, in whatever case,
//! is one user.

use super::{State, StateError};
use fellestall_shared::clock::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;

/// What a user of the console may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the node: sees all, decides.
    Operator,
    /// The data protection officer: sees all, decides.
    Officer,
    /// Sees all, changes nothing.
    Auditor,
}

impl Role {
    /// As it is written in files and arguments.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Officer => "officer",
            Self::Auditor => "auditor",
        }
    }

    /// Whether studies may be approved and refused, and the records checked.
    #[must_use]
    pub fn decides(self) -> bool {
        match self {
            Self::Operator | Self::Officer => true,
            Self::Auditor => false,
        }
    }

    /// The role that is written so; `None` if there is none.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Operator, Self::Officer, Self::Auditor].into_iter().find(|role| role.code() == code)
    }
}

/// A user of the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUser {
    /// The name, as it is written in the log.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// The salt of the digest.
    pub salt: Vec<u8>,
    /// The salted digest of the secret.
    pub proof: Vec<u8>,
    /// When the user was added.
    pub added_at: Timestamp,
}

const COLUMNS: &str = "SELECT name, role, salt, proof, added_at FROM console_user";

impl State {
    /// Adds a user; `false` if there is one of that name, which then stands.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn add_user(&mut self, user: &StoredUser) -> Result<bool, StateError> {
        self.connection
            .execute(
                "INSERT INTO console_user (folded, name, role, salt, proof, added_at)
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (folded) DO NOTHING",
                params![
                    user.name.to_lowercase(),
                    user.name,
                    user.role.code(),
                    user.salt,
                    user.proof,
                    user.added_at.unix()
                ],
            )
            .map(|rows| rows == 1)
            .map_err(|source| self.database(source))
    }

    /// Removes a user; `false` if there is none of that name.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn remove_user(&mut self, name: &str) -> Result<bool, StateError> {
        self.connection
            .execute("DELETE FROM console_user WHERE folded = $1", [name.to_lowercase()])
            .map(|rows| rows == 1)
            .map_err(|source| self.database(source))
    }

    /// The user of that name.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn user(&self, name: &str) -> Result<Option<StoredUser>, StateError> {
        let row = self
            .connection
            .query_row(&format!("{COLUMNS} WHERE folded = $1"), [name.to_lowercase()], columns)
            .optional()
            .map_err(|source| self.database(source))?;
        row.map(|row| self.checked(row)).transpose()
    }

    /// All users, by name.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn users(&self) -> Result<Vec<StoredUser>, StateError> {
        let failed = |source| self.database(source);
        let mut statement =
            self.connection.prepare(&format!("{COLUMNS} ORDER BY folded")).map_err(failed)?;
        let rows = statement.query_map([], columns).map_err(failed)?;
        rows.map(|row| self.checked(row.map_err(failed)?)).collect()
    }

    fn checked(&self, row: Columns) -> Result<StoredUser, StateError> {
        let (name, role, salt, proof, added_at) = row;
        let role = Role::from_code(&role).ok_or_else(|| self.damaged("a user of the console"))?;
        Ok(StoredUser { name, role, salt, proof, added_at: Timestamp::from_unix(added_at) })
    }
}

type Columns = (String, String, Vec<u8>, Vec<u8>, i64);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}
