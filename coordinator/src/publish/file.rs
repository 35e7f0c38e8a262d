//! The bytes of a publication: the sealed file and the bundle.
//!
//! **Invariant:** what is signed is the digest of the publication as compact JSON; a file that does
//! not read back to exactly its own bytes is not one of ours.

use super::{FORMAT, Publication, PublicationFile, PublishError, Published, Seal};
use fellestall_shared::digest::Digest;
use fellestall_shared::signed::{Envelope, SignatureError, SigningKey};

/// The digest that a seal signs; `None` if memory for the bytes cannot be had.
#[must_use]
pub fn digest(publication: &Publication) -> Option<Digest> {
    let bytes = serde_json::to_vec(publication).ok()?;
    Some(Digest::of("fellestall/publication/1", &bytes))
}

/// The bytes of a file: indented JSON with a final line break.
#[must_use]
pub fn bytes(file: &PublicationFile) -> Option<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(file).ok()?;
    bytes.push(b'\n');
    Some(bytes)
}

/// Signs a publication and writes its two files.
///
/// # Errors
/// [`PublishError::NotSigned`].
pub fn seal(
    publication: Publication,
    releases: Vec<Envelope>,
    releases_are_public: bool,
    key: &SigningKey,
) -> Result<Published, PublishError> {
    let not_written = || PublishError::NotSigned(SignatureError::NotSigned);
    let seal = Seal {
        round: publication.round.clone(),
        version: publication.version,
        publication: digest(&publication).ok_or_else(not_written)?,
    };
    let seal = key.sign(&seal).map_err(PublishError::NotSigned)?;
    let mut file = PublicationFile { format: FORMAT.to_owned(), publication, seal, releases };
    let bundle = bytes(&file).ok_or_else(not_written)?;
    if !releases_are_public {
        file.releases.clear();
    }
    let document = bytes(&file).ok_or_else(not_written)?;
    let digest = Digest::of("fellestall/publication file/1", &document);
    Ok(Published { publication: file.publication, document, digest, bundle })
}
