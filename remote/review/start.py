"""Runs in the release's own interpreter: the policy in force as on a host, from the repository.

python start.py PACKAGE_PARENT POLICY WORK main ARGS…       as launch.py does
python start.py PACKAGE_PARENT POLICY WORK probe FOLDER     its probes, printed as JSON
python start.py PACKAGE_PARENT POLICY WORK without ARGS…    the agent alone
"""

import json
import sys

parent, policy, work, what, *rest = sys.argv[1:]
sys.path.insert(0, parent)
if what == "without":
    sys.argv = ["hermes", *rest]
    import hermes_cli.main

    sys.exit(hermes_cli.main.main())
if work:
    # On a host this is a mount; without walls it is a directory of the test.
    from petasos_policy import sandbox

    sandbox.WORK, sandbox.SCRATCH = work, f"{work}/.tmp"
from petasos_policy import launch  # noqa: E402

if what == "probe":
    from petasos_policy import arm

    after = arm.after

    def main():
        sys.path.append(rest[0])
        import probes

        print("RESULTS " + json.dumps(probes.run()), flush=True)
        return 0

    def after_that_probes(path):
        after(path)
        import hermes_cli.main

        hermes_cli.main.main = main

    arm.after = after_that_probes
sys.argv = ["launch.py", *(rest if what == "main" else [])]
launch.main(policy)
