// A server of these peers: http or https on a free port of `localhost`, which is another site than 127.0.0.1.
import { readFileSync } from 'node:fs';
import { createServer as plain } from 'node:http';
import { createServer as secure } from 'node:https';
import { once } from 'node:events';

export async function listen(tls) {
  const server = tls ? secure({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }) : plain();
  server.listen(0, 'localhost');
  await once(server, 'listening');
  return { server, origin: `${tls ? 'https' : 'http'}://localhost:${server.address().port}` };
}

export async function bodyOf(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

export const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

export function page(response, title, body) {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(`<!doctype html><html lang="en"><title>${escape(title)}</title><link rel="icon" href="data:,">${body}`);
}
