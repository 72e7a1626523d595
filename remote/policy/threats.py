"""The agent's own scan for injected instructions, run on what it does not scan itself.

Advisory: a hit refuses nothing, it stands in the log as `flags`.
"""

import json

MOST = 65_536


def flags_of(value):
    from tools.threat_patterns import scan_for_threats

    if not isinstance(value, str):
        try:
            value = json.dumps(value, ensure_ascii=False, default=str)
        except ValueError:
            return []
    found = scan_for_threats(value[:MOST], scope="context")
    return sorted({str(hit)[:100] for hit in found or ()})
