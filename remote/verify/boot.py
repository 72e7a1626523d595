"""Makes the driver's modules out of their texts, which come on standard input and are never on
the host's disk, and starts it. A line that calls `boot` follows, with all of it as JSON."""

import json
import sys
import types

PACKAGE = "verify"


def boot(text):
    """Loads the modules, each after those that it imports, and runs the last one."""
    message = json.loads(text)
    package = sys.modules[PACKAGE] = types.ModuleType(PACKAGE)
    package.__path__ = []
    for name, source in message["modules"]:
        module = types.ModuleType(f"{PACKAGE}.{name}")
        module.__package__ = PACKAGE
        exec(compile(source, f"{name}.py", "exec"), module.__dict__)
        sys.modules[module.__name__] = module
        setattr(package, name, module)
    module.main(message)
