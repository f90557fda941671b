#!/usr/bin/env python3
"""Run the `inbound` cases of a scim-quirks/1 file against any SCIM 2.0 service, from outside.

    run_quirks.py --base https://host/usergroup/scim/v2 --token T
    run_quirks.py --base URL --token-for entra=T1 --token-for okta=T2 --junit out.xml
    run_quirks.py --list

A case passes when every `given` resource is created, every `when` and `then` request gets one
of its statuses, and every assertion holds; the first thing that doesn't is what is printed.
What a case created is deleted afterwards. `outbound` cases are listed and counted apart: they
are scripts for a fake downstream and need the service's own engine, not this runner.

Which token a case gets: the one of its `client` (--token-for), else --token. A case for `any`
client gets --token, else the first --token-for; with --client C it gets C's token. A directory's
dialect may depend on its token, so run once with --client entra and once with --client okta to
see the `any` cases under both.

The file is checked before the first request: an unknown key, operator, kind, client or variable
is an error. Exit: 0 all passed, 1 some failed, 2 usage, bad file or no service.
Standard library only, Python 3.11.
"""

import argparse
import http.client
import json
import os
import re
import secrets
import ssl
import sys
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ET
from pathlib import Path

CASE_KEYS = {"id", "kind", "client", "title", "basis", "source", "why", "given", "when", "then"}
OUTBOUND_KEYS = CASE_KEYS - {"when", "then"} | {"downstream", "expect"}
GIVEN_KEYS = {"as_", "post", "body"}
STEP_KEYS = {"method", "path", "body", "headers", "status", "assert_", "as_", "save", "parallel"}
ASSERT_KEYS = {"path", "header", "op", "value"}
OPS = {"eq", "contains", "not_contains", "absent", "present", "empty", "len", "type", "matches"}
WITHOUT_VALUE = {"absent", "present", "empty"}
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
CLIENTS = {"entra", "okta", "any"}
TYPES = {"str": str, "string": str, "int": int, "bool": bool, "list": list, "array": list,
         "dict": dict, "object": dict, "number": (int, float)}
VARIABLE = re.compile(r"\$\{([^}]*)\}")
MISSING = object()


class Failure(Exception):
    """The service answered something else than the case asks for."""


class BadFile(Exception):
    """The case file uses something that this runner doesn't know."""


# --- the file, checked before anything is sent -------------------------------------------------

def load(path):
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    if document.get("format") != "scim-quirks/1":
        raise BadFile(f"{path}: format {document.get('format')!r}, this runner knows scim-quirks/1")
    extra = set(document) - {"format", "written", "about", "assert_ops", "cases"}
    if extra:
        raise BadFile(f"{path}: unknown keys {sorted(extra)}")
    for named in document.get("assert_ops", []):
        if named.split()[0] not in OPS:
            raise BadFile(f"{path}: unknown assert op {named!r} in the header")
    seen = set()
    for case in document["cases"]:
        try:
            check_case(case)
        except BadFile as fault:
            raise BadFile(f"{path}: case {case.get('id')}: {fault}") from None
        if case["id"] in seen:
            raise BadFile(f"{path}: case {case['id']} twice")
        seen.add(case["id"])
    return document["cases"]


def known(thing, keys, what, need=()):
    if not isinstance(thing, dict):
        raise BadFile(f"{what} is {type(thing).__name__}, not an object")
    extra, lacking = set(thing) - keys, set(need) - set(thing)
    if extra:
        raise BadFile(f"unknown keys {sorted(extra)} in {what}")
    if lacking:
        raise BadFile(f"{what} lacks {sorted(lacking)}")


def check_case(case):
    kind = case.get("kind")
    if kind == "outbound":
        return known(case, OUTBOUND_KEYS, "the case", {"id", "title"})
    if kind != "inbound":
        raise BadFile(f"unknown kind {kind!r}")
    known(case, CASE_KEYS, "the case", {"id", "title", "client", "when"})
    if case["client"] not in CLIENTS:
        raise BadFile(f"unknown client {case['client']!r}")
    names = {"rnd", "RND"}
    for given in case.get("given", []):
        known(given, GIVEN_KEYS, "given", GIVEN_KEYS)
        check_variables([given["post"], given["body"]], names, "given")
        names.add(given["as_"])
    for phase in ("when", "then"):
        for step in case.get(phase, []):
            check_step(step, names, phase)


