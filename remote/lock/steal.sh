grep -qF -- "$1" /run/petasos/holder || return 0
read -r run shell shell_start rest </run/petasos/holder || return 0
seconds=0
while [ "$(started "$shell")" = "$shell_start" ]; do
	[ "$seconds" -lt 900 ] || return 0
	sleep 1
	seconds=$((seconds + 1))
done
grep -qF -- "$1" /run/petasos/holder && rm -f /run/petasos/holder
:
