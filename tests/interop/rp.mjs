// A relying party made of npm's openid-client, as strict as it can be, with several registrations. What came out
// of an errand stands as JSON in `#result`.
//   /start/CLIENT?…   begins a login, the query goes into the authorization request; `via=post`: by a form of ours,
//                     `push`: pushed, `sign`: signed with the client's key
//   /cb/CLIENT        ends it: code against tokens, ID token verified, userinfo
//   /refresh/KEY, /revoke/KEY, /sign-out/KEY?…   with the tokens of an earlier result
//   /introspect/KEY   what the provider says of the tokens of an earlier result
//   /program/CLIENT   a token in the client's own name: introspected, presented, revoked; the query goes into the request
//   /aged-keys/CLIENT the client's copy of the provider's keys becomes a minute old
//   /discovery        what the provider says of itself
//   /alive/KEY        whether the tokens of an earlier result still open anything
//   /backchannel/CLIENT, /front/CLIENT, /me/CLIENT, /signed-in   see sessions.mjs
//   /jwks             the keys of those registrations that prove themselves by one
//   /broken           a page whose script fails
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { bodyOf, escape, listen, page } from './listen.mjs';
import { sessions } from './sessions.mjs';

const AUTH = { basic: oidc.ClientSecretBasic, post: oidc.ClientSecretPost };

