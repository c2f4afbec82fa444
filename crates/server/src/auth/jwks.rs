//! `GET /.well-known/jwks.json`: the public keys with which access tokens can be checked (RFC 7517, RFC 8037).

use schemars::JsonSchema;
use serde::Serialize;
use store::tokens;

use crate::http::caller::Visitor;
use crate::http::error::Result;
use crate::http::reply::Found;

/// A set of keys.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct KeySet {
    keys: Vec<Key>,
}

/// A public key.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PublicKey")]
struct Key {
    /// `OKP`.
    kty: &'static str,
    /// `Ed25519`.
    crv: &'static str,
    /// `EdDSA`.
    alg: &'static str,
    /// `sig`: for signatures.
    r#use: &'static str,
    /// Its name in a token's header.
    kid: String,
    /// The key, base64url.
    x: String,
}

pub(crate) async fn jwks(visitor: Visitor) -> Result<Found<KeySet>> {
    let keys = tokens::public_keys(&visitor.house().store).await?;
    let key =
        |key: tokens::PublicKey| Key { kty: "OKP", crv: "Ed25519", alg: "EdDSA", r#use: "sig", kid: key.kid, x: key.x };
    Ok(Found(KeySet { keys: keys.into_iter().map(key).collect() }))
}
