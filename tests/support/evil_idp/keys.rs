//! Keys and signatures of the evil provider. Keys are made once in a process: an RSA pair costs a tenth
//! of a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::{Script, Sign, lock};

/// One key of each kind.
pub struct KeyTrio {
    number: usize,
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

/// The number of the keys that no JWKS has.
const FOREIGN: usize = usize::MAX;

/// The keys of this number.
pub fn key(number: usize) -> Arc<KeyTrio> {
    static MADE: OnceLock<Mutex<HashMap<usize, Arc<KeyTrio>>>> = OnceLock::new();
    let mut made = lock(MADE.get_or_init(Mutex::default));
    let trio = made.entry(number).or_insert_with(|| {
        Arc::new(KeyTrio {
            number,
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"),
            ed: Ed25519KeyPair::generate().expect("a key"),
        })
    });
    Arc::clone(trio)
}

impl KeyTrio {
    pub fn kid(&self, alg: &str) -> String {
        let kind = match alg {
            "ES256" => "ec",
            "EdDSA" => "ed",
            _ => "rsa",
        };
        format!("{kind}-{}", self.number)
    }

    /// The modulus of the RSA key, base64url.
    fn modulus(&self) -> String {
        // DER of a 2048-bit RSAPublicKey: nine bytes of heads, the modulus, then the exponent.
        URL_SAFE_NO_PAD.encode(&self.rsa.public_key().as_ref()[9..265])
    }

    pub fn jwks(&self) -> [Value; 3] {
        let point = self.ec.public_key().as_ref();
        let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        [
            json!({"kty": "RSA", "use": "sig", "kid": self.kid("RS256"), "n": self.modulus(), "e": "AQAB"}),
            json!({"kty": "EC", "use": "sig", "kid": self.kid("ES256"), "crv": "P-256",
                "x": encoded(&point[1..33]), "y": encoded(&point[33..])}),
            json!({"kty": "OKP", "use": "sig", "kid": self.kid("EdDSA"), "crv": "Ed25519",
                "x": encoded(self.ed.public_key().as_ref())}),
        ]
    }
}

pub fn at_hash(alg: &str, access_token: &str) -> String {
    use aws_lc_rs::digest::{SHA256, SHA512, digest};
    let whole = digest(if alg == "EdDSA" { &SHA512 } else { &SHA256 }, access_token.as_bytes());
    URL_SAFE_NO_PAD.encode(&whole.as_ref()[..whole.as_ref().len() / 2])
}

/// A compact JWT, signed as the script has it.
pub fn sign(script: &Script, key: &KeyTrio, header: &Map<String, Value>, claims: &Map<String, Value>) -> String {
    sign_text(script, key, header, &Value::Object(claims.clone()).to_string())
}

/// The same for claims as they are written.
pub fn sign_text(script: &Script, key: &KeyTrio, header: &Map<String, Value>, claims: &str) -> String {
    let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let message = format!("{}.{}", encoded(&Value::Object(header.clone()).to_string()), encoded(claims));
    let foreign = self::key(FOREIGN);
    let pair = if script.sign == Sign::ForeignKey { &foreign } else { key };
    let mut signature = match script.sign {
        Sign::Empty => Vec::new(),
        Sign::HmacWithPublicKey => {
            let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key.modulus().as_bytes());
            aws_lc_rs::hmac::sign(&secret, message.as_bytes()).as_ref().to_vec()
        }
        Sign::Zeros => vec![0; 64],
        _ => signature(pair, script.alg, message.as_bytes()),
    };
    if script.sign == Sign::FlippedBit {
        signature[17] ^= 0x04;
    }
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn signature(key: &KeyTrio, alg: &str, message: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    match alg {
        "ES256" => key.ec.sign(&random, message).expect("signs").as_ref().to_vec(),
        "EdDSA" => key.ed.sign(message).as_ref().to_vec(),
        _ => {
            let mut signature = vec![0; key.rsa.public_modulus_len()];
            let padding: &dyn aws_lc_rs::signature::RsaEncoding =
                if alg == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
            key.rsa.sign(padding, &random, message, &mut signature).expect("signs");
            signature
        }
    }
}
