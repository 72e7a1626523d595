"""The agent's unit, copied: what it limits is what limits the attacks."""

from .host import output_of

# What says how the agent is started and stopped, and not what it may do.
NOT_A_LIMIT = (
    "BusName",
    "Exec",
    "FileDescriptorStoreMax",
    "FinalKillSignal",
    "GuessMainPID",
    "Kill",
    "LogRateLimit",
    "Notify",
    "PIDFile",
    "RemainAfterExit",
    "Restart",
    "SendSIG",
    "Sockets",
    "Standard",
    "StartLimit",
    "Success",
    "Timeout",
    "Type",
    "Watchdog",
)
# The names that unit files have for networks; systemd-run knows only one of them.
NETWORKS = {
    "localhost": "127.0.0.0/8 ::1/128",
    "link-local": "169.254.0.0/16 fe80::/64",
    "multicast": "224.0.0.0/4 ff00::/8",
}
# Lists that an empty value clears.
CLEARED_BY_EMPTY = {
    "BindPaths",
    "BindReadOnlyPaths",
    "Environment",
    "IPAddressAllow",
    "IPAddressDeny",
    "InaccessiblePaths",
    "ReadOnlyPaths",
    "ReadWritePaths",
    "RestrictAddressFamilies",
    "SystemCallFilter",
    "TemporaryFileSystem",
}


def service_lines(unit):
    """Key and value of every line of a unit's [Service], drop-ins and all, in systemd's order."""
    text = output_of("systemctl", "cat", unit).replace("\\\n", " ")
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and line[0] not in "#;":
            key, _, value = line.partition("=")
            yield key, value


def settings_of(unit):
    """Every setting of a unit that limits it, for systemd-run."""
    settings = []
    for key, value in service_lines(unit):
        if key.startswith("IPAddress"):
            value = " ".join(NETWORKS.get(word, word) for word in value.split())
        if key in CLEARED_BY_EMPTY and not value:
            # An empty value takes back what was said before; to systemd-run it would mean that
            # nothing is allowed.
            settings = [setting for setting in settings if setting[0] != key]
        elif not key.startswith(NOT_A_LIMIT):
            settings.append((key.strip(), value.strip()))
    return settings
