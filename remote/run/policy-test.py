# What the policy says of a tool call: one JSON object. The caller adds a call of `test` at the end;
# the request is text, so that a command is in no process list.
import importlib
import sys


def test(folder, request):
    if sys.version_info < (3, 10):
        sys.exit("the policy needs Python 3.10 or later, this is " + sys.version.split()[0])
    sys.path.insert(0, folder)
    try:
        explain = importlib.import_module("petasos_policy.explain")
    except ModuleNotFoundError as error:
        if error.name.startswith("petasos_policy"):
            sys.exit("the policy is not installed: there is no " + folder + "/petasos_policy")
        sys.exit("python3 has no module " + error.name + ": Debian has it in the package python3")
    sys.exit(explain.main(request))
