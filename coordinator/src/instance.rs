//! What makes several processes instances of one coordinator: one database, and copies of one directory.
//!
//! **Invariant:** a process whose directory has other keys than the first one that used the database
//! does nothing with it.

use crate::home::{self, Home, HomeError};
use crate::store::{Store, StoreError};
use fellestall_shared::digest::Digest;
use std::path::PathBuf;

/// Why a coordinator's database is not used.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// The directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file that differs from that of the other instances.
    #[error(
        "{path} is not the one with which this database was first used: instances of one coordinator have copies of one directory, each with its own `listen` addresses; copy it from there, or restore it from the backup"
    )]
    OtherFile {
        /// The file.
        path: PathBuf,
    },
}

/// Opens the database of the coordinator in `home`, if it is this coordinator's.
///
/// # Errors
/// [`InstanceError`]: it is used with other keys, or cannot be opened.
pub async fn open_store(home: &Home) -> Result<Store, InstanceError> {
    let store = Store::open(&home.store_address()?).await?;
    let files = [
        (home::AUTHORITY, home.authority.fingerprint()),
        (home::SIGNING_KEY, home.signing_key.verifying_key().fingerprint()),
    ];
    for (name, digest) in files {
        check(&store, home, name, digest).await?;
    }
    Ok(store)
}

async fn check(
    store: &Store,
    home: &Home,
    name: &str,
    digest: Digest,
) -> Result<(), InstanceError> {
    if store.is_of_directory(name, digest).await? {
        return Ok(());
    }
    Err(InstanceError::OtherFile { path: home.directory.join(name) })
}
