//! What parent and child say to each other: a length, that many bytes of JSON, and in a request the document's bytes.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::Limits;

/// A head has no more bytes.
const HEAD: usize = 64 << 10;

/// What a child may use, said before anything else.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confinement {
    /// Bytes of address space.
    pub(super) memory: u64,
    /// Seconds of processor.
    pub(super) processor: u64,
}

/// What comes before a document's bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    pub(super) name: String,
    pub(super) declared: Option<String>,
    pub(super) limits: Limits,
    pub(super) bytes: u64,
}

pub(super) async fn send(to: &mut (impl AsyncWrite + Unpin), head: &impl Serialize, bytes: &[u8]) -> io::Result<()> {
    let head = serde_json::to_vec(head)?;
    to.write_all(&length(&head)?).await?;
    to.write_all(&head).await?;
    to.write_all(bytes).await?;
    to.flush().await
}

pub(super) async fn receive<T: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin), most: usize) -> io::Result<T> {
    let length = usize::try_from(from.read_u64_le().await?).unwrap_or(usize::MAX);
    if length > most {
        return Err(io::Error::other("too long an answer"));
    }
    // Grows as it comes: a length is only a word.
    let mut json = vec![];
    from.take(length as u64).read_to_end(&mut json).await?;
    if json.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&json)?)
}

/// The child's side of [`send`]. Nothing at the end of the requests.
pub(super) fn next<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 8];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        done => done?,
    }
    let length = usize::try_from(u64::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > HEAD {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut json = vec![0; length];
    from.read_exact(&mut json)?;
    Ok(Some(serde_json::from_slice(&json)?))
}

/// The child's side of [`receive`].
pub(super) fn answer(to: &mut impl Write, answer: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_vec(answer)?;
    to.write_all(&length(&json)?)?;
    to.write_all(&json)?;
    to.flush()
}

fn length(json: &[u8]) -> io::Result<[u8; 8]> {
    Ok(u64::try_from(json.len()).map_err(io::Error::other)?.to_le_bytes())
}
