//! A certificate authority for one test, and keys.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// Files of a certificate for both names of this machine.
pub struct Certificate {
    pub ca: PathBuf,
    pub cert: PathBuf,
    pub key: PathBuf,
}

pub fn make(folder: &Path) -> Certificate {
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.distinguished_name.push(DnType::CommonName, "an authority for one test"); // unlike the leaf's
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, key()).expect("an authority");
    let leaf_key = key();
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let leaf = CertificateParams::new(names).expect("good names").signed_by(&leaf_key, &authority).expect("a leaf");
    let at = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).expect("a file can be written");
        path
    };
    Certificate {
        ca: at("ca.pem", &authority.pem()),
        cert: at("cert.pem", &leaf.pem()),
        key: at("key.pem", &leaf_key.serialize_pem()),
    }
}

/// A P-256 key as PKCS#8.
pub fn key_pem() -> String {
    key().serialize_pem()
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}
