//! The head file: the chain's last place and head, noted beside the journal.
//!
//! It makes a shortened, deleted or older journal visible: the note is ahead of it then. The note is
//! written after the commit it tells of, so that a crash may leave it one release behind, never
//! ahead.
//!
//! **Invariant:** written only while the journal is locked, and never backwards.

use super::JournalError;
use super::chain::Chain;
use fellestall_shared::digest::Digest;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where the head is noted.
pub(super) struct HeadFile {
    path: PathBuf,
    draft: PathBuf,
}

impl HeadFile {
    /// The head file of a journal: its name with `.head` after it.
    pub(super) fn beside(journal: &Path) -> Self {
        let with = |end: &str| {
            let mut name = OsString::from(journal);
            name.push(end);
            PathBuf::from(name)
        };
        Self { path: with(".head"), draft: with(".head.new") }
    }

    /// Checks that the chain is not behind the note, and brings the note up to the chain.
    ///
    /// # Errors
    /// [`JournalError::Behind`] if the chain is not the noted one or at most one release further.
    pub(super) fn agree(&self, chain: &Chain, journal: &Path) -> Result<(), JournalError> {
        let failed = |source| JournalError::from_io(&self.path, source);
        let noted = match fs::read_to_string(&self.path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Some(String::new()),
            Err(error) => return Err(failed(error)),
        };
        let now = note(chain.next_sequence(), chain.head());
        match noted {
            Some(text) if text == now => Ok(()),
            Some(text)
                if chain.before_last().is_some_and(|(next, head)| text == note(next, head)) =>
            {
                self.write(&now).map_err(failed)
            }
            None if chain.is_empty() => self.write(&now).map_err(failed),
            _ => Err(JournalError::Behind { path: journal.to_owned(), head: self.path.clone() }),
        }
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut draft = options.open(&self.draft)?;
        draft.write_all(text.as_bytes())?;
        draft.sync_all()?;
        fs::rename(&self.draft, &self.path)?;
        match self.path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(folder) => File::open(folder)?.sync_all(),
            None => File::open(".")?.sync_all(),
        }
    }
}

fn note(next_sequence: u64, head: Digest) -> String {
    format!("{next_sequence} {head}\n")
}
