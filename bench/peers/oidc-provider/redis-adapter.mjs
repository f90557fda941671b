// A Redis adapter in the manner of oidc-provider's own example: one record a key, MULTI for a save, a list of keys
// for each grant.
import Redis from 'ioredis';

export const redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:9402', { keyPrefix: 'oidc:' });

const grantable = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);
const consumable = new Set(['AuthorizationCode', 'RefreshToken']);
const grantKey = (id) => `grant:${id}`;
const uidKey = (uid) => `uid:${uid}`;

export class RedisAdapter {
  constructor(name) {
    this.name = name;
  }

  key(id) {
    return `${this.name}:${id}`;
  }

  async upsert(id, payload, expiresIn) {
    const key = this.key(id);
    const multi = redis.multi();
    const body = JSON.stringify(payload);
    if (consumable.has(this.name)) multi.hset(key, { payload: body });
    else multi.set(key, body);
    if (expiresIn) multi.expire(key, expiresIn);
    if (grantable.has(this.name) && payload.grantId) {
      const members = grantKey(payload.grantId);
      multi.rpush(members, key);
      const ttl = await redis.ttl(members);
      if (expiresIn > ttl) multi.expire(members, expiresIn);
    }
    if (payload.uid) {
      multi.set(uidKey(payload.uid), id);
      if (expiresIn) multi.expire(uidKey(payload.uid), expiresIn);
    }
    await multi.exec();
  }

  async find(id) {
    if (!consumable.has(this.name)) {
      const body = await redis.get(this.key(id));
      return body ? JSON.parse(body) : undefined;
    }
    const { payload, ...rest } = await redis.hgetall(this.key(id));
    return payload ? { ...rest, ...JSON.parse(payload) } : undefined;
  }

  async findByUid(uid) {
    const id = await redis.get(uidKey(uid));
    return id ? this.find(id) : undefined;
  }

  async destroy(id) {
    await redis.del(this.key(id));
  }

  async consume(id) {
    await redis.hset(this.key(id), 'consumed', Math.floor(Date.now() / 1000));
  }

  async revokeByGrantId(grantId) {
    const members = await redis.lrange(grantKey(grantId), 0, -1);
    const multi = redis.multi();
    for (const key of members) multi.del(key);
    multi.del(grantKey(grantId));
    await multi.exec();
  }
}