def check_step(step, names, phase):
    known(step, STEP_KEYS, phase)
    if "parallel" in step:
        known(step, {"parallel"}, f"{phase} with parallel")
        for one in step["parallel"]:
            if "parallel" in one:
                raise BadFile("parallel inside parallel")
            check_step(one, set(names), f"{phase}.parallel")
        return
    known(step, STEP_KEYS, phase, {"method", "path", "status"})
    if step["method"] not in METHODS:
        raise BadFile(f"unknown method {step['method']!r}")
    check_variables([step["path"], step.get("body"), step.get("headers")], names, phase)
    if "as_" in step:
        names.add(step["as_"])
    for check in step.get("assert_", []):
        known(check, ASSERT_KEYS, "assert_", {"op"})
        if check["op"] not in OPS:
            raise BadFile(f"unknown op {check['op']!r}")
        if ("path" in check) == ("header" in check):
            raise BadFile(f"an assertion needs either path or header: {check}")
        if (check["op"] in WITHOUT_VALUE) == ("value" in check):
            raise BadFile(f"op {check['op']} {'takes no' if 'value' in check else 'needs a'} value")
        if check["op"] == "type" and check["value"] not in TYPES:
            raise BadFile(f"unknown type {check['value']!r}")
        check_variables([check.get("value"), check.get("path")], names, "assert_")
    for name in step.get("save", {}):
        names.add(name)


def check_variables(tree, names, where):
    for text in strings(tree):
        for name in VARIABLE.findall(text):
            if name.split(".")[0] not in names:
                raise BadFile(f"unknown variable ${{{name}}} in {where}")


