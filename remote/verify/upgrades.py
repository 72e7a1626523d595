"""Whether the host keeps itself patched."""

import os

from .host import active_state, output_of, properties

PERIODIC = ("APT::Periodic::Update-Package-Lists ", "APT::Periodic::Unattended-Upgrade ")
ORIGINS = (
    "Unattended-Upgrade::Origins-Pattern:: ",
    "Unattended-Upgrade::Allowed-Origins:: ",
)


def timer(unit):
    state = properties(unit, ["ActiveState", "UnitFileState"])
    return f"{state.get('ActiveState')} {state.get('UnitFileState')}"


# Whoever of these runs; systemd's own otherwise.
CLOCKS = ("chrony", "ntpsec", "openntpd", "ntp")


def clock():
    units = [f"{name}.service" for name in CLOCKS]
    active = [unit for unit in units if active_state(unit) == "active"]
    unit = active[0] if active else "systemd-timesyncd.service"
    return f"{unit} {active_state(unit)}"


def upgrades():
    lines = output_of("apt-config", "dump").splitlines()
    container = os.path.exists("/run/systemd/container")
    return {
        "settings": {
            line.split(" ")[0].rsplit("::", 1)[-1]: line.split('"')[1]
            for line in lines
            if line.startswith(PERIODIC)
        },
        "origins": sum(line.startswith(ORIGINS) for line in lines),
        "timers": {unit: timer(unit) for unit in ("apt-daily.timer", "apt-daily-upgrade.timer")},
        "installed": output_of("dpkg-query", "-W", "-f${db:Status-Status}", "unattended-upgrades"),
        "reboot": os.path.exists("/run/reboot-required"),
        "clock": "" if container else clock(),
        "container": container,
        "journal": os.path.isdir("/var/log/journal"),
    }
