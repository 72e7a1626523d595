"""Starts the agent with the policy in force, or not at all.

    venv/bin/python -P -B /usr/lib/petasos/petasos_policy/launch.py ARGS…

ARGS are what `hermes` would get. Whatever goes wrong before the agent starts is one line on
stderr and exit code 78, which the agent's unit does not retry; or 75, which it does, where only an
answer was late.
"""

import os
import sys

POLICY = "/etc/hermes/policy.json"
REFUSED = 78
LATE = 75


def is_gateway():
    """Whether this is the service, and no command of an administrator's."""
    return sys.argv[-2:] == ["gateway", "run"]


def main(policy=POLICY):
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.argv = ["hermes", *sys.argv[1:]]
    try:
        sys.path.insert(0, here)
        from petasos_policy import hidden

        # Before anything else: from here on nobody looks in. The unit's standard input has the
        # secrets, another's may have anything.
        hidden.hide()
        if is_gateway():
            hidden.take()
        from petasos_policy import arm

        sys.path.remove(here)
        arm.before(policy, covered=is_gateway())
        # It settles profile, home and environment, as the agent's own start does.
        import hermes_cli.main as agent

        arm.after(policy)
    except BaseException as error:
        _refuse(error)
    sys.exit(agent.main())


def _refuse(error):
    code = REFUSED
    try:
        from petasos_policy.arm import one_line
        from petasos_policy.errors import Late

        text = one_line(error)
        code = LATE if isinstance(error, Late) else REFUSED
    except BaseException:
        text = f"{type(error).__name__}: {error}".replace("\n", " ")
    print(f"petasos policy: the agent does not start: {text}", file=sys.stderr, flush=True)
    # Not sys.exit: nothing that is registered for the end may run, and no thread may hold it up.
    os._exit(code)


if __name__ == "__main__":
    main()
