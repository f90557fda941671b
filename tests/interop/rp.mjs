// A relying party made of npm's openid-client. Prints its origin as JSON. `/login` begins a login (its query
// goes into the authorization request), `/cb` ends it and shows what came out as JSON.
import { createServer } from 'node:http';
import { once } from 'node:events';
import * as oidc from 'openid-client';

const [issuer, clientId, secret] = process.argv.slice(2);
const server = createServer();
server.listen(0, 'localhost');
await once(server, 'listening');
const origin = `http://localhost:${server.address().port}`;

let configured;
async function configuration() {
  configured ??= oidc.discovery(new URL(issuer), clientId, secret, oidc.ClientSecretBasic(secret), {
    execute: [oidc.allowInsecureRequests], // plain http on loopback
  });
  return configured;
}

const waiting = new Map();

async function login(url, response) {
  const config = await configuration();
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const nonce = oidc.randomNonce();
  waiting.set(state, { verifier, nonce });
  const to = oidc.buildAuthorizationUrl(config, {
    redirect_uri: `${origin}/cb`,
    scope: 'openid profile email offline_access',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...Object.fromEntries(url.searchParams),
  });
  response.writeHead(303, { location: to.href }).end();
}

async function callback(request, url) {
  let answer = url;
  const fields = new URLSearchParams(url.search);
  if (request.method === 'POST') {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const body = Buffer.concat(pieces).toString();
    for (const [name, value] of new URLSearchParams(body)) fields.set(name, value);
    answer = new Request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
    });
  }
  const state = fields.get('state');
  const { verifier, nonce } = waiting.get(state) ?? {};
  waiting.delete(state);
  const config = await configuration();
  const tokens = await oidc.authorizationCodeGrant(config, answer, {
    pkceCodeVerifier: verifier,
    expectedNonce: nonce,
    expectedState: state,
    idTokenExpected: true,
  });
  const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  const refreshed = tokens.refresh_token && (await oidc.refreshTokenGrant(config, tokens.refresh_token));
  return {
    method: request.method,
    claims: tokens.claims(),
    userinfo,
    scope: tokens.scope,
    refreshed: Boolean(refreshed?.access_token && refreshed.access_token !== tokens.access_token),
  };
}

function show(response, result) {
  const text = JSON.stringify(result).replace(/</g, '\\u003c').replace(/&/g, '\\u0026');
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(`<!doctype html><title>Done</title><link rel="icon" href="data:,"><pre id="result">${text}</pre>`);
}

server.on('request', (request, response) => {
  const url = new URL(request.url, origin);
  const fail = (fault) => show(response, { error: fault.error ?? fault.code ?? fault.name, message: fault.message });
  if (url.pathname === '/login') login(url, response).catch(fail);
  else if (url.pathname === '/cb') callback(request, url).then((result) => show(response, result), fail);
  else response.writeHead(404).end();
});

console.log(JSON.stringify({ origin }));
process.stdin.on('end', () => process.exit()).resume(); // ends with whoever started it
