//! What the node writes down of its own work: once each, however often it happens.
//!
//! **Invariant:** an entry that is there already, word for word of the same thing, is not written
//! again; so a step that is done again after a crash leaves one entry.

use super::{Actor, AuditError, AuditLog, Event, Unanswered};
use crate::files::FileError;
use crate::kernel::{Recorded, Release};
use crate::{config, register};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::RoundId;
use std::io;
use std::path::Path;

impl AuditLog {
    /// Writes down that the configuration or the register of processing is another than when it was
    /// last looked at.
    ///
    /// # Errors
    /// [`AuditError`]: nothing may be decided or released.
    pub fn note_settings(&mut self, now: Timestamp, by: &Actor) -> Result<(), AuditError> {
        let directory = self.path.parent().unwrap_or(Path::new(".")).to_owned();
        let configuration = digest_of(&directory.join(config::FILE))?;
        let register = digest_of(&directory.join(register::FILE))?;
        let entries = self.entries()?;
        let (mut known_configuration, mut known_register) = (None, None);
        for entry in &entries {
            match &entry.body.what {
                Event::ConfigurationChanged { digest } => known_configuration = Some(*digest),
                Event::RegisterChanged { digest } => known_register = Some(*digest),
                _ => {}
            }
        }
        if let Some(digest) = configuration.filter(|_| configuration != known_configuration) {
            self.append(now, by, Event::ConfigurationChanged { digest })?;
        }
        if register != known_register {
            // A register that was removed is one without purposes.
            let digest = register.unwrap_or_else(|| settings_digest(b""));
            if known_register != Some(digest) {
                self.append(now, by, Event::RegisterChanged { digest })?;
            }
        }
        Ok(())
    }

    /// Writes an entry unless there is one that says the same.
    ///
    /// # Errors
    /// [`AuditError`].
    pub fn append_once(
        &mut self,
        at: Timestamp,
        by: &Actor,
        what: Event,
    ) -> Result<(), AuditError> {
        let is_known = self.entries()?.iter().any(|entry| entry.body.what == what);
        if is_known { Ok(()) } else { self.append(at, by, what).map(drop) }
    }

    /// Writes down a release that is on disk.
    ///
    /// # Errors
    /// [`AuditError`]: it may not be sent.
    pub fn note_released(
        &mut self,
        now: Timestamp,
        round: &RoundId,
        release: &Release<Recorded>,
    ) -> Result<(), AuditError> {
        let what = Event::Released {
            round: round.clone(),
            release: release.id(),
            payload: release.payload_digest(),
            ledger_sequence: release.sequence(),
            charge: release.charge(),
        };
        self.append_once(now, &Actor::node(), what)
    }

    /// Writes down why a round is not answered, unless that was the reason the last time too.
    ///
    /// # Errors
    /// [`AuditError`].
    pub fn note_not_released(
        &mut self,
        now: Timestamp,
        round: &RoundId,
        reason: Unanswered,
    ) -> Result<(), AuditError> {
        let entries = self.entries()?;
        let last = entries.iter().rev().find_map(|entry| match &entry.body.what {
            Event::NotReleased { round: other, reason } if other == round => Some(*reason),
            _ => None,
        });
        if last == Some(reason) {
            return Ok(());
        }
        let what = Event::NotReleased { round: round.clone(), reason };
        self.append(now, &Actor::node(), what).map(drop)
    }
}

/// The digest of a settings file; `None` if there is none.
fn digest_of(path: &Path) -> Result<Option<Digest>, AuditError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(settings_digest(&bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FileError::Io { action: "read", path: path.to_owned(), source }.into()),
    }
}

fn settings_digest(bytes: &[u8]) -> Digest {
    Digest::of("fellestall/settings/1", bytes)
}