// `given`: { issuer, clients: { id: { secret, by: "basic" | "post" } | { by: "keys" } | { by: "none" } } }
export async function relyingParty(given, tls) {
  const { server, origin } = await listen(tls);
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', keys.publicKey);
  const jwk = { kty, crv, x, y, kid: 'rp-1', alg: 'ES256', use: 'sig' };
  const configured = new Map();
  const waiting = new Map();
  const held = new Map();
  const people = sessions(given.issuer);

  function discover(id) {
    const { by, secret } = given.clients[id];
    const auth = by === 'keys' ? oidc.PrivateKeyJwt({ key: keys.privateKey, kid: 'rp-1' }) : (AUTH[by]?.(secret) ?? oidc.None());
    const execute = [oidc.enableNonRepudiationChecks];
    if (!tls) execute.push(oidc.allowInsecureRequests); // plain http on loopback
    return oidc.discovery(new URL(given.issuer), id, undefined, auth, { execute });
  }

  function configuration(id) {
    if (!configured.has(id)) configured.set(id, discover(id));
    return configured.get(id);
  }

  // Another process of the same client, started with the keys that this one has, and a minute later: only then does
  // the library ask again for keys that it doesn't know.
  async function ageKeys(id) {
    const { jwks, uat } = oidc.getJwksCache(await configuration(id));
    const next = await discover(id);
    oidc.setJwksCache(next, { jwks, uat: uat - 61 });
    configured.set(id, Promise.resolve(next));
    return { kids: jwks.keys.map((key) => key.kid) };
  }

  // A signed access token as a service of another maker would check it (RFC 9068 §4); null for an opaque one.
  async function checked(config, token) {
    if (!token.includes('.')) return null;
    const { issuer, jwks_uri: uri } = config.serverMetadata();
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(uri)), {
      issuer,
      audience: issuer,
      typ: 'at+jwt',
      requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'],
    });
    return payload;
  }

  async function start(id, url, response) {
    const config = await configuration(id);
    const verifier = oidc.randomPKCECodeVerifier();
    const state = oidc.randomState();
    const nonce = oidc.randomNonce();
    const extra = Object.fromEntries(url.searchParams);
    const { via, push, sign } = extra;
    for (const name of ['via', 'push', 'sign']) delete extra[name];
    waiting.set(state, { id, verifier, nonce, maxAge: extra.max_age && Number(extra.max_age) });
    const asked = {
      redirect_uri: `${origin}/cb/${id}`,
      scope: 'openid profile email offline_access',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      ...extra,
    };
    const signed = sign && (await oidc.buildAuthorizationUrlWithJAR(config, asked, { key: keys.privateKey, kid: 'rp-1' }));
    const parameters = signed ? signed.searchParams : asked;
    const to = push
      ? await oidc.buildAuthorizationUrlWithPAR(config, parameters)
      : (signed ?? oidc.buildAuthorizationUrl(config, parameters));
    if (via !== 'post') {
      response.writeHead(303, { location: to.href }).end();
      return;
    }
    const fields = [...to.searchParams].map(([n, v]) => `<input type="hidden" name="${escape(n)}" value="${escape(v)}">`);
    const form = `<form id="go" method="post" action="${escape(to.origin + to.pathname)}">${fields.join('')}<button>Go</button></form>`;
    page(response, 'Go', form);
  }

  async function callback(id, request, response, url) {
    const fields = new URLSearchParams(url.search);
    let answer = url;
    if (request.method === 'POST') {
      const body = await bodyOf(request);
      for (const [name, value] of new URLSearchParams(body)) fields.append(name, value);
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      answer = new Request(url, { method: 'POST', headers, body });
    }
    const state = fields.get('state');
    const { verifier, nonce, maxAge, id: asked } = waiting.get(state) ?? {};
    if (asked !== id) throw new Error('an answer that nobody waits for');
    waiting.delete(state);
    const config = await configuration(id);
    const tokens = await oidc.authorizationCodeGrant(config, answer, {
      pkceCodeVerifier: verifier,
      expectedNonce: nonce,
      expectedState: state,
      idTokenExpected: true,
      ...(maxAge === undefined ? {} : { maxAge }),
    });
    const claims = tokens.claims();
    const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
    const key = oidc.randomState();
    held.set(key, { config, tokens });
    people.began(id, claims, response);
    const { kid } = decodeProtectedHeader(tokens.id_token);
    return { key, kid, method: request.method, claims, userinfo, scope: tokens.scope, refreshable: Boolean(tokens.refresh_token) };
  }

  async function refresh(key) {
    const { config, tokens } = held.get(key);
    const fresh = await oidc.refreshTokenGrant(config, tokens.refresh_token);
    held.set(key, { config, tokens: fresh });
    const claims = fresh.claims();
    const userinfo = await oidc.fetchUserInfo(config, fresh.access_token, claims.sub);
    const renewed = ['access_token', 'refresh_token', 'id_token'].filter((name) => fresh[name] && fresh[name] !== tokens[name]);
    return { key, claims, userinfo, scope: fresh.scope, renewed };
  }

  async function revoke(key, url) {
    const { config, tokens } = held.get(key);
    const what = url.searchParams.get('what') ?? 'refresh_token';
    await oidc.tokenRevocation(config, tokens[what]);
    const outcome = async (errand) => errand.then(() => 'accepted', (fault) => fault.error ?? fault.cause?.[0]?.parameters?.error ?? fault.code);
    return {
      refresh: await outcome(oidc.refreshTokenGrant(config, tokens.refresh_token)),
      userinfo: await outcome(oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)),
    };
  }

  async function alive(key) {
    const { config, tokens } = held.get(key);
    const { active } = await oidc.tokenIntrospection(config, tokens.access_token);
    const userinfo = await oidc.fetchProtectedResource(config, tokens.access_token, new URL(config.serverMetadata().userinfo_endpoint), 'GET')
      .then((answer) => answer.status, (fault) => fault.status ?? fault.code);
    return { active, userinfo };
  }

  async function introspect(key) {
    const { config, tokens } = held.get(key);
    return {
      access: await oidc.tokenIntrospection(config, tokens.access_token),
      refresh: await oidc.tokenIntrospection(config, tokens.refresh_token, { token_type_hint: 'refresh_token' }),
      id: await oidc.tokenIntrospection(config, tokens.id_token),
      signed: await checked(config, tokens.access_token),
    };
  }

  async function program(id, url) {
    const config = await configuration(id);
    const granted = await oidc.clientCredentialsGrant(config, Object.fromEntries(url.searchParams));
    const token = granted.access_token;
    const told = await oidc.tokenIntrospection(config, token);
    const signed = await checked(config, token);
    const presented = await oidc.fetchProtectedResource(config, token, new URL(config.serverMetadata().userinfo_endpoint), 'GET')
      .then((response) => response.status, (fault) => fault.status ?? fault.code);
    await oidc.tokenRevocation(config, token);
    const after = await oidc.tokenIntrospection(config, token);
    return { members: Object.keys(granted).sort(), scope: granted.scope, told, signed, presented, after };
  }

  function signOut(key, url, response) {
    const { config, tokens } = held.get(key);
    const asked = url.searchParams.has('bare')
      ? {}
      : { id_token_hint: tokens.id_token, post_logout_redirect_uri: `${origin}/bye`, state: 'back & forth' };
    response.writeHead(303, { location: oidc.buildEndSessionUrl(config, asked).href }).end();
  }

  function show(response, result) {
    const text = JSON.stringify(result).replace(/</g, '\\u003c').replace(/&/g, '\\u0026');
    page(response, 'Result', `<pre id="result">${text}</pre>`);
  }

  async function route(request, response, url) {
    const [, errand, name] = url.pathname.split('/');
    if (errand === 'start') return start(name, url, response);
    if (errand === 'cb') return show(response, await callback(name, request, response, url));
    if (errand === 'refresh') return show(response, await refresh(name));
    if (errand === 'alive') return show(response, await alive(name));
    if (errand === 'me') return show(response, people.me(name, request));
    if (errand === 'revoke') return show(response, await revoke(name, url));
    if (errand === 'introspect') return show(response, await introspect(name));
    if (errand === 'program') return show(response, await program(name, url));
    if (errand === 'aged-keys') return show(response, await ageKeys(name));
    if (errand === 'sign-out') return signOut(name, url, response);
    if (errand === 'discovery') return show(response, (await configuration(Object.keys(given.clients)[0])).serverMetadata());
    if (['backchannel', 'front', 'signed-in'].includes(errand)) return people.answer(errand, name, request, response, url);
    if (errand === 'bye') return show(response, { bye: true, ...Object.fromEntries(url.searchParams) });
    if (errand === 'jwks') return response.writeHead(200, { 'content-type': 'application/jwk-set+json' }).end(JSON.stringify({ keys: [jwk] }));
    if (errand === 'broken') return page(response, 'Broken', '<script>throw new Error("broken")</script>');
    return response.writeHead(404).end();
  }

  server.on('request', (request, response) => {
    route(request, response, new URL(request.url, origin)).catch((fault) => {
      const { error, error_description: description, code, message } = fault;
      show(response, { error: error ?? code ?? fault.name, description, message, cause: fault.cause && String(fault.cause) });
    });
  });
  return { origin, jwk };
}
