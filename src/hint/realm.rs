//! Home realm: which identity provider a person belongs to.

use std::sync::Arc;

use super::ask::Ask;
use super::domain;
use super::reason::Reason;
use crate::oidc::Idp;

/// Where a login goes.
#[derive(Clone, Debug)]
pub enum Realm {
    /// To this identity provider.
    Idp { idp: Arc<Idp>, reasons: Vec<Reason> },
    /// A page asks: for the work email, or which of these. With prompt=none: `interaction_required`.
    Choose { idps: Vec<Arc<Idp>>, reasons: Vec<Reason> },
    /// Nowhere: this client may use no provider, or not the one whose button was pressed.
    NotAllowed { reasons: Vec<Reason> },
}

impl Realm {
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Self::Idp { reasons, .. } | Self::Choose { reasons, .. } | Self::NotAllowed { reasons } => reasons,
        }
    }
}

/// Chooses the identity provider: the button pressed, the `domain` parameter, the hint's suffix, the only one
/// left; else a page asks.
///
/// Only the client's own providers are looked at, so that a domain that belongs to nobody and one that belongs
/// to somebody else can't be told apart.
#[must_use]
pub fn home_realm(ask: &Ask<'_>) -> Realm {
    let mut reasons = Vec::new();
    if ask.idps.is_empty() {
        return Realm::NotAllowed { reasons: vec![Reason::NoIdpLeft] };
    }
    if let Some(chosen) = ask.chosen {
        return match ask.idps.iter().find(|idp| idp.id == *chosen) {
            Some(idp) => Realm::Idp { idp: Arc::clone(idp), reasons: vec![Reason::Chosen] },
            None => Realm::NotAllowed { reasons: vec![Reason::ChosenNotAllowed] },
        };
    }
    let left = by_domain_parameter(ask, &mut reasons);
    if let [only] = left.as_slice() {
        if reasons.last() != Some(&Reason::DomainParameter) {
            reasons.push(Reason::OnlyOneLeft);
        }
        return Realm::Idp { idp: Arc::clone(only), reasons };
    }
    match by_suffix(ask, &left, &mut reasons) {
        Some(idp) => Realm::Idp { idp, reasons },
        None => {
            reasons.push(Reason::SeveralLeft);
            Realm::Choose { idps: left, reasons }
        }
    }
}

/// The providers that the `domain` parameter leaves: those that claim the domain, else those of the directory
/// that has it; all of them if there is no such domain here.
fn by_domain_parameter(ask: &Ask<'_>, reasons: &mut Vec<Reason>) -> Vec<Arc<Idp>> {
    let Some(asked) = ask.domain.filter(|domain| !domain.trim().is_empty()) else {
        return ask.idps.to_vec();
    };
    let claiming = claiming(ask.idps, asked);
    let selected = if claiming.is_empty() {
        let of_directory =
            |idp: &&Arc<Idp>| ask.directory(idp).is_some_and(|d| domain::find(&d.domains, asked).is_some());
        ask.idps.iter().filter(of_directory).cloned().collect()
    } else {
        claiming
    };
    if selected.is_empty() {
        reasons.push(Reason::DomainParameterNotHere);
        return ask.idps.to_vec();
    }
    reasons.push(if selected.len() == 1 { Reason::DomainParameter } else { Reason::DomainParameterNarrows });
    selected
}

/// The one provider that claims the domain of the hint.
fn by_suffix(ask: &Ask<'_>, left: &[Arc<Idp>], reasons: &mut Vec<Reason>) -> Option<Arc<Idp>> {
    let Some(hint) = ask.hint() else {
        reasons.push(ask.hint_reason());
        return None;
    };
    let Some(suffix) = hint.domain() else {
        reasons.push(Reason::HintWithoutDomain);
        return None;
    };
    match claiming(left, suffix).as_slice() {
        [only] => {
            reasons.push(Reason::HintSuffix);
            Some(Arc::clone(only))
        }
        _ => {
            reasons.push(Reason::HintSuffixNotHere);
            None
        }
    }
}

fn claiming(idps: &[Arc<Idp>], asked: &str) -> Vec<Arc<Idp>> {
    idps.iter().filter(|idp| domain::find(&idp.domains, asked).is_some()).cloned().collect()
}
