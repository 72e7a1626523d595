# python3 -I -c PROGRAM UNIT URL SECONDS: waits until the unit is healthy; one that never is, though
# it runs, is restarted and waited for once more.
"$@" 2>/dev/null && return
systemctl restart "$5" && "$@"
