# Arguments: packages. Of one with a `+` before it, apt is asked too unless dpkg has it.
command -v dpkg-query >/dev/null || { echo 'dpkg-query is not there' >&2; return 3; }
wanted='' n=$#
while [ "$n" -gt 0 ]; do
	case $1 in +*) wanted="$wanted ${1#+}" ;; esac
	set -- "$@" "${1#+}"
	shift
	n=$((n - 1))
done
there=$(dpkg-query -W -f '${Package}\t${db:Status-Status}\t${Version}\n' -- "$@") || :
printf '%s\n' "$there"
set --
for name in $wanted; do
	case "
$there" in
	*"
$name	installed	"*) ;;
	*) set -- "$@" "$name" ;;
	esac
done
[ $# -gt 0 ] || return 0
# Only lists that are younger than a day and than the host's sources say what there is not. Their
# dates are the mirror's own, so they are at least as old as the last fetching of them.
lists=/var/lib/apt/lists
[ -n "$(find $lists -maxdepth 1 -name '*Packages*' -print -quit 2>/dev/null)" ] || return 0
list=$(find $lists -maxdepth 1 \( -name '*Packages*' -o -name '*Release' \) -mtime -1 -printf '%T@ %p\n' | sort -rn | sed -n '1s/^[^ ]* //p')
[ -n "$list" ] && [ -z "$(find /etc/apt/sources.list /etc/apt/sources.list.d -newer "$list" 2>/dev/null)" ] || return 0
missing=$(unknown "$@") || return 0
# shellcheck disable=SC2086 # names
instead $missing
