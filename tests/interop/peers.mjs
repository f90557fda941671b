// Starts the identity providers and the relying party that its argument describes, prints where they are as one
// line of JSON, and ends when its standard input does: with whoever started it.
import { identityProvider } from './idp.mjs';
import { relyingParty } from './rp.mjs';

const { tls, idps, rp } = JSON.parse(process.argv[2]);
const providers = {};
for (const idp of idps) providers[idp.name] = await identityProvider(idp, tls);
console.log(JSON.stringify({ idps: providers, rp: await relyingParty(rp, tls) }));
process.stdin.on('end', () => process.exit()).resume();
