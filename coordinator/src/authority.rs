//! The coordinator's certificate authority: the only trust anchor of the federation.
//!
//! **Invariant:** of a certificate request only the public key is used; name, validity, usage and
//! serial number come from here. What is issued can never issue.

use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::NodeId;
use fellestall_shared::limits::{CERTIFICATE_BACKDATE, CERTIFICATE_LIFETIME};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PublicKeyData, SerialNumber,
    SubjectPublicKeyInfo,
};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::time::Duration;
use time::OffsetDateTime;

#[cfg(test)]
mod tests;

/// The name that the coordinator shows to the helper; no node can have it, for theirs end in a number.
pub const LEADER: &str = "leader";
/// How long the authority itself is valid.
const AUTHORITY_LIFETIME: Duration = Duration::from_hours(20 * 365 * 24);

/// Why a certificate was not made or read.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The request is not one, its signature does not hold, or its key is of another kind.
    #[error(
        "this is not a certificate request (PKCS#10, PEM) with a valid signature by a key of ECDSA P-256, P-384 or Ed25519"
    )]
    Request,
    /// The system gave no random numbers.
    #[error("the system gave no random numbers")]
    Random,
    /// A moment outside the calendar.
    #[error("the clock is outside the calendar")]
    Clock,
    /// The stored authority cannot be read.
    #[error("the certificate authority's files cannot be read; restore them from a backup")]
    Stored,
    /// A host that can be in no certificate, or a failure of the library.
    #[error("the certificate could not be made")]
    Certificate(#[from] rcgen::Error),
}

/// The public key of a certificate request whose signature held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey(Vec<u8>);

impl RequestKey {
    /// Reads a certificate request and drops everything but its public key.
    ///
    /// # Errors
    /// [`AuthorityError::Request`].
    pub fn from_request(pem: &str) -> Result<Self, AuthorityError> {
        let request =
            CertificateSigningRequestParams::from_pem(pem).map_err(|_| AuthorityError::Request)?;
        let known = [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519];
        if !known.contains(&request.public_key.algorithm()) {
            return Err(AuthorityError::Request);
        }
        Ok(Self(request.public_key.subject_public_key_info()))
    }

    /// A key that was read from a request earlier and stored.
    #[must_use]
    pub fn from_stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The key (`SubjectPublicKeyInfo`, DER).
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key's digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of("fellestall/public-key/1", &self.0)
    }
}

/// A client certificate that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The serial number in hexadecimal.
    pub serial: String,
    /// The certificate (PEM).
    pub pem: String,
    /// When it ends.
    pub expires: Timestamp,
}

/// A certificate of a server's own with its key, which exist only in memory.
#[derive(Debug)]
pub struct OwnIdentity {
    /// The certificate.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
    /// When it ends.
    pub expires: Timestamp,
}

/// The authority with its private key.
pub struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({})", self.fingerprint().short())
    }
}

/// The files of a new authority.
pub struct NewAuthority {
    /// The certificate (PEM): public.
    pub certificate: String,
    /// The private key (PEM): mode 0600.
    pub key: String,
}

impl Authority {
    /// Makes a new authority.
    ///
    /// # Errors
    /// [`AuthorityError`]: no random numbers, or no calendar.
    pub fn create(name: &str, now: Timestamp) -> Result<NewAuthority, AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = params(name, now, AUTHORITY_LIFETIME)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        Ok(NewAuthority { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// Reads an authority from its files.
    ///
    /// # Errors
    /// [`AuthorityError::Stored`].
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, AuthorityError> {
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|_| AuthorityError::Stored)?
            .into_owned();
        let key = KeyPair::from_pem(key).map_err(|_| AuthorityError::Stored)?;
        let issuer =
            Issuer::from_ca_cert_der(&certificate, key).map_err(|_| AuthorityError::Stored)?;
        Ok(Self { certificate, issuer })
    }

    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The certificate's fingerprint, for people to compare.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest::of("fellestall/authority/1", &self.certificate)
    }

    /// Issues a client certificate for a node.
    ///
    /// # Errors
    /// [`AuthorityError`]: the key cannot be in a certificate, or no random numbers.
    pub fn issue_client(
        &self,
        node: &NodeId,
        key: &RequestKey,
        now: Timestamp,
    ) -> Result<Issued, AuthorityError> {
        let public = SubjectPublicKeyInfo::from_der(&key.0).map_err(|_| AuthorityError::Request)?;
        let mut params = params(node.as_str(), now, CERTIFICATE_LIFETIME)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let serial = params.serial_number.as_ref().map(SerialNumber::to_bytes).unwrap_or_default();
        let certificate = params.signed_by(&public, &self.issuer)?;
        Ok(Issued {
            serial: serial_text(&serial),
            pem: certificate.pem(),
            expires: now.plus(CERTIFICATE_LIFETIME),
        })
    }

    /// Issues the client certificate that the coordinator shows to the helper, with a fresh key.
    ///
    /// # Errors
    /// [`AuthorityError`]: no random numbers.
    pub fn issue_leader(&self, now: Timestamp) -> Result<OwnIdentity, AuthorityError> {
        let params = params(LEADER, now, CERTIFICATE_LIFETIME)?;
        self.issue_own(params, ExtendedKeyUsagePurpose::ClientAuth, now)
    }

    /// Issues a server certificate for these hosts (names or addresses) with a fresh key.
    ///
    /// # Errors
    /// [`AuthorityError`]: a host that can be in no certificate, or no random numbers.
    pub fn issue_server(
        &self,
        hosts: &[String],
        now: Timestamp,
    ) -> Result<OwnIdentity, AuthorityError> {
        let mut params = params("coordinator", now, CERTIFICATE_LIFETIME)?;
        params.subject_alt_names = CertificateParams::new(hosts)?.subject_alt_names;
        self.issue_own(params, ExtendedKeyUsagePurpose::ServerAuth, now)
    }

    fn issue_own(
        &self,
        mut params: CertificateParams,
        usage: ExtendedKeyUsagePurpose,
        now: Timestamp,
    ) -> Result<OwnIdentity, AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(OwnIdentity {
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            expires: now.plus(CERTIFICATE_LIFETIME),
        })
    }
}

/// A serial number as it is looked up: hexadecimal without leading zeros.
#[must_use]
pub fn serial_text(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes).trim_start_matches('0').to_owned()
}

/// What all certificates share: a name, a back-dated start, an end and a random serial number.
fn params(
    name: &str,
    now: Timestamp,
    lifetime: Duration,
) -> Result<CertificateParams, AuthorityError> {
    let moment = |at: Timestamp| {
        OffsetDateTime::from_unix_timestamp(at.unix()).map_err(|_| AuthorityError::Clock)
    };
    let mut serial = [0_u8; 16];
    SystemRandom::new().fill(&mut serial).map_err(|_| AuthorityError::Random)?;
    // Positive and of full length (RFC 5280, section 4.1.2.2).
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    params.not_before = moment(now.minus(CERTIFICATE_BACKDATE))?;
    params.not_after = moment(now.plus(lifetime))?;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}
