//! The helper's directory: its configuration, its keys, and the card of the leader that it trusts.
//!
//! **Invariant:** a private key is a file of mode 0600 in a directory of mode 0700, is never
//! overwritten, and never leaves the process; nothing of a coordinator is in the directory.

use super::card::{BadCard, HelperCard, LeaderCard};
use super::config::{BadHelperConfig, HelperConfig};
use crate::authority::{Authority, AuthorityError};
use crate::home::{self, HomeError};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::secure::Bytes;
use fellestall_shared::secure::seal::{SealError, SealingSecret};
use fellestall_shared::signed::{SignatureError, SigningKey};
use std::path::{Path, PathBuf};

const CONFIG: &str = "helper.toml";
const AUTHORITY: &str = "authority.pem";
const AUTHORITY_KEY: &str = "authority-key.pem";
const SIGNING_KEY: &str = "signing-key.p8";
const SEALING_KEY: &str = "sealing-key";
const LEADER: &str = "leader-card.json";

/// Why the directory could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum HelperHomeError {
    /// A file.
    #[error(transparent)]
    File(#[from] HomeError),
    /// A directory that holds a helper, or a coordinator, already.
    #[error(
        "{path} holds a coordinator or a helper already; keys are never overwritten, and the two roles never share a directory"
    )]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// No helper there.
    #[error(
        "there is no helper in {path}; give its directory with --dir, or make one with `helper init`"
    )]
    Missing {
        /// The directory.
        path: PathBuf,
    },
    /// The configuration.
    #[error(transparent)]
    Config(#[from] BadHelperConfig),
    /// The authority.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The signing key.
    #[error("the helper's signing key cannot be used")]
    SigningKey(#[source] SignatureError),
    /// The sealing key.
    #[error("the helper's sealing key cannot be used")]
    SealingKey(#[source] SealError),
    /// The leader's card.
    #[error("the card of the trusted coordinator cannot be used")]
    Card(#[from] BadCard),
    /// A leader is trusted already.
    #[error("another coordinator is trusted; to trust a new one, remove {path} first")]
    OtherLeader {
        /// The card's file.
        path: PathBuf,
    },
}

/// Everything in the directory.
pub struct HelperHome {
    /// The directory.
    pub directory: PathBuf,
    /// The configuration.
    pub config: HelperConfig,
    /// The authority of the server's certificate.
    pub authority: Authority,
    /// The key that signs acceptances and opened batches.
    pub signing_key: SigningKey,
    /// The key that opens sealed shares.
    pub sealing: SealingSecret,
    /// The leader that is trusted, once there is one.
    pub leader: Option<LeaderCard>,
}

impl HelperHome {
    /// Makes a new helper in `directory`.
    ///
    /// # Errors
    /// [`HelperHomeError`]: there is one already, or it cannot be written.
    pub fn create(
        directory: &Path,
        config: &HelperConfig,
        now: Timestamp,
    ) -> Result<Self, HelperHomeError> {
        config.check()?;
        let taken = |name: &str| directory.join(name).exists();
        if taken(AUTHORITY_KEY) || taken(CONFIG) || taken(SEALING_KEY) {
            return Err(HelperHomeError::Exists { path: directory.to_owned() });
        }
        home::private_directory(directory).map_err(|source| HomeError::File {
            path: directory.to_owned(),
            what: "written",
            source,
        })?;
        let authority = Authority::create("Fellestall helper", now)?;
        let (_, signing) = SigningKey::generate().map_err(HelperHomeError::SigningKey)?;
        let (_, sealing) = SealingSecret::generate();
        home::write(directory, AUTHORITY_KEY, authority.key.as_bytes())?;
        home::write(directory, AUTHORITY, authority.certificate.as_bytes())?;
        home::write(directory, SIGNING_KEY, &signing)?;
        home::write(directory, SEALING_KEY, &sealing)?;
        // Last: a directory with a configuration is complete.
        home::write(directory, CONFIG, config.to_toml().as_bytes())?;
        Self::open(directory)
    }

    /// Reads the helper in `directory`.
    ///
    /// # Errors
    /// [`HelperHomeError`]: what cannot be read.
    pub fn open(directory: &Path) -> Result<Self, HelperHomeError> {
        let config = home::optional(directory, CONFIG)?;
        let missing = || HelperHomeError::Missing { path: directory.to_owned() };
        let config = HelperConfig::from_toml(&config.ok_or_else(missing)?)?;
        let key = home::text(directory, AUTHORITY_KEY)?;
        let authority = Authority::from_pem(&home::text(directory, AUTHORITY)?, &key)?;
        let signing_key = SigningKey::from_pkcs8(&home::read(directory, SIGNING_KEY)?)
            .map_err(HelperHomeError::SigningKey)?;
        let sealing = SealingSecret::from_bytes(&home::read(directory, SEALING_KEY)?)
            .map_err(HelperHomeError::SealingKey)?;
        let leader = home::optional(directory, LEADER)?;
        let leader = leader.map(|text| LeaderCard::from_json(text.as_bytes())).transpose()?;
        Ok(Self {
            directory: directory.to_owned(),
            config,
            authority,
            signing_key,
            sealing,
            leader,
        })
    }

    /// The store's address.
    ///
    /// # Errors
    /// [`HelperHomeError::File`] if the database's file cannot be made.
    pub fn store_address(&self) -> Result<String, HelperHomeError> {
        Ok(home::store_address(&self.directory, &self.config.store)?)
    }

    /// The helper as others recognise it.
    #[must_use]
    pub fn card(&self) -> HelperCard {
        HelperCard {
            name: self.config.name.clone(),
            url: self.config.url.clone(),
            signing_key: self.signing_key.verifying_key(),
            sealing_key: self.sealing.public(),
            authority: Bytes(self.authority.certificate().to_vec()),
        }
    }

    /// Trusts a leader from now on: keeps its card in the directory.
    ///
    /// # Errors
    /// [`HelperHomeError`]: another card is there, or it cannot be written.
    pub fn trust(&self, card: &LeaderCard) -> Result<(), HelperHomeError> {
        match &self.leader {
            Some(known) if known == card => Ok(()),
            Some(_) => Err(HelperHomeError::OtherLeader { path: self.directory.join(LEADER) }),
            None => {
                let json = serde_json::to_vec_pretty(card).unwrap_or_default();
                Ok(home::write(&self.directory, LEADER, &json)?)
            }
        }
    }
}
