//! Signing in by `OpenID` Connect: the authorization code flow with PKCE, state and nonce, against
//! whichever provider the configuration names.
//!
//! What ties an answer to the browser that asked is one random cookie: state, nonce and the PKCE
//! verifier are digests of it, so that nothing has to be stored, and no stranger can fill a table.
//!
//! **Invariant:** nobody is told apart before the crate has checked signature, issuer, audience, end
//! and nonce of the ID token, at our clock; an unsigned token, or one signed with the client's own
//! secret, is none.

use crate::config::Oidc;
use data_encoding::BASE64URL_NOPAD;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, TokenResponse,
};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

mod http;

/// How long what a provider says of itself is taken for true.
const KEPT: Duration = Duration::from_mins(1);
/// Bytes of a client's secret, at the most.
const SECRET_BYTES: usize = 4096;

/// Why the provider of the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OidcSetupError {
    /// The issuer's address.
    #[error(
        "admin.oidc.issuer must be https://, as https://login.example.no (http:// on this machine alone)"
    )]
    Issuer,
    /// The address that the provider leads back to.
    #[error("admin.url does not make an address to return to")]
    Return,
    /// The file with the client's secret.
    #[error("{path}, the file with the client's secret, cannot be read")]
    Secret {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A secret that others can read.
    #[error("{path}, the file with the client's secret, can be read by others: chmod 600 it")]
    Open {
        /// Which file.
        path: PathBuf,
    },
    /// A file that holds no secret.
    #[error("{path} must hold the client's secret on one line, and nothing else")]
    NoSecret {
        /// Which file.
        path: PathBuf,
    },
    /// The client that dials the provider.
    #[error("connections to the provider cannot be made")]
    Client(#[from] http::ClientError),
}

/// Why nobody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The answer does not belong to a sign-in that this browser began.
    State,
    /// The provider says no.
    Declined,
    /// The provider does not answer, or not as a provider does.
    Unavailable,
    /// The code is not good: used before, too old, or of another sign-in.
    Code,
    /// The ID token does not hold.
    Token,
    /// Whom the provider names is not among the staff.
    NotStaff,
}

impl Failure {
    /// As the log has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::State => "provider: not begun in this browser",
            Self::Declined => "provider: declined",
            Self::Unavailable => "provider: no answer",
            Self::Code => "provider: code not accepted",
            Self::Token => "provider: token does not hold",
            Self::NotStaff => "provider: not among the staff",
        }
    }
}

/// Whom the provider names.
#[derive(Debug)]
pub(super) struct Identity {
    /// The provider.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
}

/// One way to the provider and back, known to one browser.
pub(super) struct Flow(Zeroizing<String>);

impl Flow {
    /// The flow of a browser's cookie.
    pub(super) fn of(cookie: &str) -> Self {
        Self(Zeroizing::new(cookie.to_owned()))
    }

    fn derived(&self, what: &str) -> String {
        let domain = format!("fellestall/admin-flow/1/{what}");
        BASE64URL_NOPAD.encode(Digest::of(&domain, self.0.as_bytes()).as_bytes())
    }

    /// Whether an answer with this state belongs to it.
    pub(super) fn is_of(&self, state: &str) -> bool {
        let digest = |text: &str| Digest::of("fellestall/admin-state/1", text.as_bytes());
        digest(&self.derived("state")) == digest(state)
    }
}

/// The provider.
pub(super) struct Provider {
    issuer: IssuerUrl,
    client_id: ClientId,
    secret: ClientSecret,
    back: RedirectUrl,
    client: http::Client,
    found: Mutex<Option<(Timestamp, Arc<CoreProviderMetadata>)>>,
}

impl Provider {
    /// A provider of which nothing has been asked yet; `url` is where these pages are.
    pub(super) fn open(config: &Oidc, directory: &Path, url: &str) -> Result<Self, OidcSetupError> {
        let issuer = IssuerUrl::new(config.issuer.clone()).map_err(|_| OidcSetupError::Issuer)?;
        let is_local = issuer.url().scheme() == "http" && is_loopback(issuer.url().host_str());
        if issuer.url().scheme() != "https" && !is_local {
            return Err(OidcSetupError::Issuer);
        }
        let back = format!("{url}/sign-in/return");
        Ok(Self {
            issuer,
            client_id: ClientId::new(config.client_id.clone()),
            secret: secret(&directory.join(&config.client_secret_file))?,
            back: RedirectUrl::new(back).map_err(|_| OidcSetupError::Return)?,
            client: http::Client::new(!is_local)?,
            found: Mutex::default(),
        })
    }

    /// The issuer, as it is kept beside a subject.
    pub(super) fn issuer(&self) -> &str {
        self.issuer.as_str()
    }

    /// Where to lead a browser.
    pub(super) async fn begin(&self, flow: &Flow, now: Timestamp) -> Result<String, Failure> {
        let metadata = self.metadata(now).await?;
        let (id, secret) = (self.client_id.clone(), Some(self.secret.clone()));
        let client =
            CoreClient::from_provider_metadata(CoreProviderMetadata::clone(&metadata), id, secret)
                .set_redirect_uri(self.back.clone());
        let verifier = PkceCodeVerifier::new(flow.derived("verifier"));
        let (state, nonce) = (flow.derived("state"), flow.derived("nonce"));
        let (url, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url.into())
    }

