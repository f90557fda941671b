// An identity provider made of npm's oidc-provider, with a sign-in form of its own. `GET /seen` tells every
// authorization request as it came over the wire, and how the client proved itself at the token endpoint; `GET /who`
// who the browser that asks is, `null` for nobody, and the `sid` under which the client knows it; `GET /frame?…` is a
// page with that address in a frame, as a provider's that signs a person out by front channel.
import { Provider } from 'oidc-provider';
import { bodyOf, escape, listen, page } from './listen.mjs';

const CLAIMS = ['sub', 'preferred_username', 'name', 'given_name', 'family_name', 'email', 'email_verified'];

// `given`: { name, redirectUri, secret | jwksUri, people: { username: [given name, family name] } }
export async function identityProvider(given, tls) {
  const { server, origin } = await listen(tls);
  const seen = { authorizations: [], tokenCalls: [] };
  const at = new URL('/federation/auth/logout', given.redirectUri).href;
  const people = new Map(Object.entries(given.people));
  const proof = given.secret
    ? { client_secret: given.secret, token_endpoint_auth_method: 'client_secret_basic' }
    : { jwks_uri: given.jwksUri, token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256' };
  const provider = new Provider(origin, {
    clients: [{
      client_id: 'vestibule',
      redirect_uris: [given.redirectUri],
      post_logout_redirect_uris: [`${at}/done`],
      backchannel_logout_uri: `${at}/backchannel`,
      backchannel_logout_session_required: true,
      ...proof,
    }],
    clientAuthMethods: ['client_secret_basic', 'private_key_jwt'],
    cookies: {
      keys: ['one for tests'],
      // providers on one host share its cookies: ports don't part them
      names: { session: `${given.name}-session`, interaction: `${given.name}-interaction`, resume: `${given.name}-resume` },
    },
    claims: { openid: CLAIMS, profile: [], email: [] },
    conformIdTokenClaims: false,
    scopes: ['openid', 'profile', 'email'],
    // its own guard lets it go to no loopback address, where we are
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    extraParams: ['domain_hint'],
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        // somebody has to press the button: a person's sign-out is the person's
        logoutSource(ctx, form) {
          const button = '<button id="sign-out" name="logout" value="yes">Sign out</button>';
          ctx.body = `<!doctype html><html lang="en"><title>Sign out of ${given.name}?</title><link rel="icon" href="data:,">
            ${form.replace('</form>', `${button}</form>`)}`;
        },
        postLogoutSuccessSource(ctx) {
          ctx.body = '<!doctype html><html lang="en"><title>Signed out</title><p id="signed-out">Signed out';
        },
      },
    },
    interactions: { url: (_, interaction) => `/sign-in/${interaction.uid}` },
    pkce: { required: () => true },
    ttl: { Session: 3600, Interaction: 600, Grant: 3600, AccessToken: 600, IdToken: 600 },
    async findAccount(_, id) {
      const names = people.get(id);
      if (!names) return undefined;
      const [given_name, family_name] = names;
      const name = names.join(' ');
      const about = { preferred_username: id, email: id, email_verified: true, name, given_name, family_name };
      return { accountId: id, claims: async () => ({ sub: id, ...about }) };
    },
  });

  for (const event of ['server_error', 'authorization.error', 'grant.error', 'userinfo.error']) {
    provider.on(event, (_, fault) => console.error(`${given.name}: ${event}: ${fault}: ${fault.error_detail ?? fault.cause ?? ''}`));
  }

  async function signIn(request, response) {
    const details = await provider.interactionDetails(request, response);
    if (request.method !== 'POST') {
      page(response, `Sign in at ${given.name}`, `<form id="sign-in" method="post">
        <input name="login" value="${escape(details.params.login_hint ?? '')}"><button>Sign in</button></form>`);
      return;
    }
    const accountId = new URLSearchParams(await bodyOf(request)).get('login');
    if (!people.has(accountId)) {
      await provider.interactionFinished(request, response, { error: 'access_denied' });
      return;
    }
    const grant = new provider.Grant({ accountId, clientId: details.params.client_id });
    grant.addOIDCScope(details.params.scope);
    grant.addOIDCClaims(CLAIMS);
    const grantId = await grant.save();
    await provider.interactionFinished(request, response, { login: { accountId }, consent: { grantId } });
  }

  async function who(request, response) {
    const session = await provider.Session.get(provider.createContext(request, response));
    response.setHeader('content-type', 'application/json');
    const { accountId } = session;
    response.end(JSON.stringify({ account: accountId ?? null, sid: accountId ? session.sidFor('vestibule') : null }));
  }

  const handle = provider.callback();
  server.on('request', (request, response) => {
    const path = request.url.split('?')[0];
    if (path === '/seen') {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(seen));
      return;
    }
    if (path === '/who') {
      who(request, response).catch((fault) => response.writeHead(500).end(String(fault)));
      return;
    }
    if (path === '/frame') {
      page(response, 'Signing out', `<iframe src="${escape(decodeURIComponent(request.url.split('?')[1]))}"></iframe>`);
      return;
    }
    if (path === '/favicon.ico') {
      response.writeHead(204).end();
      return;
    }
    if (path.startsWith('/sign-in/')) {
      signIn(request, response).catch((fault) => page(response, 'Fault', `<pre id="fault">${escape(fault)}</pre>`));
      return;
    }
    if (path === '/auth') seen.authorizations.push(request.url);
    if (path === '/token') seen.tokenCalls.push(request.headers.authorization?.split(' ')[0] ?? 'body');
    handle(request, response);
  });
  return { issuer: origin };
}
