// An identity provider made of npm's oidc-provider, with a sign-in form of its own. Prints its issuer as
// JSON. `GET /seen` tells every authorization request as it came over the wire.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { Provider } from 'oidc-provider';

const [redirectUri] = process.argv.slice(2);
const people = {
  alice: { email: 'alice@contoso.com', given_name: 'Alice', family_name: 'Adams' },
  bob: { email: 'bob@contoso.com', given_name: 'Bob', family_name: 'Brown' },
};

const server = createServer();
server.listen(0, 'localhost');
await once(server, 'listening');
const issuer = `http://localhost:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{ client_id: 'vestibule', client_secret: 'idp-secret', redirect_uris: [redirectUri] }],
  cookies: { keys: ['one for tests'] },
  claims: {
    openid: ['sub', 'preferred_username', 'name', 'given_name', 'family_name', 'email', 'email_verified'],
    profile: [],
    email: [],
  },
  conformIdTokenClaims: false,
  scopes: ['openid', 'profile', 'email'],
  extraParams: ['domain_hint'],
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/sign-in/${interaction.uid}` },
  pkce: { required: () => true },
  ttl: { Session: 3600, Interaction: 600, Grant: 3600, AccessToken: 600, IdToken: 600 },
  async findAccount(_, id) {
    const person = people[id];
    if (!person) return undefined;
    const name = `${person.given_name} ${person.family_name}`;
    return {
      accountId: id,
      claims: async () => ({ sub: id, preferred_username: person.email, name, email_verified: true, ...person }),
    };
  },
});

const seen = [];
const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

async function body(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return new URLSearchParams(Buffer.concat(pieces).toString());
}

async function grantAll(details, accountId) {
  const grant = new provider.Grant({ accountId, clientId: details.params.client_id });
  grant.addOIDCScope(details.params.scope);
  grant.addOIDCClaims(['sub', 'preferred_username', 'name', 'given_name', 'family_name', 'email', 'email_verified']);
  return grant.save();
}

async function signIn(request, response) {
  const details = await provider.interactionDetails(request, response);
  if (request.method !== 'POST') {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(`<!doctype html><title>Sign in</title><form method="post">
      <input name="login" value="${escape(details.params.login_hint ?? '')}"><button>Sign in</button></form>`);
    return;
  }
  const typed = (await body(request)).get('login') ?? '';
  const accountId = typed.split('@')[0].toLowerCase();
  if (!people[accountId]) {
    await provider.interactionFinished(request, response, { error: 'access_denied' });
    return;
  }
  const grantId = await grantAll(details, accountId);
  await provider.interactionFinished(request, response, { login: { accountId }, consent: { grantId } });
}

const handle = provider.callback();
server.on('request', (request, response) => {
  const path = request.url.split('?')[0];
  if (path === '/seen') {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(seen));
  } else if (path.startsWith('/sign-in/')) {
    signIn(request, response).catch((fault) => {
      response.statusCode = 500;
      response.end(String(fault));
    });
  } else {
    if (path === '/auth') seen.push(request.url);
    handle(request, response);
  }
});

console.log(JSON.stringify({ issuer }));
process.stdin.on('end', () => process.exit()).resume(); // ends with whoever started it
