//! Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4), sound and otherwise.

use std::sync::atomic::Ordering;

use serde_json::{Map, Value, json};

use super::keys::{key, sign};
use super::{EvilIdp, Sign, lock};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What is wrong with a logout token: one thing each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    WrongIssuer,
    IssuerWithSlash,
    NoIssuer,
    WrongAudience,
    OneAudienceTooMany,
    NoAudience,
    Nonce,
    EmptyNonce,
    NoEvents,
    EventsAreText,
    EventsAreList,
    OtherEvent,
    EventIsText,
    Expired,
    NoExp,
    ExpIsText,
    NotYet,
    OldIat,
    IatAhead,
    NoIat,
    NoJti,
    EmptyJti,
    JtiIsNumber,
    NeitherSidNorSub,
    SidIsNumber,
    EmptySub,
    AlgNone,
    AlgHs256,
    AlgOtherThanConfigured,
    ForeignKey,
    UnknownKid,
    FlippedBit,
    NoSignature,
    TypeOfAccessTokens,
    TypeIsNumber,
    Crit,
    B64,
    ClaimTwice,
    Cut,
    FourParts,
    Long,
}

impl Flaw {
    pub const ALL: [Self; 41] = [
        Self::WrongIssuer,
        Self::IssuerWithSlash,
        Self::NoIssuer,
        Self::WrongAudience,
        Self::OneAudienceTooMany,
        Self::NoAudience,
        Self::Nonce,
        Self::EmptyNonce,
        Self::NoEvents,
        Self::EventsAreText,
        Self::EventsAreList,
        Self::OtherEvent,
        Self::EventIsText,
        Self::Expired,
        Self::NoExp,
        Self::ExpIsText,
        Self::NotYet,
        Self::OldIat,
        Self::IatAhead,
        Self::NoIat,
        Self::NoJti,
        Self::EmptyJti,
        Self::JtiIsNumber,
        Self::NeitherSidNorSub,
        Self::SidIsNumber,
        Self::EmptySub,
        Self::AlgNone,
        Self::AlgHs256,
        Self::AlgOtherThanConfigured,
        Self::ForeignKey,
        Self::UnknownKid,
        Self::FlippedBit,
        Self::NoSignature,
        Self::TypeOfAccessTokens,
        Self::TypeIsNumber,
        Self::Crit,
        Self::B64,
        Self::ClaimTwice,
        Self::Cut,
        Self::FourParts,
        Self::Long,
    ];

    fn change(self, header: &mut Map<String, Value>, claims: &mut Map<String, Value>) {
        let text = |map: &Map<String, Value>, name: &str| map[name].as_str().unwrap_or_default().to_owned();
        let mut claim = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
        match self {
            Self::WrongIssuer => claim("iss", json!("https://evil.test")),
            Self::IssuerWithSlash => {
                let issuer = text(claims, "iss");
                claims.insert("iss".to_owned(), json!(format!("{issuer}/")));
            }
            Self::WrongAudience => claim("aud", json!("another-client")),
            Self::OneAudienceTooMany => {
                let audience = text(claims, "aud");
                claims.insert("aud".to_owned(), json!([audience, "another-client"]));
            }
            Self::Nonce => claim("nonce", json!("n-0S6_WzA2Mj")),
            Self::EmptyNonce => claim("nonce", Value::Null),
            Self::EventsAreText => claim("events", json!(EVENT)),
            Self::EventsAreList => claim("events", json!([EVENT])),
            Self::OtherEvent => claim("events", json!({ "http://schemas.openid.net/event/other": {} })),
            Self::EventIsText => claim("events", json!({ EVENT: "" })),
            Self::ExpIsText => claim("exp", json!("4102444800")),
            Self::EmptyJti => claim("jti", json!("")),
            Self::JtiIsNumber => claim("jti", json!(7)),
            Self::SidIsNumber => claim("sid", json!(7)),
            Self::EmptySub => claim("sub", json!("")),
            Self::Expired => shift(claims, "exp", -120 - 61),
            Self::NotYet => {
                let iat = claims["iat"].clone();
                claims.insert("nbf".to_owned(), iat);
                shift(claims, "nbf", 61);
            }
            Self::OldIat => shift(claims, "iat", -121),
            Self::IatAhead => shift(claims, "iat", 61),
            Self::NoIssuer => drop(claims.remove("iss")),
            Self::NoAudience => drop(claims.remove("aud")),
            Self::NoEvents => drop(claims.remove("events")),
            Self::NoExp => drop(claims.remove("exp")),
            Self::NoIat => drop(claims.remove("iat")),
            Self::NoJti => drop(claims.remove("jti")),
            Self::NeitherSidNorSub => {
                claims.remove("sid");
                claims.remove("sub");
            }
            Self::AlgNone => drop(header.insert("alg".to_owned(), json!("none"))),
            Self::AlgHs256 => drop(header.insert("alg".to_owned(), json!("HS256"))),
            Self::UnknownKid => drop(header.insert("kid".to_owned(), json!("nobody's"))),
            Self::TypeOfAccessTokens => drop(header.insert("typ".to_owned(), json!("at+jwt"))),
            Self::TypeIsNumber => drop(header.insert("typ".to_owned(), json!(7))),
            Self::Crit => drop(header.insert("crit".to_owned(), json!(["exp"]))),
            Self::B64 => drop(header.insert("b64".to_owned(), json!(true))),
            Self::Long => claim("padding", json!("p".repeat(16 * 1024))),
            Self::AlgOtherThanConfigured
            | Self::ForeignKey
            | Self::FlippedBit
            | Self::NoSignature
            | Self::ClaimTwice
            | Self::Cut
            | Self::FourParts => {}
        }
    }

