//! Files that survive a crash and that only their owner reads.
//!
//! **Invariant:** a file is either the old one or the whole new one; a secret that others can read
//! is not used.

use ring::rand::{SecureRandom, SystemRandom};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Bytes of one secret file, at the most.
pub const SECRET_BYTES: usize = 64 * 1024;

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A secret that the group or everyone may read.
    #[error(
        "{} can be read by others than its owner (mode {mode:04o}); mend it with: chmod {} {}",
        path.display(), if *directory { "700" } else { "600" }, path.display()
    )]
    TooOpen {
        /// The file or directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// Whether it is a directory.
        directory: bool,
    },
    /// Larger than such a file can be.
    #[error("{} is larger than {SECRET_BYTES} bytes: it is not what it should be", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}

fn io_error<'p>(action: &'static str, path: &'p Path) -> impl FnOnce(io::Error) -> FileError + 'p {
    move |source| FileError::Io { action, path: path.to_owned(), source }
}

/// Makes a directory that only its owner enters, with its parents.
///
/// # Errors
/// [`FileError::Io`].
pub fn create_directory(path: &Path) -> Result<(), FileError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(io_error("make the directory", path))
}

/// Writes a file of mode 0600, in place of an older one if there is one: written aside, flushed to
/// the disk, then renamed.
///
/// # Errors
/// [`FileError::Io`]; the older file then stands.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let aside = write_aside(path, bytes)?;
    let renamed = fs::rename(&aside, path).map_err(io_error("write", path));
    finish(path, &aside, renamed)
}

/// Writes a new file of mode 0600; `false` if there was one already, which then stands.
///
/// # Errors
/// [`FileError::Io`].
pub fn create(path: &Path, bytes: &[u8]) -> Result<bool, FileError> {
    let aside = write_aside(path, bytes)?;
    let linked = match fs::hard_link(&aside, path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(io_error("write", path)(error)),
    };
    finish(path, &aside, linked)
}

/// Destroys a file: overwritten with zeros, flushed and removed. A file that is not there is no
/// error. A file system that writes elsewhere, and backups, may still hold what it was.
///
/// # Errors
/// [`FileError::Io`].
pub fn destroy(path: &Path) -> Result<(), FileError> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error("destroy", path)(error)),
    };
    file.metadata()
        .and_then(|metadata| io::copy(&mut io::repeat(0).take(metadata.len()), &mut file))
        .and_then(|_| file.sync_all())
        .and_then(|()| fs::remove_file(path))
        .and_then(|()| File::open(parent(path))?.sync_all())
        .map_err(io_error("destroy", path))
}

fn finish<T>(path: &Path, aside: &Path, done: Result<T, FileError>) -> Result<T, FileError> {
    // After a rename there is nothing aside any more; after a failure nothing may be left there.
    if let Err(error) = fs::remove_file(aside)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(io_error("remove", aside)(error));
    }
    let done = done?;
    let directory = parent(path);
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(io_error("flush the directory", directory))?;
    Ok(done)
}

fn write_aside(path: &Path, bytes: &[u8]) -> Result<PathBuf, FileError> {
    let mut tail = [0_u8; 8];
    SystemRandom::new().fill(&mut tail).map_err(|_| {
        io_error("get random numbers to name a file beside", path)(io::Error::other("no entropy"))
    })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = parent(path).join(format!(".{name}.{}", data_encoding::HEXLOWER.encode(&tail)));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&aside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    if let Err(error) = written {
        // The half-written file has no meaning; what failed is what the operator should hear of.
        drop(fs::remove_file(&aside));
        return Err(io_error("write", path)(error));
    }
    Ok(aside)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Reads a secret, if only its owner can.
///
/// # Errors
/// [`FileError`]: missing, too open or too large.
pub fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let mut file = File::open(path).map_err(io_error("read", path))?;
    let metadata = file.metadata().map_err(io_error("read", path))?;
    refuse_open_mode(path, &metadata)?;
    let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if size > SECRET_BYTES {
        return Err(FileError::TooLarge { path: path.to_owned() });
    }
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(size.saturating_add(1)));
    let limit = u64::try_from(SECRET_BYTES).unwrap_or(u64::MAX);
    (&mut file).take(limit).read_to_end(&mut bytes).map_err(io_error("read", path))?;
    Ok(bytes)
}

/// Refuses a file or directory that others than its owner may read or write.
///
/// # Errors
/// [`FileError::TooOpen`] with the command that mends it.
pub fn refuse_open(path: &Path) -> Result<(), FileError> {
    let metadata = fs::metadata(path).map_err(io_error("look at", path))?;
    refuse_open_mode(path, &metadata)
}

fn refuse_open_mode(path: &Path, metadata: &fs::Metadata) -> Result<(), FileError> {
    let mode = metadata.permissions().mode() & 0o7777;
    // The six lowest bits are those of the group and of everyone.
    if mode.trailing_zeros() >= 6 {
        return Ok(());
    }
    Err(FileError::TooOpen { path: path.to_owned(), mode, directory: metadata.is_dir() })
}

#[cfg(test)]
mod tests;
