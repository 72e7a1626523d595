n=$#
while [ "$n" -gt 0 ]; do
	p=$1
	shift
	[ -f "$p" ] && [ ! -L "$p" ] && set -- "$@" "$p"
	n=$((n - 1))
done
[ $# = 0 ] || stat --printf '%s %n\0' -- "$@"
printf '//=\0'
[ $# = 0 ] || cat -- "$@"
