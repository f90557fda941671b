// What the relying party remembers of who is signed in, and how it hears of a sign-out:
//   POST /backchannel/CLIENT     a logout token (OpenID Connect Back-Channel Logout 1.0 §2.6), checked by jose
//   GET /front/CLIENT?iss&sid    loaded by a browser (Front-Channel Logout 1.0)
//   GET /signed-in               who is signed in where, and what was heard, as JSON
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { bodyOf } from './listen.mjs';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

export function sessions(issuer) {
  const live = new Map(); // `client sid` → username
  const heard = [];
  const used = new Set();
  let keys;

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
      for (const [name, session] of [...live]) {
        if (session.client === client && (sid ? session.sid === sid : session.sub === sub)) live.delete(name);
      }
      heard.push({ client, by: 'back', sub, sid, alg });
      response.writeHead(200, { 'cache-control': 'no-store' }).end();
    } catch (fault) {
      heard.push({ client, by: 'back', fault: String(fault) });
      response.writeHead(400, { 'cache-control': 'no-store', 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: 'invalid_request' }));
    }
  }

  function front(client, url, response) {
    const { iss, sid } = Object.fromEntries(url.searchParams);
    if (iss === issuer) live.delete(`${client} ${sid}`);
    heard.push({ client, by: 'front', iss, sid });
    response.writeHead(200, { 'cache-control': 'no-store', 'content-type': 'text/html' }).end('<!doctype html><title>Out</title>');
  }

  return {
    began(client, { sid, sub, preferred_username: username }) {
      live.set(`${client} ${sid}`, { client, sid, sub, username });
    },
    async answer(errand, client, request, response, url) {
      if (errand === 'backchannel') return backchannel(client, request, response);
      if (errand === 'front') return front(client, url, response);
      response.writeHead(200, { 'content-type': 'application/json' });
      return response.end(JSON.stringify({ live: [...live.values()], heard }));
    },
  };
}
