//! Users of the console: made on this machine, each with a secret that is shown once.
//!
//! **Invariant:** a secret has 160 random bits, so that a salted digest of it needs no stretching;
//! it is compared in constant time, and a name that is not known takes as long as one that is.

use crate::audit::{Actor, AuditError, AuditLog, Event};
use crate::state::{Role, State, StateError, StoredUser};
use data_encoding::BASE32_NOPAD;
use fellestall_shared::clock::Timestamp;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use std::path::Path;
use zeroize::Zeroizing;

/// Random bytes of a secret.
const SECRET_BYTES: usize = 20;
/// Random bytes of a salt.
const SALT_BYTES: usize = 32;
/// Characters of a group when a secret is shown.
const GROUP: usize = 4;

/// Why a user is not added or removed.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// A name that the log could not show as it is.
    #[error(
        "a name has 1 to 64 letters, digits, spaces or - _ . @ : and is not {}",
        Actor::node().name()
    )]
    Name,
    /// The name is taken.
    #[error("there is a user {name} already; remove that one first, or choose another name")]
    Taken {
        /// The name.
        name: String,
    },
    /// Nobody of that name.
    #[error("there is no user {name}; console-user list lists them")]
    Missing {
        /// The name.
        name: String,
    },
    /// No random numbers.
    #[error("the system gives no random numbers; nothing was made")]
    Entropy,
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The audit log cannot be used.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// Adds a user and gives the secret to sign in with, which is kept nowhere.
///
/// # Errors
/// [`UserError`]; nobody is added then.
pub fn add_user(
    directory: &Path,
    name: &str,
    role: Role,
    by: &Actor,
    now: Timestamp,
) -> Result<Zeroizing<String>, UserError> {
    let actor = Actor::named(name);
    let reserved = [Actor::node().name().to_owned(), crate::decisions::UNKNOWN.to_owned()];
    if name.is_empty() || actor.name() != name || reserved.contains(&name.to_lowercase()) {
        return Err(UserError::Name);
    }
    let mut state = State::open(directory)?;
    let taken = || UserError::Taken { name: name.to_owned() };
    if state.user(name)?.is_some() {
        return Err(taken());
    }
    let mut secret = Zeroizing::new([0_u8; SECRET_BYTES]);
    let mut salt = [0_u8; SALT_BYTES];
    let random = SystemRandom::new();
    random.fill(secret.as_mut_slice()).map_err(|_| UserError::Entropy)?;
    random.fill(&mut salt).map_err(|_| UserError::Entropy)?;
    let proof = hmac::sign(&key(&salt), secret.as_slice());
    let user = StoredUser {
        name: name.to_owned(),
        role,
        salt: salt.to_vec(),
        proof: proof.as_ref().to_vec(),
        added_at: now,
    };
    let added = Event::UserAdded { user: name.to_owned(), role: role.code().to_owned() };
    AuditLog::open(directory)?.append(now, by, added)?;
    if !state.add_user(&user)? {
        return Err(taken());
    }
    Ok(shown(secret.as_slice()))
}

/// Removes a user, who is signed out at once.
///
/// # Errors
/// [`UserError`].
pub fn remove_user(
    directory: &Path,
    name: &str,
    by: &Actor,
    now: Timestamp,
) -> Result<(), UserError> {
    let mut state = State::open(directory)?;
    let user = state.user(name)?.ok_or_else(|| UserError::Missing { name: name.to_owned() })?;
    state.remove_user(&user.name)?;
    AuditLog::open(directory)?.append(now, by, Event::UserRemoved { user: user.name })?;
    Ok(())
}

/// The user of that name, if the secret is that user's.
pub(super) fn recognise(
    state: &State,
    name: &str,
    secret: &str,
) -> Result<Option<StoredUser>, StateError> {
    let user = state.user(name.trim())?;
    let nobody = (vec![0; SALT_BYTES], vec![0; SALT_BYTES]);
    let (salt, proof) = match &user {
        Some(user) => (&user.salt, &user.proof),
        None => (&nobody.0, &nobody.1),
    };
    let secret = read(secret);
    let holds = hmac::verify(&key(salt), &secret, proof).is_ok();
    Ok(user.filter(|_| holds))
}

fn key(salt: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, salt)
}

/// A secret as it is shown: letters and digits in groups, so that it can be read aloud and typed.
fn shown(secret: &[u8]) -> Zeroizing<String> {
    let text = Zeroizing::new(BASE32_NOPAD.encode(secret).to_lowercase());
    let mut grouped = Zeroizing::new(String::with_capacity(text.len() * 2));
    for (place, letter) in text.chars().enumerate() {
        if place > 0 && place % GROUP == 0 {
            grouped.push('-');
        }
        grouped.push(letter);
    }
    grouped
}

/// The bytes of a secret as somebody typed it; nothing sensible for what is none.
fn read(typed: &str) -> Zeroizing<Vec<u8>> {
    let letters = typed.chars().filter(char::is_ascii_alphanumeric);
    let text: Zeroizing<String> =
        Zeroizing::new(letters.map(|letter| letter.to_ascii_uppercase()).collect());
    Zeroizing::new(BASE32_NOPAD.decode(text.as_bytes()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{add_user, recognise, remove_user};
    use crate::audit::{Actor, AuditLog, Event};
    use crate::state::{FILE, Role, State};
    use fellestall_shared::clock::Timestamp;

    const NOW: Timestamp = Timestamp::from_unix(7);

    #[test]
    fn a_secret_signs_in_its_own_user_and_is_stored_nowhere() {
        let place = tempfile::tempdir().expect("a directory");
        let root = Actor::named("root");
        let add = |name| add_user(place.path(), name, Role::Officer, &root, NOW);
        let (kari, ola) = (add("Kari").expect("added"), add("Ola").expect("added"));
        assert_eq!(kari.len(), 39, "160 bits in groups of four");
        let state = State::open(place.path()).expect("opened");
        let is = |name, secret: &str| recognise(&state, name, secret).expect("read").is_some();
        assert!(is("Kari", &kari) && is("kari ", &kari.to_uppercase().replace('-', " ")));
        assert!(!is("Kari", &ola) && !is("Nobody", &kari) && !is("Kari", "") && !is("", ""));
        for file in [FILE, crate::audit::FILE] {
            let bytes = std::fs::read(place.path().join(file)).expect("a file");
            let plain = kari.replace('-', "");
            for form in [kari.as_str(), plain.as_str(), &plain.to_uppercase()] {
                let found = bytes.windows(form.len()).any(|part| part == form.as_bytes());
                assert!(!found, "the secret is in {file}");
            }
        }
        assert!(add("KARI").is_err(), "one name, in whatever case, is one user");
        for name in ["", "node", "unknown", " a", "a<b", &"x".repeat(65)] {
            assert!(add(name).is_err(), "{name:?}");
        }
        remove_user(place.path(), "kari", &root, NOW).expect("removed");
        assert!(!is("Kari", &kari));
        assert!(remove_user(place.path(), "kari", &root, NOW).is_err());
        let log = AuditLog::open(place.path()).expect("a log").entries().expect("it holds");
        let events: Vec<_> = log.into_iter().map(|entry| entry.body.what).collect();
        let user = "Kari".to_owned();
        assert_eq!(events.last(), Some(&Event::UserRemoved { user }));
        assert_eq!(events.len(), 3);
    }
}
