//! The secret that the verification keys of all tasks are derived from.
//!
//! A node that knew its task's key before it sent its report could make a report that passes and is
//! out of range. The key of each task is therefore derived from a file that only this coordinator can
//! read; it is in no store and no log, and the helper is told the key of each task over TLS.
//!
//! Instances of one coordinator have copies of one file, and compare its fingerprint in the database.
//!
//! **Invariant:** made once, never overwritten, never shown.

use crate::home;
use data_encoding::HEXLOWER;
use fellestall_shared::digest::Digest;
use fellestall_shared::secure::vdaf::VERIFY_KEY_BYTES;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The file in the coordinator's directory.
pub const FILE: &str = "report-secret";
const BYTES: usize = 32;

/// The secret.
pub struct TaskSecret(hmac::Key);

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// A file that cannot be read or made.
    #[error("{path} cannot be read or made")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file of another length.
    #[error("{path} must have {BYTES} bytes; restore it from the backup")]
    Length {
        /// Which file.
        path: PathBuf,
    },
    /// The system gave no random numbers.
    #[error("the system gave no random numbers")]
    Random,
}

impl TaskSecret {
    /// Reads the secret of the coordinator in `directory`, and makes it if there is none.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn of(directory: &Path) -> Result<Self, SecretError> {
        let path = directory.join(FILE);
        let failed = |source| SecretError::File { path: path.clone(), source };
        if !path.exists() {
            let (mut bytes, mut own) = (Zeroizing::new([0; BYTES]), [0; 8]);
            let random = SystemRandom::new();
            random.fill(bytes.as_mut()).map_err(|_| SecretError::Random)?;
            // Several may make it at once, in one process or in several.
            random.fill(&mut own).map_err(|_| SecretError::Random)?;
            let part = format!("{FILE}.{}", HEXLOWER.encode(&own));
            home::write_whole(directory, FILE, &part, bytes.as_ref()).map_err(failed)?;
        }
        Self::read(directory)
    }

    /// Reads the secret of the coordinator in `directory`.
    ///
    /// # Errors
    /// [`SecretError`]: there is none, or it is damaged.
    pub fn read(directory: &Path) -> Result<Self, SecretError> {
        let path = directory.join(FILE);
        let failed = |source| SecretError::File { path: path.clone(), source };
        let bytes = Zeroizing::new(std::fs::read(&path).map_err(failed)?);
        if bytes.len() != BYTES {
            return Err(SecretError::Length { path });
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// What instances compare their secrets by: it says nothing of the secret, which is random and long,
    /// nor of any key that follows from it.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        let tag = hmac::sign(&self.0, b"fellestall/report-secret/1");
        Digest::of("fellestall/report-secret/1", tag.as_ref())
    }

    /// The key that the reports of a task are verified with: the same one each time.
    #[must_use]
    pub fn verify_key(&self, task: Digest) -> [u8; VERIFY_KEY_BYTES] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(b"fellestall/verify-key/1");
        context.update(task.as_bytes());
        let mut key = [0; VERIFY_KEY_BYTES];
        key.copy_from_slice(context.sign().as_ref());
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_has_one_key_and_another_task_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (Digest::of("test", b"one"), Digest::of("test", b"other"));
        let first = TaskSecret::of(folder.path()).expect("made");
        let again = TaskSecret::of(folder.path()).expect("read");
        assert_eq!(first.verify_key(one), again.verify_key(one));
        assert_ne!(first.verify_key(one), first.verify_key(other));
        let elsewhere = tempfile::tempdir().expect("a folder");
        let stranger = TaskSecret::of(elsewhere.path()).expect("made");
        assert_ne!(first.verify_key(one), stranger.verify_key(one));
    }

    #[test]
    fn many_make_one_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        let task = Digest::of("test", b"task");
        let key = || TaskSecret::of(folder.path()).expect("a secret").verify_key(task);
        let keys: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(key)).collect();
            threads.into_iter().map(|thread| thread.join().expect("a key")).collect()
        });
        assert!(keys.iter().all(|other| *other == keys[0]));
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_this_user_can_read_it_and_a_damaged_one_is_not_replaced() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        TaskSecret::of(folder.path()).expect("made");
        let path = folder.path().join(FILE);
        let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(&path, b"short").expect("written");
        assert!(matches!(TaskSecret::of(folder.path()), Err(SecretError::Length { .. })));
        assert_eq!(std::fs::read(&path).expect("read"), b"short");
    }
}
