# Everywhere
product = Vestibule
language-en = English
language-de = Deutsch
languages-label = Language
page-title = { $title } – { $product }
error-prefix = Error: { $title }
support-email = Contact support
support-url = Get help
cancel = Cancel
sign-out = Sign out

# Where to sign in
choose-title = Sign in
choose-continue-to = to continue to { $client }
choose-email = Work email
choose-continue = Continue
choose-or = or
choose-providers = Choose where to sign in
choose-error-title = We don’t know that address
choose-error-unknown = Check the address for typing mistakes, or ask your company’s support which one to use.
choose-error-blank-title = Enter your work email
choose-error-blank = We use it to find where you sign in.

# Another account than asked for
mismatch-title = That’s a different account
mismatch-what = You signed in at { $provider }, but not with the account that this sign-in was started for. To protect both accounts, we stopped here.
mismatch-way-on = Sign in again and choose the account you were asked for.
mismatch-retry = Sign in again

# Signing out
signed-out-title = You’re signed out
signed-out-what = You can close this window.
signed-out-still-at = You may still be signed in at { $provider }. On a shared computer, sign out there too and close the browser.
signed-out-again = Sign in again
sign-out-confirm-title = Sign out?
sign-out-confirm-what = You’ll be signed out here. Services that you opened may ask you to sign in again.
sign-out-confirm-client = { $client } asks to sign you out. Other services that you opened may ask you to sign in again, too.
sign-out-stay = Stay signed in

# Signed in without a target
links-title = You’re signed in
links-what = Where would you like to go?
links-none = Open the service you want to use. You won’t be asked to sign in again.
links-label = Services

# On the way back to a service
form-post-title = Signing you in
form-post-to = Taking you back to { $client }
form-post-what = This takes a moment.
form-post-continue = Continue

# Errors
error-start-again = Start again
error-reference = Reference
error-reference-what = Your company’s support can look up what happened with this reference.
error-link-invalid-title = This link isn’t valid
error-link-invalid-what = The service you came from sent a sign-in request that we don’t accept.
error-link-invalid-way-on = Open the service again from its usual address. If you see this again, tell your company’s support.
error-malformed-request-title = We can’t read this request
error-malformed-request-what = Part of the request is missing, doubled or damaged.
error-malformed-request-way-on = Go back to the service you want to use and sign in from there.
error-too-large-title = This request is too large
error-too-large-what = It’s longer than any sign-in needs to be, so we didn’t read it.
error-too-large-way-on = Go back to the service you want to use and sign in from there.
error-back-to-service = Back to the service
error-foreign-form-title = This form isn’t from here
error-foreign-form-what = It came from another site, or its sign-in is over. Nothing was changed.
error-foreign-form-way-on = Go back to the service you want to use and sign in from there.
error-method-not-allowed-title = This doesn’t work here
error-method-not-allowed-what = The address exists, but it can’t be used this way.
error-method-not-allowed-way-on = Go back to the service you want to use and sign in from there.
error-not-found-title = There’s nothing here
error-not-found-what = This address doesn’t lead anywhere.
error-not-found-way-on = Check it for typing mistakes, or open the service you want to use.
error-wrong-host-title = Wrong address
error-wrong-host-what = This sign-in service doesn’t answer under the name that you used.
error-wrong-host-way-on = Open the service you want to use from its usual address.
error-initiate-invalid-title = We can’t start this sign‑in
error-initiate-invalid-what = The link names an identity provider or a destination that isn’t set up here.
error-initiate-invalid-way-on = Open the service you want to use from its usual address. If you see this again, tell your company’s support.
error-sign-out-invalid-title = We can’t confirm this sign-out
error-sign-out-invalid-what = The service you came from sent a sign-out request that we don’t accept. You may still be signed in.
error-sign-out-invalid-way-on = On a shared computer, close the browser to be safe.
error-login-expired-title = This sign‑in has expired
error-login-expired-what = For your security, a sign-in has to be finished within ten minutes.
error-login-expired-way-on = Start again. It won’t take long.
error-already-used-title = This step is already done
error-already-used-what = Each sign-in works once. Going back, reloading or opening the page twice leads here.
error-already-used-way-on = If you’re not signed in, start again from the service you want to use.
error-other-browser-title = This sign‑in began somewhere else
error-other-browser-what = It was started in another browser or window, or your browser doesn’t keep cookies from this site.
error-other-browser-way-on = Allow cookies for this site, then start again in this browser.
error-too-many-logins-title = Too many sign‑ins at once
error-too-many-logins-what = More sign-ins are under way than we can take right now.
error-too-many-logins-way-on = Wait a minute, then start again.
error-provider-unavailable-title = Your company’s sign‑in isn’t answering
error-provider-unavailable-what = We couldn’t reach the identity provider, so you’re not signed in.
error-provider-unavailable-way-on = Try again in a few minutes.
error-provider-refused-title = You weren’t signed in
error-provider-refused-what = Your company’s identity provider ended the sign-in.
error-provider-refused-way-on = If you cancelled it yourself, start again whenever you like. If not, ask your company’s support.
error-answer-not-trusted-title = We couldn’t verify this sign‑in
error-answer-not-trusted-what = The answer from your company’s identity provider failed a security check, so you’re not signed in.
error-answer-not-trusted-way-on = Start again. If you see this again, tell your company’s support.
error-not-provisioned-title = You don’t have access yet
error-not-provisioned-what = Your identity provider signed you in, but there’s no active account for you here.
error-not-provisioned-way-on = Ask your company’s support for access, or sign in with another account.
error-server-error-title = Something went wrong on our side
error-server-error-what = You didn’t do anything wrong, and you’re not signed in.
error-server-error-way-on = Try again. If it happens again, tell your company’s support.
error-service-unavailable-title = We’ll be right back
error-service-unavailable-what = Part of this service can’t be reached at the moment, so we can’t sign you in.
error-service-unavailable-way-on = Try again in a few minutes.

# The demo
demo-badge = Demo
demo-idp-name = Demo identity provider
demo-client-name = Demo service
demo-idp-title = Sign in
demo-idp-what = This page stands in for your company’s own identity provider. There are no passwords here.
demo-idp-username = User name
demo-idp-sign-in = Sign in
demo-idp-people = or sign in as
demo-idp-unknown-title = Nobody here has that user name
demo-idp-unknown = Pick one of the people below.
demo-idp-signed-in-title = { $name } is signed in
demo-idp-signed-in-what = The demo identity provider remembers { $username }. The next sign-in goes through without asking.
demo-idp-back = Back to the demo service
demo-client-title = Try a sign‑in
demo-client-what = This page stands in for a service of your company. It signs people in through Vestibule.
demo-client-hint = Who is going to sign in?
demo-client-hint-what = Sent as { $parameter }. Leave it empty to be asked.
demo-client-prompt = Ask again?
demo-client-prompt-default = Only if necessary
demo-client-prompt-login = Always sign in anew
demo-client-prompt-select = Let me choose the account
demo-client-prompt-none = Never show a page
demo-client-sign-in = Sign in
demo-client-again = Try another sign-in
demo-client-signed-in-title = You’re signed in
demo-client-signed-in-what = These are the claims of the ID token that this service got.
demo-client-refused-title = You’re not signed in
demo-client-refused-what = This is the error that the service got.
demo-claim = Claim
demo-value = Value
demo-error = Error
demo-description = Description
demo-trace = To see how this sign-in went, step by step, run:
