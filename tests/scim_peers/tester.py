#!/usr/bin/env python3
"""Runs the whole of PyPI's scim2-tester against a SCIM service, with nothing left out.

    tester.py BASE TOKEN

Prints each check that fails or errs, and a last line `N passed, N failed, N skipped`; exit 1 if anything failed.
"""

import collections
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server
from scim2_tester.utils import Status

GOOD = {"SUCCESS", "COMPLIANT", "ACCEPTABLE"}


def main():
    base, token = sys.argv[1:]
    http = Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    results = check_server(SyncSCIMClient(http))
    counts = collections.Counter(result.status.name for result in results)
    bad = [result for result in results if result.status.name not in GOOD | {"SKIPPED"}]
    for result in bad:
        print(f"{result.status.name} {result.resource_type or ''} {result.title}: {result.reason}")
    for result in results:
        if result.status == Status.SKIPPED:
            print(f"skipped {result.resource_type or ''} {result.title}: {result.reason}")
    passed = sum(counts[name] for name in GOOD)
    print(f"{passed} passed, {len(bad)} failed, {counts['SKIPPED']} skipped")
    sys.exit(1 if bad or not passed else 0)


main()
