# Arguments: packages; of one with a `+` before it, apt is asked too unless dpkg has it. `--`; those
# to be installed: what goes for them.
command -v dpkg-query >/dev/null || { echo 'dpkg-query is not there' >&2; return 3; }
wanted='' names=''
while [ "$1" != -- ]; do
	case $1 in +*) wanted="$wanted ${1#+}" ;; esac
	names="$names ${1#+}"
	shift
done
shift
install="$*"
# shellcheck disable=SC2086 # names
set -- $names
there=$(dpkg-query -W -f '${Package}\t${db:Status-Status}\t${Version}\n' -- "$@") || :
printf '%s\n' "$there"
# lacking NAMES…: those that dpkg does not have, each after a space.
lacking() {
	for name; do
		case "
$there" in
		*"
$name	installed	"*) ;;
		*) printf ' %s' "$name" ;;
		esac
	done
}
# removals NAMES…: as far as the host's lists of packages tell.
removals() {
	[ $# -gt 0 ] || return 0
	none=$(unknown "$@") || return 0
	for name; do
		shift
		case "$none " in *" $name "*) ;; *) set -- "$@" "$name" ;; esac
	done
	[ $# = 0 ] || removed "$@"
}
# shellcheck disable=SC2086 # names
offers() {
	set -- $(lacking $wanted)
	[ $# -gt 0 ] || return 0
	# Only lists that are younger than a day and than the host's sources say what there is not. Their
	# dates are the mirror's own, so they are at least as old as the last fetching of them.
	lists=/var/lib/apt/lists
	[ -n "$(find $lists -maxdepth 1 -name '*Packages*' -print -quit 2>/dev/null)" ] || return 0
	list=$(find $lists -maxdepth 1 \( -name '*Packages*' -o -name '*Release' \) -mtime -1 -printf '%T@ %p\n' | sort -rn | sed -n '1s/^[^ ]* //p')
	[ -n "$list" ] && [ -z "$(find /etc/apt/sources.list /etc/apt/sources.list.d -newer "$list" 2>/dev/null)" ] || return 0
	missing=$(unknown "$@") || return 0
	instead $missing
}
offers
echo '== removals'
# shellcheck disable=SC2046,SC2086 # names
removals $(lacking $install)