    /// Whom the provider names by a code.
    pub(super) async fn finish(
        &self,
        flow: &Flow,
        code: String,
        now: Timestamp,
    ) -> Result<Identity, Failure> {
        let metadata = self.metadata(now).await?;
        let (id, secret) = (self.client_id.clone(), Some(self.secret.clone()));
        let client =
            CoreClient::from_provider_metadata(CoreProviderMetadata::clone(&metadata), id, secret)
                .set_redirect_uri(self.back.clone());
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| Failure::Unavailable)?
            .set_pkce_verifier(PkceCodeVerifier::new(flow.derived("verifier")))
            .request_async(&self.client)
            .await
            .map_err(|error| match error {
                openidconnect::RequestTokenError::ServerResponse(_) => Failure::Code,
                openidconnect::RequestTokenError::Request(_) => Failure::Unavailable,
                _ => Failure::Token,
            })?;
        let token = answer.id_token().ok_or(Failure::Token)?;
        let supported = metadata.id_token_signing_alg_values_supported().iter();
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(supported.filter(|it| is_signature(it)).cloned())
            .set_time_fn(move || moment(now).into());
        let nonce = Nonce::new(flow.derived("nonce"));
        let claims = token.claims(&verifier, &nonce).map_err(|error| {
            tracing::warn!(reason = %error, "an ID token does not hold");
            Failure::Token
        })?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = token.signing_alg().map_err(|_| Failure::Token)?;
            let key = token.signing_key(&verifier).map_err(|_| Failure::Token)?;
            let actual = AccessTokenHash::from_token(answer.access_token(), algorithm, key);
            if actual.ok().as_ref() != Some(expected) {
                return Err(Failure::Token);
            }
        }
        Ok(Identity {
            issuer: self.issuer().to_owned(),
            subject: claims.subject().as_str().to_owned(),
        })
    }

    /// What the provider says of itself, with its keys.
    async fn metadata(&self, now: Timestamp) -> Result<Arc<CoreProviderMetadata>, Failure> {
        let kept = self.found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, found)) = kept
            && at <= now
            && now < at.plus(KEPT)
        {
            return Ok(found);
        }
        let found = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.client).await;
        let found = Arc::new(found.map_err(|error| {
            tracing::warn!(reason = %super::asked::explain(&error), "the provider cannot be used");
            Failure::Unavailable
        })?);
        let mut kept = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((now, Arc::clone(&found)));
        Ok(found)
    }
}

/// Whether an algorithm proves that the provider, and nobody else, made a token.
fn is_signature(algorithm: &CoreJwsSigningAlgorithm) -> bool {
    use CoreJwsSigningAlgorithm as Algorithm;
    !matches!(
        algorithm,
        Algorithm::HmacSha256 | Algorithm::HmacSha384 | Algorithm::HmacSha512 | Algorithm::None
    )
}

fn moment(now: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(now.unix()).unwrap_or(0))
}

fn is_loopback(host: Option<&str>) -> bool {
    let Some(host) = host else { return false };
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The client's secret, from a file that nobody else can read.
fn secret(path: &Path) -> Result<ClientSecret, OidcSetupError> {
    let path = path.to_owned();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => Zeroizing::new(text),
        Err(source) => return Err(OidcSetupError::Secret { path, source }),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).map(|metadata| metadata.permissions().mode());
        let others = 0o077;
        if !mode.is_ok_and(|mode| mode & others == 0) {
            return Err(OidcSetupError::Open { path });
        }
    }
    let line = text.trim();
    if line.is_empty() || line.len() > SECRET_BYTES || line.contains(char::is_whitespace) {
        return Err(OidcSetupError::NoSecret { path });
    }
    Ok(ClientSecret::new(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Flow, is_loopback, is_signature};
    use openidconnect::core::CoreJwsSigningAlgorithm as Algorithm;

    #[test]
    fn a_flow_knows_its_own_answer_and_gives_nothing_of_itself_away() {
        let (one, two) = (Flow::of("one"), Flow::of("two"));
        let state = one.derived("state");
        assert!(one.is_of(&state) && !two.is_of(&state) && !one.is_of(""));
        let parts = ["state", "nonce", "verifier"].map(|what| one.derived(what));
        assert!(parts.iter().all(|part| part.len() == 43), "{parts:?}");
        assert!(parts[0] != parts[1] && parts[1] != parts[2]);
    }

    #[test]
    fn plain_addresses_are_for_this_machine_and_tokens_are_signed() {
        assert!(is_loopback(Some("127.0.0.1")) && is_loopback(Some("[::1]")));
        assert!(!is_loopback(Some("127.0.0.1.example.no")) && !is_loopback(None));
        assert!(is_signature(&Algorithm::EdDsa) && is_signature(&Algorithm::EcdsaP256Sha256));
        assert!(!is_signature(&Algorithm::None) && !is_signature(&Algorithm::HmacSha256));
    }
}
