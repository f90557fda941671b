#!/usr/bin/env python3
"""Every SCIM operation of the vendor's OpenAPI document, called as the document says, answers checked against it.

    vendor.py OPENAPI.json BASE TOKEN

BASE ends in /usergroup/scim/v2. An operation that isn't called, a status that the document doesn't know or a body that
doesn't fit its schema is a fault, but for the deviations listed here, where the RFC decides.
"""

import json
import secrets
import sys
import urllib.error
import urllib.parse
import urllib.request

from jsonschema import Draft202012Validator

ROOT = "/usergroup/scim/v2"
# (schema, property): why the document's type isn't held to.
DEVIATIONS = {
    ("UserEmailMedia", "primary"): "a boolean by RFC 7643 §4.1.2; the document says string",
    ("PatchOperationMedia", "value"): "any JSON by RFC 7644 §3.5.2; the document says string",
}
# (method, path, status): why a status of the document isn't called for here.
NOT_CALLED = {
    ("get", "/Me", "200"): "credentials of ours stand for machines (RFC 7644 §3.11: 501)",
    ("get", "/Me", "400"): "as above",
    ("get", "/Me", "404"): "as above",
    ("delete", "/Groups/{id}", "409"): "nothing keeps a group from being deleted",
}


def load(path):
    document = json.load(open(path, encoding="utf-8"))
    schemas = document["components"]["schemas"]
    for schema, field in DEVIATIONS:
        schemas[schema]["properties"][field] = {}
    return document


