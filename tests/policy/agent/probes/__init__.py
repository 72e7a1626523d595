"""Promises that are asked inside the agent's process, with the policy in force.

Each probe is a function. It fails by an exception or by returning what is not true; its control,
what the agent's own code says without the policy, is within it.
"""

from probes import commands, host, kernel, messages, people, places, results  # noqa: F401
from probes.common import run  # noqa: F401