    const fn sign(self) -> Sign {
        match self {
            Self::AlgNone | Self::NoSignature => Sign::Empty,
            Self::AlgHs256 => Sign::HmacWithPublicKey,
            Self::ForeignKey => Sign::ForeignKey,
            Self::FlippedBit => Sign::FlippedBit,
            _ => Sign::Soundly,
        }
    }
}

fn shift(claims: &mut Map<String, Value>, name: &str, seconds: i64) {
    let moment = claims[name].as_i64().unwrap_or_default();
    claims.insert(name.to_owned(), json!(moment + seconds));
}

impl EvilIdp {
    /// A sound logout token for `vestibule` as its client; `named` has `sid`, `sub` or both, and whatever else it
    /// shall say.
    pub fn logout_token(&self, named: Value) -> String {
        self.make_logout_token(named, None)
    }

    /// One with a flaw.
    pub fn bad_logout_token(&self, named: Value, flaw: Flaw) -> String {
        self.make_logout_token(named, Some(flaw))
    }

    fn make_logout_token(&self, named: Value, flaw: Option<Flaw>) -> String {
        let mut script = lock(&self.shared.script).clone();
        if flaw == Some(Flaw::AlgOtherThanConfigured) {
            script.alg = "EdDSA";
        }
        let (now, number) = (self.shared.clock.now().secs(), self.shared.issued.fetch_add(1, Ordering::SeqCst));
        let claims = json!({
            "iss": self.shared.issuer, "aud": "vestibule", "iat": now, "exp": now + 120,
            "jti": format!("jti-{number}"), "events": { EVENT: {} },
        });
        let mut claims = claims.as_object().cloned().unwrap_or_default();
        claims.extend(named.as_object().cloned().unwrap_or_default());
        let key = key(script.keys - 1);
        let header = json!({ "alg": script.alg, "kid": key.kid(script.alg), "typ": "logout+jwt" });
        let mut header = header.as_object().cloned().unwrap_or_default();
        if let Some(flaw) = flaw {
            flaw.change(&mut header, &mut claims);
            script.sign = flaw.sign();
        }
        if let Some(change) = &script.header {
            change(&mut header);
        }
        let token = match flaw {
            Some(Flaw::ClaimTwice) => super::keys::sign_text(&script, &key, &header, &twice(&claims)),
            _ => sign(&script, &key, &header, &claims),
        };
        match flaw {
            Some(Flaw::Cut) => token[..token.len() - 100].to_owned(),
            Some(Flaw::FourParts) => format!("{token}.e30"),
            _ => token,
        }
    }
}

/// The claims with `sub` a second time, of which parsers take the first or the last.
fn twice(claims: &Map<String, Value>) -> String {
    let once = Value::Object(claims.clone()).to_string();
    let open = once.strip_suffix('}').unwrap_or_default();
    format!("{open},\"sub\":\"somebody-else\",\"sub\":\"somebody-else\"}}")
}
