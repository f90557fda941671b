//! Why a hint went the way it went: a closed list, told in traces, by `vestibule explain hint` and in the docs.

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $name:ident = $id:literal, $sentence:literal;)*) => {
        /// One reason. It never holds anything of the hint's text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason {
            $(#[doc = $sentence] $name,)*
        }

        impl Reason {
            /// In the order of the decision: where the hint is from, home realm, what is sent, what is checked.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Stable, for programs.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// For people.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

reasons! {
    NoHint = "no_hint", "There is no hint: none was sent, or it was blank.";
    ClientHintsOff = "client_hints_off", "The client sent a hint, but its `[login_hint] accept` is false.";
    Received = "received", "The hint is the one that was sent to us.";
    Typed = "typed", "The hint is what the person typed at our page.";
    TypedGoesFirst = "typed_goes_first", "The person typed another hint at our page than the one sent to us; the typed one goes first.";

    Chosen = "chosen", "The person chose this identity provider.";
    ChosenNotAllowed = "chosen_not_allowed", "The identity provider that was chosen is none that this client may use.";
    DomainParameter = "domain_parameter", "The `domain` parameter leaves this identity provider only.";
    DomainParameterNarrows = "domain_parameter_narrows", "The `domain` parameter leaves several identity providers.";
    DomainParameterNotHere = "domain_parameter_not_here", "The `domain` parameter names no domain of an identity provider that this client may use; it is ignored.";
    HintSuffix = "hint_suffix", "The hint's domain is one of this identity provider's `domains`.";
    HintSuffixNotHere = "hint_suffix_not_here", "The hint's domain is none of the `domains` of an identity provider that this client may use.";
    HintWithoutDomain = "hint_without_domain", "The hint has no domain: not exactly one `@` with text on both sides.";
    OnlyOneLeft = "only_one_left", "Only one identity provider is left; no page asks.";
    SeveralLeft = "several_left", "Several identity providers are left; a page asks.";
    NoIdpLeft = "no_idp_left", "No identity provider is enabled for this client.";

    ForwardNever = "forward_never", "This identity provider gets no hints: `forward` is `never`.";
    ForwardAlways = "forward_always", "This identity provider gets every hint: `forward` is `always`.";
    ForwardKnown = "forward_known", "The directory knows the person: `forward` is `known`.";
    UnknownDropped = "unknown_dropped", "The directory knows nobody by the hint, and `forward` is `known`: not sent.";
    SelectAccountDropsHint = "select_account_drops_hint", "The person is to choose an account, and this identity provider takes no login_hint beside select_account: not sent.";
    AsReceived = "as_received", "Sent as received.";
    UnknownAsReceived = "unknown_as_received", "The directory knows nobody by the hint: sent as received.";
    AsUserName = "as_user_name", "Sent as the known person's userName.";
    AsUserPrincipalName = "as_user_principal_name", "Sent as the known person's userPrincipalName.";
    AsEmail = "as_email", "Sent as the known person's email.";
    AsUpstream = "as_upstream", "Sent as the login_hint that the identity provider itself gave for the known person.";
    WithoutThatForm = "without_that_form", "The known person has no value of the form wanted by `as`: sent as received.";
    DomainHintSent = "domain_hint_sent", "The hint's domain is one of this identity provider's `domains`: sent as domain_hint.";
    DomainHintNotHere = "domain_hint_not_here", "The hint's domain is none of this identity provider's `domains`: no domain_hint.";
    DomainHintFixed = "domain_hint_fixed", "The domain_hint is the text in the configuration.";
    SelectAccountDropsDomainHint = "select_account_drops_domain_hint", "The person is to choose an account: no domain_hint from the hint.";
    PromptHandedOn = "prompt_handed_on", "The prompt is handed on.";
    PromptOfProvider = "prompt_of_provider", "The prompt is the one in this identity provider's `authorize_params`.";
    SelectAccountAsLogin = "select_account_as_login", "This identity provider doesn't know select_account: prompt=login in its place.";
    SignInAgain = "sign_in_again", "The person signs in again after a mismatch: prompt=login, or the same session would answer.";

    MismatchRejected = "mismatch_rejected", "If somebody else comes back, no session is made: `mismatch` is `reject`.";
    MismatchAllowed = "mismatch_allowed", "If somebody else comes back, it is let through and audited: `mismatch` is `allow`.";
    NotComparable = "not_comparable", "The hint can't be compared with who comes back, since its domain is none of the directory's: let through.";
}
