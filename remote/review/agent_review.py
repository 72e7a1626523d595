"""The behaviour of one release of the agent under the policy: every promise, as JSON.

    python agent_review.py --python VENV/bin/python [--only NAME] [--keep] [--extra FOLDER]

Needs no root and no network: the audit writer, the sandbox and the model are stand-ins in this
process. Prints {"release": ..., "cases": [{"name", "ok", "detail", "seconds"}, ...]} and ends in 1
where a promise does not hold.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.join(os.path.dirname(HERE), "policy")
sys.path.insert(0, HERE)

from alone import alone, without_sandbox  # noqa: E402
from limits import limits  # noqa: E402
from lists import allowlist  # noqa: E402
from place import MANUAL, Place  # noqa: E402
from starts import starts  # noqa: E402
from turns import manual  # noqa: E402


class Results:
    def __init__(self, only):
        self.only, self.cases = only, []

    def wants(self, name):
        return self.only in name

    def case(self, name, go):
        if not self.wants(name):
            return
        began, detail = time.monotonic(), ""
        try:
            go()
            ok = True
        except BaseException as error:
            ok, detail = False, "".join(traceback.format_exception(error))[-2500:]
        self.add(name, ok, detail, time.monotonic() - began)

    def add(self, name, ok, detail, seconds):
        case = {"name": name, "ok": ok, "detail": detail, "seconds": round(seconds, 2)}
        self.cases.append(case)
        print(f"{'ok  ' if ok else 'FAIL'} {name} {case['seconds']} s", file=sys.stderr, flush=True)
        if not ok:
            print(detail, file=sys.stderr, flush=True)


def inside(options, results):
    """The probes, which run in the release's own process."""
    if results.only and not results.only.startswith("inside"):
        return
    place = Place(options, MANUAL)
    said = place.run("probe", HERE, timeout=400)
    lines = [x for x in said.stdout.splitlines() if x.startswith("RESULTS ")]
    if not lines:
        results.add("inside", False, (said.stdout + said.stderr)[-3000:], 0)
    for found in json.loads(lines[-1][8:]) if lines else ():
        title = f"inside: {found['name'].replace('_', ' ')}"
        if results.wants(title):
            results.add(title, found["ok"], found["detail"], found["seconds"])
    place.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", required=True, help="the release's interpreter")
    parser.add_argument("--package", default=PACKAGE, help="the policy's directory")
    parser.add_argument("--extra", default="", help="a folder of further packages")
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    parser.add_argument("--keep", action="store_true", help="keep the directories")
    options = parser.parse_args()
    options.release = release_of(options)
    results = Results(options.only)
    for group in (starts, inside, manual, limits, allowlist, without_sandbox, alone):
        group(options, results)
    passed = sum(c["ok"] for c in results.cases)
    report = {
        "release": options.release["version"],
        "passed": passed,
        "failed": len(results.cases) - passed,
        "cases": results.cases,
    }
    print(json.dumps(report, indent=1))
    sys.exit(passed != len(results.cases))


def release_of(options):
    """Version and digests of the release that this interpreter has."""
    code = (
        "import json,sys,os; sys.path.insert(0, sys.argv[1]); import importlib as i, types;"
        "p=types.ModuleType('p'); p.__path__=[sys.argv[1]]; sys.modules['p']=p;"
        "r=i.import_module('p.release'); root=r.root_of();"
        "print(json.dumps({'version': r.version_of(root), 'files': r.digests(root)}))"
    )
    said = subprocess.run(
        [options.python, "-P", "-B", "-c", code, options.package],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(said.stdout)


if __name__ == "__main__":
    main()
