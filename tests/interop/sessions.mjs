// What the relying party remembers of who is signed in, in sessions of its own that a cookie names, and how it hears
// of a sign-out:
//   POST /backchannel/CLIENT     a logout token (OpenID Connect Back-Channel Logout 1.0 §2.6), checked by jose
//   GET /front/CLIENT?iss&sid    loaded by a browser (Front-Channel Logout 1.0)
//   GET /me/CLIENT               who the browser that asks is to that client, `null` for nobody (in `#result`)
//   GET /signed-in               who is signed in where, and what was heard, as JSON
import { randomUUID } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { bodyOf } from './listen.mjs';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

export function sessions(issuer) {
  const live = new Map(); // the cookie's value → the session
  const heard = [];
  const used = new Set();
  let keys;

  function end(isMeant) {
    for (const [name, session] of [...live]) if (isMeant(session)) live.delete(name);
  }

  function named(client, request) {
    const pairs = (request.headers.cookie ?? '').split('; ').map((pair) => pair.split('='));
    return pairs.find(([name]) => name === `rp-${client}`)?.[1];
  }

  async function keysOf() {
    const answer = await fetch(`${issuer}/.well-known/openid-configuration`);
    return createRemoteJWKSet(new URL((await answer.json()).jwks_uri));
  }

  async function checked(client, token) {
    keys ??= await keysOf();
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer, audience: client, typ: 'logout+jwt', maxTokenAge: '2 minutes', requiredClaims: ['iat', 'exp', 'jti'],
    });
    const right = typeof payload.events?.[EVENT] === 'object' && !('nonce' in payload) && (payload.sub || payload.sid);
    if (!right || used.has(payload.jti)) throw new Error('no logout token, or one that was used');
    used.add(payload.jti);
    return { ...payload, alg: protectedHeader.alg };
  }

  async function backchannel(client, request, response) {
    try {
      const { sub, sid, alg } = await checked(client, new URLSearchParams(await bodyOf(request)).get('logout_token'));
      end((session) => session.client === client && (sid ? session.sid === sid : session.sub === sub));
      heard.push({ client, by: 'back', sub, sid, alg });
      response.writeHead(200, { 'cache-control': 'no-store' }).end();
    } catch (fault) {
      heard.push({ client, by: 'back', fault: String(fault) });
      response.writeHead(400, { 'cache-control': 'no-store', 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: 'invalid_request' }));
    }
  }

  function front(client, request, url, response) {
    const { iss, sid } = Object.fromEntries(url.searchParams);
    if (iss === issuer) end((session) => session.client === client && session.sid === sid);
    heard.push({ client, by: 'front', iss, sid, cookie: Boolean(named(client, request)) });
    response.writeHead(200, { 'cache-control': 'no-store', 'content-type': 'text/html' }).end('<!doctype html><title>Out</title>');
  }

  return {
    // The cookie is one that a frame on another site gets too, if the browser allows any.
    began(client, { sid, sub, preferred_username: username }, response) {
      const name = randomUUID();
      live.set(name, { client, sid, sub, username });
      response.setHeader('set-cookie', `rp-${client}=${name}; Path=/; HttpOnly; Secure; SameSite=None`);
    },
    me: (client, request) => live.get(named(client, request))?.username ?? null,
    async answer(errand, client, request, response, url) {
      if (errand === 'backchannel') return backchannel(client, request, response);
      if (errand === 'front') return front(client, request, url, response);
      response.writeHead(200, { 'content-type': 'application/json' });
      return response.end(JSON.stringify({ live: [...live.values()], heard }));
    },
  };
}
