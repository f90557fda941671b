//! What one signature costs on the core that this runs on: tells how fast the machine is at the moment.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
    RsaKeyPair, UnparsedPublicKey,
};
use serde_json::json;

use crate::process::Process;

/// As long as the signed part of a usual ID token.
const MESSAGE: [u8; 600] = [b'v'; 600];

pub fn measure() -> anyhow::Result<()> {
    let random = SystemRandom::new();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let mut signature = vec![0; rsa.public_modulus_len()];
    let sign_rsa = per_call(2_000, || Ok(rsa.sign(&RSA_PKCS1_SHA256, &random, &MESSAGE, &mut signature)?))?;
    let public = rsa.public_key().as_ref().to_vec();
    let verify_rsa = per_call(10_000, || {
        Ok(UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public).verify(&MESSAGE, &signature)?)
    })?;
    let sign_ec = per_call(20_000, || ec.sign(&random, &MESSAGE).map(drop).map_err(Into::into))?;
    let report = json!({ "rs256_sign_us": sign_rsa, "rs256_verify_us": verify_rsa, "es256_sign_us": sign_ec });
    println!("{report}");
    Ok(())
}

/// CPU microseconds of one call.
fn per_call(count: u32, mut call: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let own = Process(u64::from(std::process::id()));
    let before = own.cpu()?;
    for _ in 0..count {
        call()?;
    }
    Ok((own.cpu()? - before) * 1e6 / f64::from(count))
}
