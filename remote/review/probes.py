"""Promises that are asked inside the agent's process, with the policy in force.

Each probe is a function. It fails by an exception or by returning what is not true; its control,
what the agent's own code says without the policy, is within it.
"""

import probe_commands  # noqa: F401
import probe_host  # noqa: F401
import probe_kernel  # noqa: F401
import probe_messages  # noqa: F401
import probe_people  # noqa: F401
import probe_places  # noqa: F401
import probe_results  # noqa: F401
from probe_common import run  # noqa: F401