class Service:
    def __init__(self, document, base, token):
        self.document, self.base, self.token = document, base, token
        self.called, self.faults = set(), []

    def call(self, method, path, status, body=None, **named):
        """Calls an operation; `path` as the document has it. Gives the body."""
        where = path
        for name, value in named.items():
            where = where.replace("{" + name + "}", urllib.parse.quote(value))
        query = named.get("_query", "")
        request = urllib.request.Request(
            self.base + where + query, method=method.upper(), data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json", "Accept": "application/scim+json"})
        try:
            with urllib.request.urlopen(request) as answer:
                got, kind, raw = answer.status, answer.headers.get("Content-Type", ""), answer.read()
        except urllib.error.HTTPError as answer:
            got, kind, raw = answer.code, answer.headers.get("Content-Type", ""), answer.read()
        name = f"{method.upper()} {where}{query}"
        if got != status:
            self.faults.append(f"{name}: {got} instead of {status}: {raw[:300]!r}")
        self.called.add((method, path, str(got)))
        value = json.loads(raw) if raw else None
        operation = self.document["paths"][ROOT + path][method]
        documented = operation["responses"].get(str(got))
        if documented and documented.get("content"):
            media = kind.split(";")[0]
            if media not in documented["content"]:
                self.faults.append(f"{name}: {media} instead of {list(documented['content'])}")
            else:
                self.fits(name, documented["content"][media]["schema"], value)
        elif got >= 400 and (not isinstance(value, dict) or value.get("status") != str(got)):
            self.faults.append(f"{name}: no SCIM error: {raw[:200]!r}")
        return value

    def fits(self, name, schema, value):
        whole = {**schema, "components": self.document["components"]}
        for error in Draft202012Validator(whole).iter_errors(value):
            self.faults.append(f"{name}: {'/'.join(map(str, error.path))}: {error.message}")


def life(service):
    rnd = secrets.token_hex(5)
    user = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": f"vendor-{rnd}@example.com",
            "externalId": rnd, "active": True, "displayName": "V", "title": "T", "nickName": "N",
            "name": {"givenName": "G", "familyName": "F"}, "emails": [{"value": f"v-{rnd}@example.com", "primary": True}],
            "phoneNumbers": [{"value": "1", "type": "work"}], "addresses": [{"locality": "L", "type": "work"}]}
    made = service.call("post", "/Users", 201, user)
    service.call("post", "/Users", 400, {"displayName": "nobody"})
    one = {"id": made["id"]}
    service.call("get", "/Users/{id}", 200, **one)
    service.call("get", "/Users/{id}", 404, id="nobody")
    service.call("put", "/Users/{id}", 200, {**user, "title": "U"}, **one)
    service.call("put", "/Users/{id}", 400, {"displayName": "nobody"}, **one)
    service.call("put", "/Users/{id}", 404, user, id="nobody")
    other = service.call("post", "/Users", 201, {**user, "userName": f"other-{rnd}@example.com", "externalId": "o" + rnd})
    service.call("put", "/Users/{id}", 409, {**user, "externalId": "o" + rnd}, **one)
    patch = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "replace", "path": "title", "value": "W"}]}
    service.call("patch", "/Users/{id}", 200, patch, **one)
    service.call("patch", "/Users/{id}", 400, {"Operations": [{"op": "dance", "path": "title"}]}, **one)
    service.call("patch", "/Users/{id}", 404, patch, id="nobody")
    taken = {"Operations": [{"op": "replace", "path": "userName", "value": f"other-{rnd}@example.com"}]}
    service.call("patch", "/Users/{id}", 409, taken, **one)
    by_name = urllib.parse.quote(f'userName eq "vendor-{rnd}@example.com"')
    listed = f"?filter={by_name}&sortBy=userName&sortOrder=descending&startIndex=1&count=5"
    page = service.call("get", "/Users", 200, _query=listed)
    if page["totalResults"] != 1:
        service.faults.append(f"GET /Users: {page['totalResults']} results")
    service.call("get", "/Users", 400, _query="?filter=broken")
    service.call("post", "/Users/.search", 200, {"filter": "userName pr", "count": 2, "sortBy": "userName", "attributes": ["userName"]})
    group = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": f"G {rnd}", "externalId": "g" + rnd, "members": [{"value": made["id"]}]}
    team = service.call("post", "/Groups", 201, group)
    service.call("post", "/Groups", 400, {"externalId": "nameless"})
    it = {"id": team["id"]}
    service.call("get", "/Groups/{id}", 200, **it)
    service.call("get", "/Groups/{id}", 200, _query="?excludedAttributes=members", **it)
    service.call("get", "/Groups/{id}", 404, id="nobody")
    service.call("put", "/Groups/{id}", 200, {**group, "displayName": f"H {rnd}"}, **it)
    service.call("put", "/Groups/{id}", 400, {"externalId": "nameless"}, **it)
    service.call("put", "/Groups/{id}", 404, group, id="nobody")
    second = service.call("post", "/Groups", 201, {**group, "displayName": f"I {rnd}", "externalId": "i" + rnd})
    service.call("put", "/Groups/{id}", 409, {**group, "externalId": "i" + rnd}, **it)
    joined = {"Operations": [{"op": "add", "path": "members", "value": [{"value": other["id"]}]}]}
    service.call("patch", "/Groups/{id}", 200, joined, **it)
    service.call("patch", "/Groups/{id}", 400, {"Operations": [{"op": "dance"}]}, **it)
    service.call("patch", "/Groups/{id}", 404, joined, id="nobody")
    service.call("patch", "/Groups/{id}", 409, {"Operations": [{"op": "replace", "path": "externalId", "value": "i" + rnd}]}, **it)
    service.call("get", "/Groups", 200, _query="?count=2&startIndex=1")
    service.call("get", "/Groups", 400, _query="?filter=broken")
    service.call("post", "/Groups/.search", 200, {"filter": f'displayName eq "H {rnd}"'})
    service.call("get", "/Me", 501)
    for group_id in (team["id"], second["id"]):
        service.call("delete", "/Groups/{id}", 204, id=group_id)
    service.call("delete", "/Groups/{id}", 404, **it)
    for user_id in (made["id"], other["id"]):
        service.call("delete", "/Users/{id}", 204, id=user_id)
    service.call("delete", "/Users/{id}", 404, **one)


def main():
    path, base, token = sys.argv[1:]
    document = load(path)
    service = Service(document, base, token)
    life(service)
    wanted = {(method, path.removeprefix(ROOT), status)
              for path, operations in document["paths"].items() if path.startswith(ROOT)
              for method, operation in operations.items() if isinstance(operation, dict) and "responses" in operation
              for status in operation["responses"]}
    for missing in sorted(wanted - service.called - set(NOT_CALLED)):
        service.faults.append(f"never seen: {' '.join(missing)}")
    for fault in service.faults:
        print(fault)
    print(f"{len(wanted - set(NOT_CALLED))} answers of the document, {len(service.faults)} faults")
    sys.exit(1 if service.faults else 0)


main()
