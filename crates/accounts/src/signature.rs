//! Tokens of API clients: signed JSON (JWT), so that a forged one is refused without a query.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use protocol::{AccountId, CredentialId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::AccountsError;

const ISSUER: &str = "pitwall";
const AUDIENCE: &str = "pitwall:api";
/// The only algorithm: a token with another one, or none, is refused before its signature is checked.
const ALGORITHM: Algorithm = Algorithm::HS256;

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: AccountId,
    jti: CredentialId,
    iat: i64,
    exp: i64,
}

/// Signs tokens and verifies them.
pub struct Signer {
    sign: EncodingKey,
    check: DecodingKey,
    validation: Validation,
}

impl Signer {
    pub fn new(key: &[u8]) -> Self {
        let mut validation = Validation::new(ALGORITHM);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        validation.leeway = 0;
        Self { sign: EncodingKey::from_secret(key), check: DecodingKey::from_secret(key), validation }
    }

    pub fn sign(
        &self,
        id: CredentialId,
        account: &AccountId,
        issued: Timestamp,
        expires: Timestamp,
    ) -> Result<String, AccountsError> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: account.clone(),
            jti: id,
            iat: issued.0.div_euclid(1000),
            exp: expires.0.div_euclid(1000),
        };
        encode(&Header::new(ALGORITHM), &claims, &self.sign)
            .map_err(|error| AccountsError::Cryptography(error.to_string()))
    }

    /// The id and the account of a token; `None` if it is not signed by this server, or has expired.
    pub fn check(&self, token: &str) -> Option<(CredentialId, AccountId)> {
        let claims = decode::<Claims>(token, &self.check, &self.validation).ok()?.claims;
        Some((claims.jti, claims.sub))
    }
}
