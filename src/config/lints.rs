//! Every finding that exists: the one table behind `check`, the log, the golden tests and
//! `docs/config-findings.md`.

/// What a finding does to the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The folder can't be used.
    Error,
    /// It can, and somebody should look at it.
    Warning,
}

impl Severity {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One kind of finding.
#[derive(Debug)]
pub struct Lint {
    pub code: &'static str,
    pub severity: Severity,
    /// What is wrong, without the particulars.
    pub title: &'static str,
    /// Why it matters and how to mend it.
    pub help: &'static str,
}

macro_rules! lints {
    ($($code:ident $severity:ident $title:literal $help:literal)*) => {
        $(pub static $code: Lint =
            Lint { code: stringify!($code), severity: Severity::$severity, title: $title, help: $help };)*

        /// All of them, in the order of the reference.
        pub static ALL: &[&Lint] = &[$(&$code),*];
    };
}

lints! {
    CFG01 Error "the file is not valid TOML"
        "mend the syntax at the marked place; https://toml.io has the language"
    CFG02 Error "unknown key"
        "remove the key or correct its name; docs/configuration.md lists the keys of each file"
    CFG03 Error "a value of the wrong type"
        "write the value in the form named at the marked place"
    CFG04 Error "a value that can't be used"
        "write one of the values named at the marked place"
    CFG05 Error "a key is missing that has no default"
        "add the key; there is no value that would be right for everybody"
    CFG06 Error "the file's name is not an id"
        "rename the file: the stem is the object's id, 1 to 63 of a-z, 0-9 and -, not beginning with -"
    CFG07 Error "there is no configuration here"
        "`vestibule demo` shows the whole product without any configuration; `vestibule check` reads a folder and says what is wrong with it"
    CFG08 Warning "a file or folder that isn't read"
        "the folder has vestibule.toml and the folders directories, idps, clients and services, with one ID.toml for each object"
    CFG09 Warning "a secret stands in the open"
        "keep it out of the file: { env = \"NAME\" } reads it from the environment, { file = \"PATH\" } from a file"
    CFG10 Error "a secret is missing"
        "set the environment variable, or write the file, before the server starts"
    CFG11 Warning "a short secret"
        "use at least 16 characters, better 32 random ones (`openssl rand -base64 32`)"
    CFG12 Error "not a regular file inside the folder"
        "links may point to files inside the folder only, as mounted ConfigMaps do; pipes and devices are never read"
    CFG13 Warning "everybody on this machine may change it"
        "whoever can write here decides who may sign in; `chmod o-w` it"
    CFG14 Error "the file is too large"
        "a file of this folder has at most 1 MiB"
    CFG15 Error "a control character in a value"
        "line breaks and other control characters would split headers and addresses; remove them"
    CFG16 Error "an address that can't be used"
        "write an absolute https:// address; http:// is for loopback only"
    CFG17 Error "a file named here can't be read"
        "relative paths start at the config folder; the file must exist, be a regular one and be readable by the server"
    CFG18 Error "the file is not UTF-8"
        "save it in UTF-8"
    CFG19 Error "nothing of this name exists"
        "the name is the stem of a file: a file of that name must exist, or the name here is misspelt"
    CFG20 Error "the file can't be read"
        "the server's user must be able to read every file of the folder"
    CFG21 Error "one `uid` for two objects"
        "the management API finds objects by it; give each its own, or leave it out"
    CFG22 Warning "this version doesn't do that yet"
        "the setting is read and checked, and nothing acts on it; don't count on it, and look into CHANGELOG.md before the next update"

    SRV01 Error "our issuer can't be used"
        "the issuer is https://HOST/acs: tokens carry it byte for byte, and the paths of the product begin at its host"
    SRV02 Warning "Redis off this machine without TLS or password"
        "sessions pass this connection: use rediss:// and a password"
    SRV03 Error "not available in this version"
        "state: embedded:, redis:// or rediss://; database: sqlite:PATH, postgres:// or postgresql://"
    SRV04 Warning "every peer is trusted as a proxy"
        "anybody could then choose the address that limits and logs see; name the proxy's own network"
    SRV05 Error "sessions end before they are idle"
        "`absolute` is the longest life of a session and can't be shorter than `idle`"
    SRV06 Error "not a network or socket address"
        "write a network as \"10.0.0.0/8\" or \"fd00::/8\", a socket as \"127.0.0.1:8080\""
    SRV07 Error "`listen` and `[management] listen` are the same"
        "metrics and readiness with reasons need an address of their own, one that the outside doesn't reach"
    SRV08 Warning "the management address is open to other machines"
        "metrics and reasons name your providers and services: listen on loopback or on a network of your own"
    SRV09 Warning "plain http towards people"
        "listening off loopback without [tls] is right only behind a proxy that speaks TLS; name it in [proxy] trusted"

    SRV10 Error "a console that nobody may enter"
        "name the group whose members are admins in `admin_group`"
    SRV11 Warning "PostgreSQL off this machine without TLS"
        "what is read and written passes this connection: leave sslmode out, or write sslmode=require"
    SRV12 Error "PostgreSQL without a seal"
        "write a long random secret in [keys] seal ({ env } or { file }), the same on all servers of this database"

    DIR01 Error "`default_domain` is none of `domains`"
        "users without a domain of their own get this one, so it must be among the directory's"
    DIR02 Error "one domain in two directories"
        "a domain leads to one directory; remove it from one of them"
    DIR03 Error "not a domain"
        "write the domain alone, such as \"contoso.com\": no @, no scheme, no path, no wildcard"
    DIR04 Warning "not an attribute that we know"
        "SCIM names such as userName and name.givenName; an extension's attribute by URN or by its short name"
    DIR05 Error "an attribute that every user needs is missing"
        "userName names a user everywhere; add it to `attributes`"

    DIR06 Warning "people are deleted while their source could restore them"
        "a restored user is found no more by the id that the source knows, and memberships are not sent again; use \"delete_after 30d\" or longer, or keep"
    DIR07 Warning "no value means: clear this attribute"
        "sources that can't send an empty value send this one instead; write a word that nobody's data has, such as \"__CLEAR__\""
    DIR08 Warning "an attribute is not confirmed, and there are values of it"
        "they are out of use, and erased when `purge_after` is over; put the attribute back into `attributes` if it was taken out by mistake"

    IDP01 Error "two identity providers claim one domain"
        "a hint with this domain could not be led anywhere; remove it from one of them"
    IDP02 Warning "not a domain of the provider's directory"
        "people with this domain would be sent to sign in and then not be found; add it to the directory or remove it here"
    IDP03 Error "not the issuer of one Entra tenant"
        "use https://login.microsoftonline.com/TENANT-GUID/v2.0 with the tenant's own id (Entra admin center, Overview, Tenant ID)"
    IDP04 Error "`sub` of Entra differs for every application and can never equal externalId"
        "match `oid`: it is the user's object id, which Entra's provisioning sends as externalId"
    IDP05 Warning "matched by a claim that can change hands"
        "names and addresses are changed and given to others: match a claim that never changes (entra: oid, else: sub)"
    IDP06 Error "Entra matched by `email`"
        "a tenant's admins can write any address there, of other people too; match `oid` with externalId"
    IDP07 Error "the directory doesn't have the attribute that people are matched by"
        "add the attribute to `attributes` of the directory, or match another one"
    IDP08 Error "the issuer ends in a slash"
        "issuers are compared byte for byte, and Okta's have no slash at the end"
    IDP09 Error "not an issuer"
        "an issuer is an https:// address without query and fragment (OIDC Discovery §3)"
    IDP10 Error "a parameter that is ours to set"
        "state, nonce, PKCE, addresses and the hint protect each login and can't be fixed values; [login_hint] and `scopes` have settings of their own"
    IDP11 Error "an algorithm that proves nothing"
        "ID tokens are signed by the provider's own key: RS256, PS256, ES256 or EdDSA; never none, never HS*"
    IDP12 Warning "whoever asks can learn which people are known"
        "what goes to the provider then depends on the directory, and anybody can begin a login of a client without `require_par`, or push one of a public client; use `as = \"received\"` and `forward = \"always\"`, or let only confidential clients in, and require PAR of them"
    IDP13 Warning "several owners share one redirect address"
        "an answer could be taken for another provider's; use redirect = \"own\" wherever the provider lets you register it"
    IDP14 Error "two credentials"
        "keep `client_secret` or [client_key], not both"
    IDP15 Error "no credential"
        "add `client_secret` or [client_key]: we show the provider who we are"
    IDP16 Error "not a private key that can be used"
        "the file is a PKCS#8 key in PEM (`openssl genpkey`): RSA of 2048 bits or more for RS256 and PS256, P-256 for ES256"
    IDP17 Error "`scopes` lacks one that is needed"
        "without openid there is no ID token (OIDC Core §3.1.2.1)"
    IDP18 Warning "a claim that is needed may be missing"
        "the provider sends this claim only if the scope is asked for; add it to `scopes`"
    IDP19 Error "matched by an attribute with several values"
        "two people could share a value; match a single-valued attribute such as externalId or userName"
    IDP20 Error "new users would lack the attribute that people are matched by"
        "the directory is filled by logins: map this attribute in [user_attributes]"
    IDP21 Warning "a person of one provider could be taken for one of another"
        "`sub` is unique at its issuer only; give each provider a directory of its own, or match one of them by another attribute"
    IDP22 Warning "the issuer names no tenant that tokens could be held to"
        "for a stand-in on this machine; the address of a real tenant has its GUID, and then the claim `tid` must be the same"

    IDP23 Warning "Entra's `oid` is searched in another attribute than externalId"
        "Entra's provisioning sends the object id as externalId, in the preset of its gallery application; match externalId, or make sure that your mapping writes the object id here"

    CLI01 Error "one `client_id` for two clients"
        "a request names its client by this alone; give each its own"
    CLI02 Error "not an address that answers may be sent to"
        "write the exact address: https (http on loopback only), no wildcard, no fragment, no user name"
    CLI03 Error "no redirect URI"
        "a client with the grant authorization_code needs at least one in `redirect_uris`"
    CLI04 Error "several credentials"
        "keep one way: a secret (client_secret, secret_hash), or jwks, or jwks_uri, or public = true"
    CLI05 Error "no credential"
        "add client_secret, secret_hash, jwks or jwks_uri; public = true is for programs that can't keep a secret"
    CLI06 Error "not an Argon2id hash"
        "`secret_hash` is a PHC string that begins with $argon2id$"
    CLI07 Error "not a JWK set that can be used"
        "a JSON object with `keys`, at least one of them a signing key of type RSA, EC or OKP"
    CLI08 Error "a private or symmetric key in the JWK set"
        "whoever has read it can pass for the client: make a new key and put the public half here"
    CLI09 Error "a public client can't have the grant client_credentials"
        "without a secret anybody could ask in its name; give it a credential or drop the grant"
    CLI10 Error "a public client must use PKCE"
        "PKCE is all that protects its codes; use pkce = \"required\""
    CLI11 Error "signed by an algorithm that we have no key for"
        "add the algorithm to `algorithms` of [keys] in vestibule.toml, or choose another one"
    CLI12 Error "not a client_id"
        "1 to 256 printable ASCII characters (RFC 6749 Appendix A.1)"
    CLI13 Error "not an origin"
        "an origin is scheme, host and port alone, such as \"https://app.example.com\""
    CLI14 Warning "refresh tokens that nobody would get"
        "a refresh token needs the grant refresh_token and the scope offline_access (or refresh_without_offline = true); set both or neither"
    CLI15 Warning "PKCE is not required"
        "a stolen code of this client can be redeemed by whoever has its secret; ask the client's vendor for PKCE"
    CLI16 Error "a claim that is ours to set"
        "this claim says who issued the token, for whom and when; choose another name"
    CLI17 Warning "no directory has this attribute"
        "the claim would always be missing; add the attribute to a directory's `attributes` or correct its name"
    CLI18 Warning "a client that nobody can use"
        "without an identity provider nobody can sign in; add idps/ID.toml"
    CLI19 Warning "tokens without any rights"
        "what the client gets by client_credentials has its `rule_sets` as scopes; name them, or drop the grant"
    CLI20 Error "more than two secrets"
        "client_secret and secret_hash hold two secrets in all: the new one, and the old one until the client uses the new one; remove the others"
    CLI21 Warning "one secret twice"
        "two secrets are there to change one for the other; remove one, or give the new one a value of its own"
    CLI22 Error "not an address that a browser can load at a sign-out"
        "we add `iss` and `sid` to it: write it percent-encoded, without fragment and wildcard"
    CLI23 Warning "told of a sign-out at another place than the client's own"
        "it has scheme, host and port of a redirect URI (OpenID Connect Front-Channel Logout 1.0 §2), else the client's cookies are not seen there"

    SVC01 Error "the credential of the service isn't whole"
        "bearer: token; basic: user and password; oauth2: token_url, client_id and client_secret"
    SVC02 Warning "a key that this kind of credential doesn't use"
        "remove it, or choose the `kind` that it belongs to"
}
