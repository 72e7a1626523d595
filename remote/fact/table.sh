command -v nft >/dev/null || return 3
while [ $# -gt 0 ]; do
	echo "== live $1 $2"
	live=$(nft -s list table "$1" "$2" 2>&1) || case $live in
	*'No such file or directory'*) live= ;;
	*) printf '%s\n' "$live" >&2; exit 4 ;;
	esac
	printf '%s\n' "$live"
	# A file that does not load fills no table.
	if [ -f "$3" ] && wanted=$(unshare -n sh -c 'nft -f "$3" && nft -s list table "$1" "$2"' sh "$1" "$2" "$3"); then
		printf '== wanted %s %s\n%s\n' "$1" "$2" "$wanted"
	fi
	shift 3
done
