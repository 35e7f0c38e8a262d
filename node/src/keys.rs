//! The node's secrets: the count key, the keys of consent snapshots, the release key and the keys of
//! its TLS identity.
//!
//! **Invariant:** made here by the system's random source, kept in files that only their owner
//! reads, never shown, never in arguments, environment or logs.

use crate::files::{self, FileError};
use fellestall_shared::ids::Purpose;
use fellestall_shared::signed::{SignatureError, SigningKey, VerifyingKey};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The file of the key that chooses cells when a person has more than the bound.
const COUNT: &str = "count.key";
/// The file of the key that signs releases and decisions.
const RELEASE: &str = "release.key";
/// The file of the key that the first certificate is asked for with.
const TLS: &str = "tls.key";
/// The file of the key and certificate in use: one file, so that both change at once.
const IDENTITY: &str = "identity.pem";

/// The folder of the keys of consent snapshots, one for each purpose.
const SNAPSHOTS: &str = "snapshot-keys";

/// Why a key could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The system gives no random numbers.
    #[error("the system gave no random numbers; no key was made")]
    Random,
    /// A file that does not hold what it should.
    #[error(
        "{} does not hold {what}; restore it from a backup of this directory (a new key cannot take its place: the ledger and the enrolment hang on it)",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// A certificate request could not be made.
    #[error("the certificate request could not be made")]
    Request(#[source] rcgen::Error),
    /// There is no certificate yet.
    #[error("this node is not enrolled yet; run: fellestall-node enrol --invitation FILE")]
    NotEnrolled,
}

/// A certificate request with the key it is for.
pub struct Requested {
    /// The private key in PEM.
    key: Zeroizing<String>,
    /// The request in PEM.
    request: String,
}

impl Requested {
    /// The request, to be sent.
    #[must_use]
    pub fn request(&self) -> &str {
        &self.request
    }
}

/// A certificate chain and its private key, for TLS.
pub type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Where a node's secrets lie.
#[derive(Debug, Clone)]
pub struct KeyStore {
    directory: PathBuf,
}

