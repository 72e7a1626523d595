stat --printf '%n\0%f %U %G\0' -- "$@"
printf '\0'
n=$#
while [ "$n" -gt 0 ]; do
	p=$1
	shift
	if [ -L "$p" ]; then
		printf '%s\0%s\0' "$p" "$(readlink -- "$p" || echo gone)"
	elif [ -f "$p" ]; then
		set -- "$@" "$p"
	fi
	n=$((n - 1))
done
printf '\0'
[ $# = 0 ] || sha256sum -z -- "$@"