def strings(tree):
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield key
            yield from strings(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from strings(value)


# --- HTTP --------------------------------------------------------------------------------------

class Answer:
    def __init__(self, status, headers, raw):
        self.status, self.headers, self.raw = status, headers, raw
        try:
            self.json = json.loads(raw) if raw else None
        except ValueError:
            self.json = None


class Service:
    """One request, one connection: nothing of one request can hang on into the next."""

    def __init__(self, base, timeout, insecure):
        url = urllib.parse.urlsplit(base.rstrip("/"))
        if url.scheme not in ("http", "https") or not url.hostname:
            raise SystemExit(f"--base: {base!r} is not an http(s) URL")
        self.url, self.timeout = url, timeout
        self.tls = ssl.create_default_context() if url.scheme == "https" else None
        if self.tls and insecure:
            self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    def send(self, method, path, token, body=None, headers=None):
        sent = {"Accept": "application/scim+json"}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        payload = None
        if body is not None:
            payload = json.dumps(body, ensure_ascii=False).encode()
            sent["Content-Type"] = "application/scim+json"
        sent.update(headers or {})
        port = self.url.port
        if self.tls:
            link = http.client.HTTPSConnection(self.url.hostname, port, timeout=self.timeout,
                                               context=self.tls)
        else:
            link = http.client.HTTPConnection(self.url.hostname, port, timeout=self.timeout)
        try:
            link.request(method, self.url.path + path, payload, sent)
            reply = link.getresponse()
            return Answer(reply.status, reply.headers, reply.read())
        finally:
            link.close()


def segment(text):
    return urllib.parse.quote(str(text), safe="")


def encode(path):
    """A case's path is written bare; what stands after `=` of each query parameter is encoded."""
    route, question, query = path.partition("?")
    route = "/".join(map(segment, route.split("/")))
    if not question:
        return route
    pairs = []
    for pair in query.split("&"):
        name, equals, value = pair.partition("=")
        pairs.append(segment(name) + equals + segment(value))
    return route + "?" + "&".join(pairs)


# --- one case ----------------------------------------------------------------------------------

class Run:
    def __init__(self, service, token, trace):
        self.service, self.token, self.trace = service, token, trace
        rnd = secrets.token_hex(6)
        self.vars = {"rnd": rnd, "RND": rnd.upper()}
        self.created, self.lock = [], threading.Lock()

    def fill(self, tree):
        if isinstance(tree, str):
            whole = VARIABLE.fullmatch(tree)
            if whole:
                return self.value(whole[1])
            return VARIABLE.sub(lambda found: str(self.value(found[1])), tree)
        if isinstance(tree, dict):
            return {self.fill(key): self.fill(value) for key, value in tree.items()}
        if isinstance(tree, list):
            return [self.fill(value) for value in tree]
        return tree

    def value(self, name):
        head, *rest = name.split(".")
        found = look(self.vars[head], rest)
        if found is MISSING or found is None:
            raise Failure(f"${{{name}}}: the answer that was to give it has no {'.'.join(rest)}")
        return found

    def send(self, method, path, body=None, headers=None):
        path = self.fill(path)
        body = self.fill(body) if body is not None else None
        answer = self.service.send(method, encode(path), self.token, body, self.fill(headers))
        with self.lock:
            self.trace.append((method, path, body, answer))
            if method == "DELETE" and 200 <= answer.status < 300 and encode(path) in self.created:
                self.created.remove(encode(path))
            if method == "POST" and answer.status in (200, 201) and isinstance(answer.json, dict) \
                    and answer.json.get("id"):
                collection = path.partition("?")[0].rstrip("/")
                self.created.append(f"{collection}/{segment(answer.json['id'])}")
        return answer

    def case(self, case):
        for given in case.get("given", []):
            answer = self.send("POST", given["post"], given["body"])
            if answer.status != 201:
                raise Failure(f"given {given['as_']} POST {given['post']}: expected status 201, "
                              f"got {brief(answer)}")
            self.vars[given["as_"]] = answer.json
        for phase in ("when", "then"):
            for number, step in enumerate(case.get(phase, []), 1):
                self.step(step, f"{phase} {number}")

    def step(self, step, label):
        if "parallel" not in step:
            return self.one(step, label)
        gate, faults = threading.Barrier(len(step["parallel"])), []

        def go(one, name):
            try:
                gate.wait()
                self.one(one, name)
            except Exception as fault:  # told below, in the order of the file
                faults.append((name, fault))
        threads = [threading.Thread(target=go, args=(one, f"{label}.{number:02}"))
                   for number, one in enumerate(step["parallel"], 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if faults:
            raise min(faults, key=lambda fault: fault[0])[1]

    def one(self, step, label):
        where = f"{label} {step['method']} {self.fill(step['path'])}"
        try:
            answer = self.send(step["method"], step["path"], step.get("body"), step.get("headers"))
        except (OSError, http.client.HTTPException) as fault:
            raise Failure(f"{where}: no answer: {type(fault).__name__} {fault}") from None
        if answer.status not in step["status"]:
            wanted = " or ".join(map(str, step["status"]))
            raise Failure(f"{where}: expected status {wanted}, got {brief(answer)}")
        for check in step.get("assert_", []):
            self.check(check, answer, where)
        if "as_" in step:
            self.vars[step["as_"]] = answer.json
        for name, path in step.get("save", {}).items():
            found = look(answer.json, self.fill(path))
            if found is MISSING:
                raise Failure(f"{where}: {dotted(path)}: expected a value to save as {name}, got none")
            self.vars[name] = found

    def check(self, check, answer, where):
        op = check["op"]
        if "header" in check:
            place, got = f"header {check['header']}", answer.headers.get(check["header"], MISSING)
        else:
            path = self.fill(check["path"])
            place, got = dotted(path), look(answer.json, path)
            if answer.json is None:
                raise Failure(f"{where}: {place}: expected a JSON body, got {brief(answer)}")
        want = self.fill(check["value"]) if "value" in check else None
        fault = judge(op, got, want)
        if fault:
            raise Failure(f"{where}: {place}: expected {fault}, got {show(got)}")

    def clean(self):
        """Delete what was created, last first. Returns what could not be deleted."""
        left = []
        for path in reversed(self.created):
            try:
                status = self.service.send("DELETE", path, self.token).status
            except (OSError, http.client.HTTPException) as fault:
                status = type(fault).__name__
            if status not in (200, 202, 204):
                left.append(f"DELETE {path}: {status}")
        return left


def look(tree, path):
    for key in path:
        if isinstance(tree, dict) and isinstance(key, str) and key in tree:
            tree = tree[key]
        elif isinstance(tree, list) and isinstance(key, int) and -len(tree) <= key < len(tree):
            tree = tree[key]
        else:
            return MISSING
    return tree


def judge(op, got, want):
    """None if the assertion holds, else what was expected, in words."""
    nothing = got is MISSING or got is None
    if op == "eq":
        return None if same(got, want) else show(want)
    if op == "present":
        return "a value" if nothing else None
    if op == "absent":
        return None if nothing else "nothing (missing or null)"
    if op == "empty":
        return None if nothing or got == [] else "empty (missing, null or [])"
    if op == "len":
        return None if isinstance(got, list) and len(got) == want else f"an array of {want}"
    if op == "type":
        wanted = TYPES[want]
        fits = isinstance(got, wanted) and (not isinstance(got, bool) or wanted is bool)
        return None if fits else f"type {want}"
    if op == "matches":
        return None if isinstance(got, str) and re.search(want, got) else f"a match of {want}"
    held = isinstance(got, list) and any(superset(element, want) for element in got)
    if op == "contains":
        return None if held else f"an array with {show(want)}"
    if op == "not_contains":
        if not nothing and not isinstance(got, list):
            return f"an array without {show(want)}"
        return f"no {show(want)} in it" if held else None
    raise BadFile(f"unknown op {op!r}")


def same(a, b):
    """JSON equality: true is not 1, and an object's order doesn't matter."""
    if isinstance(a, bool) or isinstance(b, bool):
        return isinstance(a, bool) and isinstance(b, bool) and a == b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return a == b


def superset(element, want):
    if isinstance(want, dict):
        return isinstance(element, dict) and all(
            key in element and superset(element[key], value) for key, value in want.items())
    return same(element, want)


# --- words -------------------------------------------------------------------------------------

def dotted(path):
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else ("." if text else "") + key
    return text


def show(value, limit=160):
    text = "nothing" if value is MISSING else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else text[:limit] + "…"


def brief(answer):
    text = " ".join(answer.raw.decode("utf-8", "replace").split())
    if isinstance(answer.json, dict) and "detail" in answer.json:
        text = " ".join(" ".join(str(answer.json[key]).split())
                        for key in ("scimType", "detail") if answer.json.get(key))
    return f"{answer.status} {text[:200]}".strip()


def write_junit(path, results, skipped, seconds):
    failures = sum(1 for result in results if result["failure"])
    suite = ET.Element("testsuite", name="scim-quirks", tests=str(len(results) + len(skipped)),
                       failures=str(failures), skipped=str(len(skipped)), time=f"{seconds:.3f}")
    for result in results:
        case = result["case"]
        node = ET.SubElement(suite, "testcase", classname=f"scim-quirks.{case['client']}",
                             name=f"{case['id']} {case['title']}", time=f"{result['seconds']:.3f}")
        if result["failure"]:
            ET.SubElement(node, "failure", message=result["failure"]).text = case.get("why") or ""
    for case in skipped:
        node = ET.SubElement(suite, "testcase", classname="scim-quirks.outbound",
                             name=f"{case['id']} {case['title']}")
        ET.SubElement(node, "skipped", message="not run: outbound")
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def arguments():
    default = Path(__file__).resolve().parent / "quirks.json"
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--base", help="SCIM base URL, without /Users")
    parser.add_argument("--token", help="bearer token (default: the environment's SCIM_TOKEN)")
    parser.add_argument("--token-for", action="append", default=[], metavar="CLIENT=TOKEN",
                        help="the token of the entra or the okta cases; may be repeated")
    parser.add_argument("--cases", action="append", metavar="FILE",
                        help="case file, may be repeated (default: quirks.json beside this)")
    parser.add_argument("--only", metavar="ID,ID", help="only these cases")
    parser.add_argument("--client", choices=("entra", "okta"), help="only this client's cases and any's")
    parser.add_argument("--junit", metavar="FILE", help="also write JUnit XML")
    parser.add_argument("--list", action="store_true", help="list the cases and stop")
    parser.add_argument("--timeout", type=float, default=30, help="seconds a request may take (30)")
    parser.add_argument("--insecure", action="store_true", help="don't verify the TLS certificate")
    parser.add_argument("-v", "--verbose", action="store_true",
                        help="also print passing cases, and the traffic of failing ones")
    args = parser.parse_args()
    args.cases = args.cases or [default]
    args.token = args.token if args.token is not None else os.environ.get("SCIM_TOKEN")
    args.tokens = {}
    for pair in args.token_for:
        client, equals, token = pair.partition("=")
        if client not in CLIENTS - {"any"} or not equals:
            parser.error(f"--token-for {client}: expected entra=TOKEN or okta=TOKEN")
        args.tokens[client] = token
    if not args.list and not args.base:
        parser.error("--base is needed (or --list)")
    return args


def select(args):
    cases = [case for path in args.cases for case in load(path)]
    ids = [case["id"] for case in cases]
    doubled = {id_ for id_ in ids if ids.count(id_) > 1}
    if doubled:
        raise BadFile(f"in two files: {sorted(doubled)}")
    if args.only:
        wanted = [id_.strip() for id_ in args.only.split(",") if id_.strip()]
        unknown = set(wanted) - set(ids)
        if unknown:
            raise BadFile(f"--only: no case {', '.join(sorted(unknown))}")
        cases = [case for case in cases if case["id"] in wanted]
    if args.client:
        cases = [case for case in cases
                 if case["kind"] == "outbound" or case["client"] in (args.client, "any")]
    return ([case for case in cases if case["kind"] == "inbound"],
            [case for case in cases if case["kind"] == "outbound"])


def token_of(case, args):
    client = args.client if case["client"] == "any" and args.client else case["client"]
    if client in args.tokens:
        return args.tokens[client]
    if args.token is not None:
        return args.token
    return next(iter(args.tokens.values()), None) if client == "any" else None


def main():
    args = arguments()
    try:
        inbound, outbound = select(args)
    except (BadFile, OSError, ValueError) as fault:
        print(f"run_quirks: {fault}", file=sys.stderr)
        return 2
    if args.list:
        for case in inbound + outbound:
            note = "not run: outbound" if case["kind"] == "outbound" else case["client"]
            print(f"{case['id']:5} {note:18} {case['title']}")
        print(f"{len(inbound)} inbound, {len(outbound)} not run: outbound")
        return 0

    service = Service(args.base, args.timeout, args.insecure)
    try:
        service.send("GET", "/ServiceProviderConfig", args.token)
    except OSError as fault:
        print(f"run_quirks: {args.base}: {fault}", file=sys.stderr)
        return 2

    results, begin = [], time.monotonic()
    for case in inbound:
        trace, started = [], time.monotonic()
        run, failure = Run(service, token_of(case, args), trace), None
        try:
            run.case(case)
        except Failure as fault:
            failure = str(fault)
        except (OSError, http.client.HTTPException) as fault:
            failure = f"no answer: {type(fault).__name__} {fault}"
        left = run.clean()
        results.append({"case": case, "failure": failure, "seconds": time.monotonic() - started})
        if failure:
            print(f"FAIL {case['id']} [{case['client']}] {case['title']}\n     {failure}"
                  if args.verbose else f"FAIL {case['id']} [{case['client']}] {failure}")
            if args.verbose:
                for method, path, body, answer in trace[-3:]:
                    print(f"     > {method} {path} {show(body, 2000) if body is not None else ''}")
                    print(f"     < {answer.status} {answer.raw.decode('utf-8', 'replace')[:2000]}")
        elif args.verbose:
            print(f"ok   {case['id']} [{case['client']}] {case['title']}")
        for line in left:
            print(f"left {case['id']}: {line}", file=sys.stderr)

    for case in outbound if args.verbose else []:
        print(f"     {case['id']} not run: outbound: {case['title']}")
    if outbound:
        print(f"{len(outbound)} not run: outbound ({' '.join(case['id'] for case in outbound)})")
    if args.junit:
        write_junit(args.junit, results, outbound, time.monotonic() - begin)
    failed = sum(1 for result in results if result["failure"])
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
