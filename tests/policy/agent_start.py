"""Runs in the release's own interpreter: the policy in force as on a host, from the repository.

    python agent_start.py PACKAGE_PARENT POLICY WORK main ARGS…       as launch.py does
    python agent_start.py PACKAGE_PARENT POLICY WORK probe FILE       probes, printed as JSON
    python agent_start.py PACKAGE_PARENT POLICY WORK without ARGS…    the agent alone
"""

import json
import runpy
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

    class Probes:
        @staticmethod
        def main():
            results = runpy.run_path(rest[0])["run"]()
            print("RESULTS " + json.dumps(results), flush=True)
            return 0

    real = sys.modules

    def probes_for_the_agent():
        import hermes_cli.main

        hermes_cli.main.main = Probes.main

    from petasos_policy import arm

    after = arm.after

    def after_then_probes(path):
        after(path)
        probes_for_the_agent()

    arm.after = after_then_probes
sys.argv = ["launch.py", *(rest if what == "main" else [])]
launch.main(policy)
