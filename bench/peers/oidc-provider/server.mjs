// npm oidc-provider as a broker: its interaction sends the person to the identity provider, whose ID token is
// verified with jose; what is short-lived is in Redis. Who the people are is kept in this process: cheaper than the
// directory on disk that it is compared with.
import { createServer } from 'node:http';
import { createHash, randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair, createRemoteJWKSet, jwtVerify } from 'jose';
import { Provider } from 'oidc-provider';
import { RedisAdapter, redis } from './redis-adapter.mjs';

const issuer = process.env.ISSUER ?? 'http://127.0.0.1:9403';
const upstream = process.env.UPSTREAM ?? 'http://127.0.0.1:9401';
const secret = process.env.BENCH_SECRET;
const basic = `Basic ${Buffer.from(`broker:${secret}`).toString('base64')}`;
const random = () => randomBytes(32).toString('base64url');

const facts = await (await fetch(`${upstream}/.well-known/openid-configuration`)).json();
const upstreamKeys = createRemoteJWKSet(new URL(facts.jwks_uri));

const key = async (alg) => {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 });
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: alg };
};
const client = (alg, kind, grants, scope) => ({
  client_id: `${alg.toLowerCase()}-${kind}`,
  client_secret: secret,
  redirect_uris: ['http://127.0.0.1:9499/cb'],
  grant_types: grants,
  response_types: ['code'],
  scope,
  id_token_signed_response_alg: alg,
});

const people = new Map();
const provider = new Provider(issuer, {
  adapter: RedisAdapter,
  clients: ['RS256', 'ES256'].flatMap((alg) => [
    { ...client(alg, 'machine', ['client_credentials'], undefined), redirect_uris: [], response_types: [] },
    client(alg, 'plain', ['authorization_code'], 'openid profile email'),
    client(alg, 'offline', ['authorization_code', 'refresh_token'], 'openid profile email offline_access'),
  ]),
  jwks: { keys: [await key('RS256'), await key('ES256')] },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
  claims: {
    profile: ['name', 'given_name', 'family_name', 'preferred_username'],
    email: ['email', 'email_verified'],
  },
  conformIdTokenClaims: false,
  cookies: { keys: [random()] },
  features: {
    devInteractions: { enabled: false },
    introspection: { enabled: true, allowedPolicy: (ctx, client, token) => token.clientId === client.clientId },
    clientCredentials: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    // signed access tokens of machines, as ours
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, client) => (client.clientId.endsWith('-machine') ? 'urn:bench:api' : undefined),
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource, client) => ({
        scope: 'api', audience: resource, accessTokenFormat: 'jwt',
        jwt: { sign: { alg: client.clientId.slice(0, 5).toUpperCase() } },
      }),
    },
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 1209600, IdToken: 600, Interaction: 600, RefreshToken: 345600, Session: 28800 },
  findAccount: (ctx, id) => people.has(id) && { accountId: id, claims: () => ({ sub: id, ...people.get(id) }) },
});

async function depart(req, res, uid) {
  const interaction = await provider.interactionDetails(req, res);
  const [state, nonce, verifier] = [random(), random(), random()];
  await redis.set(`pending:${state}`, JSON.stringify({ nonce, verifier, uid }), 'EX', 600);
  const url = new URL(facts.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: 'broker',
    redirect_uri: `${issuer}/interaction/${uid}/callback`,
    scope: 'openid profile email',
    state,
    nonce,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    login_hint: interaction.params.login_hint ?? '',
  });
  res.writeHead(303, { location: url.href, 'content-length': 0 }).end();
}

async function callback(req, res, uid, params) {
  const kept = await redis.getdel(`pending:${params.get('state')}`);
  const pending = kept && JSON.parse(kept);
  if (pending?.uid !== uid) throw new Error('an unknown state');
  const answer = await fetch(facts.token_endpoint, {
    method: 'POST',
    headers: { authorization: basic },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: params.get('code'),
      redirect_uri: `${issuer}/interaction/${uid}/callback`,
      code_verifier: pending.verifier,
    }),
  });
  const { id_token } = await answer.json();
  const { payload } = await jwtVerify(id_token, upstreamKeys, { issuer: upstream, audience: 'broker', algorithms: ['RS256'] });
  if (payload.nonce !== pending.nonce) throw new Error('an unknown nonce');
  const { sub, name, given_name, family_name, preferred_username, email, email_verified } = payload;
  people.set(sub, { name, given_name, family_name, preferred_username, email, email_verified });

  const { params: asked } = await provider.interactionDetails(req, res);
  const grant = new provider.Grant({ accountId: sub, clientId: asked.client_id });
  grant.addOIDCScope(asked.scope);
  const grantId = await grant.save();
  await provider.interactionFinished(req, res, { login: { accountId: sub }, consent: { grantId } });
}

const handle = provider.callback();
createServer((req, res) => {
  const url = new URL(req.url, issuer);
  const [, lead, uid, rest] = url.pathname.split('/');
  if (lead !== 'interaction') return handle(req, res);
  const errand = rest === 'callback' ? callback(req, res, uid, url.searchParams) : depart(req, res, uid);
  return errand.catch((fault) => {
    console.error(fault);
    res.writeHead(500).end();
  });
}).listen(Number(new URL(issuer).port), '127.0.0.1');
