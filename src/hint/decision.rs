//! What of a hint goes upstream.

use super::ask::{Ask, EntryPath};
use super::domain;
use super::guard::Guard;
use super::reason::Reason;
use crate::base::text::LoginHint;
use crate::identity::User;
use crate::oidc::idp::{DomainHint, Forward, HintForm, Mismatch, PromptSupport};
use crate::oidc::{Idp, IdpId, Prompt};

/// How to find the person that a hint names. `Debug` doesn't print the hint.
#[derive(Clone, Debug)]
pub struct LookupKey {
    /// The stem of the directory.
    pub directory: String,
    /// The attributes to search, in this order; the first that finds exactly one user ends the search.
    pub attributes: &'static [&'static str],
    pub hint: LoginHint,
}

/// What the directory knows of the hint.
#[derive(Clone, Copy)]
pub enum Lookup<'a> {
    /// [`wants_lookup`] wanted none.
    NotAsked,
    /// It names nobody, or more than one.
    Unknown,
    Known {
        user: &'a User,
        /// The provider's own opaque `login_hint` claim of this user's last sign-in there.
        upstream_hint: Option<&'a str>,
    },
}

/// What goes to the identity provider because of the hint, why, and what must be checked on return.
/// Only [`decide`] makes one.
#[derive(Clone, Debug)]
pub struct Decision {
    idp: IdpId,
    login_hint: Option<LoginHint>,
    domain_hint: Option<String>,
    prompt: Prompt,
    reasons: Vec<Reason>,
    guard: Guard,
}

impl Decision {
    /// The provider that it was made for.
    #[must_use]
    pub const fn idp(&self) -> &IdpId {
        &self.idp
    }

    /// The `login_hint` to send; never an empty one.
    #[must_use]
    pub fn login_hint(&self) -> Option<&str> {
        self.login_hint.as_ref().map(LoginHint::as_str)
    }

    /// The `domain_hint` to send (Entra's).
    #[must_use]
    pub fn domain_hint(&self) -> Option<&str> {
        self.domain_hint.as_deref()
    }

    /// The `prompt` to send, as this provider understands it. It replaces a `prompt` among `authorize_params`.
    #[must_use]
    pub const fn prompt(&self) -> Option<&'static str> {
        self.prompt.as_str()
    }

    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    #[must_use]
    pub const fn guard(&self) -> &Guard {
        &self.guard
    }
}

/// Whether the directory must be asked before [`decide`]: only if the policy makes a difference between people.
#[must_use]
pub fn wants_lookup(idp: &Idp, ask: &Ask<'_>) -> Option<LookupKey> {
    let hint = ask.hint()?;
    let depends = match idp.hint.forward {
        Forward::Never => false,
        Forward::Known => true,
        Forward::Always => idp.hint.as_ != HintForm::Received,
    };
    (depends && !is_dropped_for_choice(idp, prompt_to_send(idp, ask))).then(|| LookupKey {
        directory: idp.directory.clone(),
        attributes: &["userName", "userPrincipalName", "emails"],
        hint: hint.clone(),
    })
}

/// Decides what happens to the hint of `ask` at `idp`.
#[must_use]
pub fn decide(idp: &Idp, ask: &Ask<'_>, known: Lookup<'_>) -> Decision {
    let mut reasons = vec![ask.hint_reason()];
    let asked = prompt_to_send(idp, ask);
    let login_hint = login_hint(idp, ask, known, &mut reasons);
    let domain_hint = domain_hint(idp, ask, asked, &mut reasons);
    let prompt = adapt_prompt(idp, ask, asked, &mut reasons);
    let guard = Guard::new(ask, ask.directory(idp), idp.hint.mismatch);
    if ask.hint().is_some() {
        reasons.push(match guard.mismatch() {
            Some(Mismatch::Reject) => Reason::MismatchRejected,
            Some(Mismatch::Allow) => Reason::MismatchAllowed,
            None => Reason::NotComparable,
        });
    }
    Decision { idp: idp.id.clone(), login_hint, domain_hint, prompt, reasons, guard }
}

