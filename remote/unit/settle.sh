# python3 -I -c PROGRAM UNIT URL SECONDS: waits until the unit is healthy, as that does, but only
# while it is younger than so many seconds: it may still be at its start.
entered=$(systemctl show --value -p ActiveEnterTimestampMonotonic -- "$5") || return 0
now=$(python3 -I -c 'import time; print(time.monotonic_ns() // 1000)') || return 0
age=$(((now - ${entered:-0}) / 1000000))
[ "$age" -ge "$7" ] || "$@" 2>/dev/null || :