impl KeyStore {
    /// The keys in a node's directory.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// Makes the keys that are not there yet; those that are stand.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn generate(&self) -> Result<(), KeyError> {
        let mut count = Zeroizing::new([0_u8; 32]);
        SystemRandom::new().fill(count.as_mut_slice()).map_err(|_| KeyError::Random)?;
        files::create(&self.path(COUNT), count.as_slice())?;
        let (_, pkcs8) = SigningKey::generate().map_err(|_| KeyError::Random)?;
        files::create(&self.path(RELEASE), &Zeroizing::new(pkcs8))?;
        files::create(&self.path(TLS), tls_key()?.as_bytes())?;
        Ok(())
    }

    /// The count key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn count(&self) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        let bytes = files::read_secret(&self.path(COUNT))?;
        let key = bytes.as_slice().try_into().map_err(|_| self.damaged(COUNT, "32 bytes"))?;
        Ok(Zeroizing::new(key))
    }

    /// The key of a purpose's consent snapshots, made when it is first needed. A key of its own, so
    /// that destroying it makes every snapshot of that purpose untestable for ever.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn snapshot(&self, purpose: &Purpose) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        let name = snapshot_file(purpose);
        let path = self.path(&name);
        if !path.exists() {
            files::create_directory(&self.path(SNAPSHOTS))?;
            let mut key = Zeroizing::new([0_u8; 32]);
            SystemRandom::new().fill(key.as_mut_slice()).map_err(|_| KeyError::Random)?;
            // If another process made one meanwhile, that one stands, and is read below.
            files::create(&path, key.as_slice())?;
        }
        let bytes = files::read_secret(&path)?;
        let key = bytes.as_slice().try_into().map_err(|_| self.damaged(&name, "32 bytes"))?;
        Ok(Zeroizing::new(key))
    }

    /// Whether there is a key of a purpose's consent snapshots.
    #[must_use]
    pub fn has_snapshot(&self, purpose: &Purpose) -> bool {
        self.path(&snapshot_file(purpose)).exists()
    }

    /// Destroys the key of a purpose's consent snapshots: overwritten, then removed. Copies in
    /// backups are not reached from here.
    ///
    /// # Errors
    /// [`KeyError`]; it may be done again.
    pub fn destroy_snapshot(&self, purpose: &Purpose) -> Result<(), KeyError> {
        Ok(files::destroy(&self.path(&snapshot_file(purpose)))?)
    }

    /// The key that signs releases and decisions.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn release(&self) -> Result<SigningKey, KeyError> {
        let bytes = files::read_secret(&self.path(RELEASE))?;
        SigningKey::from_pkcs8(&bytes)
            .map_err(|_: SignatureError| self.damaged(RELEASE, "an Ed25519 key in PKCS#8"))
    }

    /// The public half of the release key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn release_public(&self) -> Result<VerifyingKey, KeyError> {
        Ok(self.release()?.verifying_key())
    }

    /// The certificate request of the enrolment: the same key each time.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn first_request(&self) -> Result<Requested, KeyError> {
        let bytes = files::read_secret(&self.path(TLS))?;
        let damaged = || self.damaged(TLS, "a private key in PEM");
        let text = std::str::from_utf8(&bytes).map_err(|_| damaged())?;
        let key = Zeroizing::new(text.to_owned());
        let pair = KeyPair::from_pem(&key).map_err(|_| damaged())?;
        request(&pair, key)
    }

    /// A certificate request with a fresh key, for a renewal. Nothing is stored until
    /// [`Self::install`].
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn fresh_request(&self) -> Result<Requested, KeyError> {
        let key = tls_key()?;
        let pair = KeyPair::from_pem(&key).map_err(KeyError::Request)?;
        request(&pair, key)
    }

    /// Takes a certificate and its key into use, both at once.
    ///
    /// # Errors
    /// [`KeyError`]; the older certificate then stands.
    pub fn install(&self, requested: &Requested, certificate: &str) -> Result<(), KeyError> {
        let mut pem = Zeroizing::new(String::with_capacity(
            requested.key.len().saturating_add(certificate.len()).saturating_add(2),
        ));
        pem.push_str(&requested.key);
        pem.push('\n');
        pem.push_str(certificate);
        // Read back before it replaces one that works.
        self.parse(pem.as_bytes())?;
        Ok(files::replace(&self.path(IDENTITY), pem.as_bytes())?)
    }

    /// The certificate and key in use.
    ///
    /// # Errors
    /// [`KeyError::NotEnrolled`] if there is none yet.
    pub fn identity(&self) -> Result<Identity, KeyError> {
        if !self.path(IDENTITY).exists() {
            return Err(KeyError::NotEnrolled);
        }
        self.parse(&files::read_secret(&self.path(IDENTITY))?)
    }

    /// Refuses secrets that others than their owner can read.
    ///
    /// # Errors
    /// [`FileError::TooOpen`] with the command that mends it.
    pub fn refuse_open(&self) -> Result<(), FileError> {
        files::refuse_open(&self.directory)?;
        for name in [COUNT, RELEASE, TLS, IDENTITY] {
            let path = self.path(name);
            if name != IDENTITY || path.exists() {
                files::refuse_open(&path)?;
            }
        }
        let snapshots = self.path(SNAPSHOTS);
        if snapshots.exists() { files::refuse_open(&snapshots) } else { Ok(()) }
    }

    fn parse(&self, pem: &[u8]) -> Result<Identity, KeyError> {
        let damaged = || self.damaged(IDENTITY, "a private key and its certificate in PEM");
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| damaged())?;
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| damaged())?;
        if chain.is_empty() { Err(damaged()) } else { Ok((chain, key)) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn damaged(&self, name: &str, what: &'static str) -> KeyError {
        KeyError::Damaged { path: self.path(name), what }
    }
}

fn snapshot_file(purpose: &Purpose) -> String {
    format!("{SNAPSHOTS}/{purpose}.key")
}

fn tls_key() -> Result<Zeroizing<String>, KeyError> {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(KeyError::Request)?;
    Ok(Zeroizing::new(pair.serialize_pem()))
}

fn request(pair: &KeyPair, key: Zeroizing<String>) -> Result<Requested, KeyError> {
    let request = CertificateParams::default()
        .serialize_request(pair)
        .and_then(|request| request.pem())
        .map_err(KeyError::Request)?;
    Ok(Requested { key, request })
}

#[cfg(test)]
mod tests;