/// What the request asks for, else what the provider's `authorize_params` always ask for. Who signs in again
/// after a mismatch must not be signed in silently as the same person once more.
fn prompt_to_send(idp: &Idp, ask: &Ask<'_>) -> Prompt {
    match (ask.path, ask.prompt) {
        (EntryPath::SignInAgain, _) => Prompt::Login,
        (_, Prompt::Absent) => {
            Prompt::parse(idp.authorize_params.get("prompt").map(String::as_str)).unwrap_or_default()
        }
        (_, asked) => asked,
    }
}

fn is_dropped_for_choice(idp: &Idp, asked: Prompt) -> bool {
    asked == Prompt::SelectAccount && idp.prompt == PromptSupport::SelectAccountWithoutHint
}

fn login_hint(idp: &Idp, ask: &Ask<'_>, known: Lookup<'_>, reasons: &mut Vec<Reason>) -> Option<LoginHint> {
    let hint = ask.hint()?;
    let mut because = |reason| reasons.push(reason);
    if idp.hint.forward == Forward::Never {
        because(Reason::ForwardNever);
        return None;
    }
    if is_dropped_for_choice(idp, prompt_to_send(idp, ask)) {
        because(Reason::SelectAccountDropsHint);
        return None;
    }
    match (idp.hint.forward, known) {
        (Forward::Known, Lookup::Known { .. }) => because(Reason::ForwardKnown),
        (Forward::Known, _) => {
            because(Reason::UnknownDropped);
            return None;
        }
        (Forward::Always | Forward::Never, _) => because(Reason::ForwardAlways),
    }
    let Lookup::Known { user, upstream_hint } = known else {
        let as_received = idp.hint.as_ == HintForm::Received;
        because(if as_received { Reason::AsReceived } else { Reason::UnknownAsReceived });
        return Some(hint.clone());
    };
    let (translated, reason) = match idp.hint.as_ {
        HintForm::Received => (Some(hint.as_str()), Reason::AsReceived),
        HintForm::UserName => (user.user_name(), Reason::AsUserName),
        HintForm::UserPrincipalName => (user.text("userPrincipalName"), Reason::AsUserPrincipalName),
        HintForm::Email => (user.email(), Reason::AsEmail),
        HintForm::Upstream => (upstream_hint, Reason::AsUpstream),
    };
    // A value of the directory that could be no hint (blank, too long, control characters) counts as absent.
    match translated.and_then(|text| LoginHint::parse(text).ok().flatten()) {
        Some(translated) => {
            because(reason);
            Some(translated)
        }
        None => {
            because(Reason::WithoutThatForm);
            Some(hint.clone())
        }
    }
}

/// The text sent always comes from the configuration, never from the request.
fn domain_hint(idp: &Idp, ask: &Ask<'_>, asked: Prompt, reasons: &mut Vec<Reason>) -> Option<String> {
    match &idp.hint.domain_hint {
        DomainHint::Never => None,
        DomainHint::Fixed(text) => {
            let sent = (!text.trim().is_empty()).then(|| text.clone());
            reasons.extend(sent.is_some().then_some(Reason::DomainHintFixed));
            sent
        }
        DomainHint::Auto => {
            let suffix = ask.hint()?.domain().and_then(|suffix| domain::find(&idp.domains, suffix));
            let (sent, reason) = match suffix {
                _ if is_dropped_for_choice(idp, asked) => (None, Reason::SelectAccountDropsDomainHint),
                Some(own) => (Some(own.to_owned()), Reason::DomainHintSent),
                None => (None, Reason::DomainHintNotHere),
            };
            reasons.push(reason);
            sent
        }
    }
}

fn adapt_prompt(idp: &Idp, ask: &Ask<'_>, asked: Prompt, reasons: &mut Vec<Reason>) -> Prompt {
    if ask.path == EntryPath::SignInAgain {
        reasons.push(Reason::SignInAgain);
        return Prompt::Login;
    }
    let (sent, reason) = match asked {
        Prompt::Absent => return Prompt::Absent,
        Prompt::SelectAccount if idp.prompt == PromptSupport::NoSelectAccount => {
            (Prompt::Login, Reason::SelectAccountAsLogin)
        }
        _ if ask.prompt == Prompt::Absent => (asked, Reason::PromptOfProvider),
        _ => (asked, Reason::PromptHandedOn),
    };
    reasons.push(reason);
    sent
}
