//! Passwords of local accounts: Argon2id (RFC 9106), with the parameters that OWASP recommends.
//!
//! **Invariant:** a password is kept nowhere, only its hash; a name that has none takes as much work
//! as one that has.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use ring::rand::{SecureRandom, SystemRandom};

/// Characters of a password, at the least.
pub const SHORTEST: usize = 12;
/// Characters of a password, at the most.
pub const LONGEST: usize = 128;
const SALT: usize = 16;

/// Why a password cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short, or too long to be hashed in bounded time.
    #[error("a password has {SHORTEST} to {LONGEST} characters")]
    Length,
    /// No random numbers.
    #[error("the system gives no random numbers; nothing was made")]
    Entropy,
    /// The hash could not be made.
    #[error("the password could not be hashed")]
    Hash,
}

fn hasher() -> Argon2<'static> {
    // 19 MiB, two passes, one lane.
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// The hash of a new password, with a salt of its own.
///
/// # Errors
/// [`PasswordError`].
pub fn hash(password: &str) -> Result<String, PasswordError> {
    let length = password.chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        return Err(PasswordError::Length);
    }
    let mut salt = [0_u8; SALT];
    SystemRandom::new().fill(&mut salt).map_err(|_| PasswordError::Entropy)?;
    let salt = SaltString::encode_b64(&salt).map_err(|_| PasswordError::Hash)?;
    let hash = hasher().hash_password(password.as_bytes(), &salt);
    Ok(hash.map_err(|_| PasswordError::Hash)?.to_string())
}

/// Whether a password is that of the hash; `nobody` is a hash to work on for a name that has none.
pub(super) fn holds(password: &str, hash: Option<&str>, nobody: &str) -> bool {
    let password: &str = if password.chars().count() > LONGEST { "" } else { password };
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(nobody)) else { return false };
    let is_right = hasher().verify_password(password.as_bytes(), &parsed).is_ok();
    is_right && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::{PasswordError, hash, holds};

    #[test]
    fn a_password_holds_for_its_own_hash_alone() {
        let (one, two) = (hash("correct horse battery"), hash("correct horse battery"));
        let (one, two) = (one.expect("hashed"), two.expect("hashed"));
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, two, "each has a salt of its own");
        assert!(holds("correct horse battery", Some(&one), &two));
        assert!(!holds("correct horse batterx", Some(&one), &two));
        assert!(!holds("correct horse battery", None, &two), "nobody's hash lets nobody in");
        assert!(!holds("", Some("nonsense"), &two));
        assert!(!holds(&"x".repeat(100_000), Some(&one), &two));
    }

    #[test]
    fn a_password_has_a_length() {
        assert_eq!(hash("elevenchars"), Err(PasswordError::Length));
        assert_eq!(hash(&"x".repeat(129)), Err(PasswordError::Length));
        assert!(hash("twelve chars").is_ok() && hash("ææææææææææææ").is_ok());
    }
}
