//! The coordinator's directory: its configuration, its authority and its signing key.
//!
//! **Invariant:** a private key is a file of mode 0600 in a directory of mode 0700, is never
//! overwritten, and never leaves the process.

use crate::authority::{Authority, AuthorityError};
use crate::config::{Config, ConfigError};
use crate::present::{BadPolicy, Policy};
use crate::rounds::publication::Printer;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::signed::{SignatureError, SigningKey};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const CONFIG: &str = "coordinator.toml";
/// Optional: without it the default rule holds.
const POLICY: &str = "presentation.toml";
const AUTHORITY: &str = "authority.pem";
const AUTHORITY_KEY: &str = "authority-key.pem";
const SIGNING_KEY: &str = "signing-key.p8";

/// Why the directory could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// A file that cannot be read or written.
    #[error("{path} cannot be {what}")]
    File {
        /// Which file.
        path: PathBuf,
        /// `read` or `written`.
        what: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A directory that holds a coordinator already.
    #[error("{path} holds a coordinator already; its keys are never overwritten")]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The presentation rule.
    #[error(transparent)]
    Policy(#[from] BadPolicy),
    /// The authority.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The signing key.
    #[error("the key that signs studies cannot be used")]
    SigningKey(#[source] SignatureError),
}

/// Everything in the directory.
#[derive(Debug)]
pub struct Home {
    /// The directory.
    pub directory: PathBuf,
    /// The configuration.
    pub config: Config,
    /// The certificate authority.
    pub authority: Authority,
    /// The key that signs studies, rounds and publications.
    pub signing_key: SigningKey,
    /// The presentation rule.
    pub policy: Policy,
}

impl Home {
    /// Makes a new coordinator in `directory`.
    ///
    /// # Errors
    /// [`HomeError`]: it exists already, or cannot be written.
    pub fn create(directory: &Path, config: &Config, now: Timestamp) -> Result<Self, HomeError> {
        config.check()?;
        let path = directory.to_owned();
        if directory.join(AUTHORITY_KEY).exists() || directory.join(CONFIG).exists() {
            return Err(HomeError::Exists { path });
        }
        private_directory(directory).map_err(|source| HomeError::File {
            path,
            what: "written",
            source,
        })?;
        let authority = Authority::create("Fellestall coordinator", now)?;
        let (_, signing_key) = SigningKey::generate().map_err(HomeError::SigningKey)?;
        write(directory, AUTHORITY_KEY, authority.key.as_bytes())?;
        write(directory, AUTHORITY, authority.certificate.as_bytes())?;
        write(directory, SIGNING_KEY, &signing_key)?;
        // Last: a directory with a configuration is complete.
        write(directory, CONFIG, config.to_toml().as_bytes())?;
        Self::open(directory)
    }

    /// Whether there is a coordinator in `directory`.
    #[must_use]
    pub fn exists(directory: &Path) -> bool {
        directory.join(CONFIG).exists()
    }

    /// Reads the coordinator in `directory`.
    ///
    /// # Errors
    /// [`HomeError`]: what cannot be read.
    pub fn open(directory: &Path) -> Result<Self, HomeError> {
        let config = Config::from_toml(&text(directory, CONFIG)?)?;
        let key = text(directory, AUTHORITY_KEY)?;
        let authority = Authority::from_pem(&text(directory, AUTHORITY)?, &key)?;
        let signing_key = SigningKey::from_pkcs8(&read(directory, SIGNING_KEY)?)
            .map_err(HomeError::SigningKey)?;
        let policy = match std::fs::read_to_string(directory.join(POLICY)) {
            Ok(text) => Policy::from_toml(&text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Policy::default(),
            Err(source) => {
                let path = directory.join(POLICY);
                return Err(HomeError::File { path, what: "read", source });
            }
        };
        Ok(Self { directory: directory.to_owned(), config, authority, signing_key, policy })
    }

    /// What every publication is signed with and shown by.
    #[must_use]
    pub fn printer(&self) -> Printer<'_> {
        Printer { key: &self.signing_key, policy: &self.policy }
    }

    /// The store's address; a relative SQLite file lies in the directory.
    ///
    /// # Errors
    /// [`HomeError::File`] if the database's file cannot be made.
    pub fn store_address(&self) -> Result<String, HomeError> {
        let Some(file) = self.config.store.strip_prefix("sqlite:") else {
            return Ok(self.config.store.clone());
        };
        let path = self.directory.join(file);
        let made = create(&path).and_then(|()| std::path::absolute(&path));
        match made {
            Ok(path) => {
                // What would end the path in an address is written as in any other address.
                let path = path.display().to_string().replace('%', "%25").replace('?', "%3F");
                Ok(format!("sqlite://{path}"))
            }
            Err(source) => Err(HomeError::File { path, what: "written", source }),
        }
    }
}

fn read(directory: &Path, name: &str) -> Result<Vec<u8>, HomeError> {
    let path = directory.join(name);
    std::fs::read(&path).map_err(|source| HomeError::File { path, what: "read", source })
}

fn text(directory: &Path, name: &str) -> Result<String, HomeError> {
    let path = directory.join(name);
    std::fs::read_to_string(&path).map_err(|source| HomeError::File { path, what: "read", source })
}

/// Writes a new file that only this user can read, and waits until it is on the disk.
fn write(directory: &Path, name: &str, bytes: &[u8]) -> Result<(), HomeError> {
    let path = directory.join(name);
    let written = private_file(&path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|source| HomeError::File { path, what: "written", source })
}

/// An empty file that only this user can read, unless there is one.
fn create(path: &Path) -> io::Result<()> {
    match private_file(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

fn private_file(path: &Path) -> io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes bytes to a new file of mode 0600, as an invitation.
///
/// # Errors
/// What the system said; a file that exists is never overwritten.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private_file(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
