//! The coordinator's directory: its configuration, its authority and its signing key.
//!
//! **Invariant:** a private key is a file of mode 0600 in a directory of mode 0700, is never
//! overwritten, and never leaves the process.

use crate::aggregation::secret::{SecretError, TaskSecret};
use crate::authority::{Authority, AuthorityError};
use crate::config::{Config, ConfigError};
use crate::helper::card::{BadCard, HelperCard, LeaderCard};
use crate::present::{BadPolicy, Policy};
use crate::rounds::publication::Printer;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::secure::Bytes;
use fellestall_shared::signed::{SignatureError, SigningKey};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const CONFIG: &str = "coordinator.toml";
/// Optional: without it the default rule holds.
const POLICY: &str = "presentation.toml";
pub(crate) const AUTHORITY: &str = "authority.pem";
const AUTHORITY_KEY: &str = "authority-key.pem";
pub(crate) const SIGNING_KEY: &str = "signing-key.p8";
/// Optional: without it there is no secure aggregation.
const HELPER: &str = "helper-card.json";

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
    /// The helper's card.
    #[error("the card of the other server in the directory cannot be used")]
    Card(#[from] BadCard),
    /// A helper is trusted already.
    #[error(
        "another card is trusted; compare the new one's fingerprint by telephone, then remove {path} and trust it again"
    )]
    OtherHelper {
        /// The card's file.
        path: PathBuf,
    },
    /// The secret for reports.
    #[error(transparent)]
    Secret(#[from] SecretError),
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
    /// The helper that is trusted, if there is one.
    pub helper: Option<HelperCard>,
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
        // Made now, so that copies of the directory have the same, and nothing is written at run time.
        TaskSecret::of(directory)?;
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
        let policy = match optional(directory, POLICY)? {
            Some(text) => Policy::from_toml(&text)?,
            None => Policy::default(),
        };
        let helper = optional(directory, HELPER)?;
        let helper = helper.map(|text| HelperCard::from_json(text.as_bytes())).transpose()?;
        let directory = directory.to_owned();
        Ok(Self { directory, config, authority, signing_key, policy, helper })
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
        store_address(&self.directory, &self.config.store)
    }

    /// The coordinator as a helper recognises it.
    #[must_use]
    pub fn card(&self) -> LeaderCard {
        LeaderCard {
            url: self.config.url.clone(),
            signing_key: self.signing_key.verifying_key(),
            authority: Bytes(self.authority.certificate().to_vec()),
        }
    }

    /// Trusts a helper from now on: keeps its card in the directory.
    ///
    /// # Errors
    /// [`HomeError`]: another card is there, or it cannot be written.
    pub fn trust_helper(&self, card: &HelperCard) -> Result<(), HomeError> {
        match &self.helper {
            Some(known) if known == card => Ok(()),
            Some(_) => Err(HomeError::OtherHelper { path: self.directory.join(HELPER) }),
            None => {
                let json = serde_json::to_vec_pretty(card).unwrap_or_default();
                write(&self.directory, HELPER, &json)
            }
        }
    }
}

/// The address of the store of whoever has this directory; a relative SQLite file lies in it.
pub(crate) fn store_address(directory: &Path, store: &str) -> Result<String, HomeError> {
    let Some(file) = store.strip_prefix("sqlite:") else {
        return Ok(store.to_owned());
    };
    let path = directory.join(file);
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

/// A file that need not be there.
pub(crate) fn optional(directory: &Path, name: &str) -> Result<Option<String>, HomeError> {
    match std::fs::read_to_string(directory.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => {
            let path = directory.join(name);
            Err(HomeError::File { path, what: "read", source })
        }
    }
}

pub(crate) fn read(directory: &Path, name: &str) -> Result<Vec<u8>, HomeError> {
    let path = directory.join(name);
    std::fs::read(&path).map_err(|source| HomeError::File { path, what: "read", source })
}

pub(crate) fn text(directory: &Path, name: &str) -> Result<String, HomeError> {
    let path = directory.join(name);
    std::fs::read_to_string(&path).map_err(|source| HomeError::File { path, what: "read", source })
}

/// Writes a new file that only this user can read, and waits until it is on the disk.
pub(crate) fn write(directory: &Path, name: &str, bytes: &[u8]) -> Result<(), HomeError> {
    let path = directory.join(name);
    let written = private_file(&path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|source| HomeError::File { path, what: "written", source })
}

/// An empty file that only this user can read, unless there is one.
pub(crate) fn create(path: &Path) -> io::Result<()> {
    match private_file(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

pub(crate) fn private_file(path: &Path) -> io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

pub(crate) fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a file of mode 0600 that is complete from the first moment it is there; one that is there
/// stands, whoever made it. It is written under the name `part` first, which nobody else may use.
///
/// # Errors
/// What the system said.
pub fn write_whole(directory: &Path, name: &str, part: &str, bytes: &[u8]) -> io::Result<()> {
    let part = directory.join(part);
    let written = write_private(&part, bytes);
    let linked = written.and_then(|()| std::fs::hard_link(&part, directory.join(name)));
    std::fs::remove_file(&part).ok();
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    std::fs::File::open(directory)?.sync_all()
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
