//! The door to identity providers, tried against a scripted evil one.

#[cfg(test)]
#[path = "upstream/bench.rs"]
mod bench;
#[cfg(test)]
#[path = "upstream/claims.rs"]
mod claims;
#[cfg(test)]
#[path = "support/evil_idp/mod.rs"]
mod evil_idp;
#[cfg(test)]
#[path = "upstream/faults.rs"]
mod faults;
#[cfg(test)]
#[path = "upstream/logout_token.rs"]
mod logout_token;
#[cfg(test)]
#[path = "upstream/metadata.rs"]
mod metadata;
#[cfg(test)]
#[path = "upstream/outbound.rs"]
mod outbound;
#[cfg(test)]
#[path = "upstream/request.rs"]
mod request;
#[cfg(test)]
#[path = "upstream/signature.rs"]
mod signature;
#[cfg(test)]
#[path = "upstream/userinfo.rs"]
mod userinfo;
