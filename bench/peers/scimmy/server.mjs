// npm scimmy with scimmy-routers in express, users and groups in memory: userNames have an index, as anybody would
// give them one; everything else is what the library does.
//
//   PORT=9405 TOKEN=… node server.mjs
import express from "express";
import { randomUUID } from "node:crypto";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const token = process.env.TOKEN;

function store(name) {
    const byId = new Map();
    const byName = new Map();
    return {
        read(resource) {
            if (resource.id) {
                const found = byId.get(resource.id);
                if (!found) throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
                return found;
            }
            const all = [...byId.values()];
            return resource.filter ? resource.filter.match(all) : all;
        },
        write(resource, data) {
            const key = data[name]?.toLowerCase();
            const holder = byName.get(key);
            if (holder && holder !== resource.id) throw new SCIMMY.Types.Error(409, "uniqueness", `${name} is taken`);
            const now = new Date();
            const before = resource.id ? this.read(resource) : undefined;
            const id = resource.id ?? randomUUID();
            const kept = { ...JSON.parse(JSON.stringify(data)), id, meta: { created: before?.meta.created ?? now, lastModified: now } };
            if (before) byName.delete(before[name]?.toLowerCase());
            byId.set(id, kept);
            byName.set(key, id);
            return kept;
        },
        remove(resource) {
            byName.delete(this.read(resource)[name]?.toLowerCase());
            byId.delete(resource.id);
        },
    };
}

for (const [type, name] of [["User", "userName"], ["Group", "displayName"]]) {
    const kept = store(name);
    SCIMMY.Resources.declare(SCIMMY.Resources[type])
        .egress((resource) => kept.read(resource))
        .ingress((resource, data) => kept.write(resource, data))
        .degress((resource) => kept.remove(resource));
}
SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false);

const app = express();
app.use("/scim", new SCIMMYRouters({
    type: "bearer",
    handler: (request) => {
        if (request.header("Authorization") !== `Bearer ${token}`) throw new Error("no such token");
        return "bench";
    },
}));
app.listen(Number(process.env.PORT), "127.0.0.1");
