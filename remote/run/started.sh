# SECONDS: waits for the end of the host's start, and says nothing of how it ended.
timeout "$1" systemctl is-system-running --wait >/dev/null || :
