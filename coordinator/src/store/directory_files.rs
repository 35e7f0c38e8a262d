//! By which files of the coordinator's directory this database is used.
//!
//! Several instances have copies of one directory. A copy with another key would sign what nobody
//! takes, or have honest reports rejected.
//!
//! **Invariant:** a digest that stands is never replaced; none tells anything of a secret.

use super::{Store, StoreError, parsed};
use fellestall_shared::digest::Digest;

impl Store {
    /// The digest of the file with which this database was first used.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn directory_file(&self, name: &str) -> Result<Option<Digest>, StoreError> {
        let row = sqlx::query("SELECT digest FROM directory_file WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(|row| parsed(row, "digest")).transpose()
    }

    /// Whether a file is the one with which this database was first used: now, if it was not before.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn is_of_directory(&self, name: &str, digest: Digest) -> Result<bool, StoreError> {
        if let Some(first) = self.directory_file(name).await? {
            return Ok(first == digest);
        }
        sqlx::query(
            "INSERT INTO directory_file (name, digest) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(name)
        .bind(digest.to_string())
        .execute(&self.pool)
        .await?;
        Ok(self.directory_file(name).await? == Some(digest))
    }
}
