# STATE, paths without the leading slash (`+path` with all below it, `-path` alone), `--`, units.
# Keeps in STATE what they are now. A kernel parameter (`-proc/sys/…`) is kept by its value: it
# cannot be put back as a file.
state=$1
shift
rm -rf "$state"
mkdir -p -m 0700 "$state"
: >"$state/deep"
: >"$state/shallow"
: >"$state/kernel"
while [ "$1" != -- ]; do
	case $1 in
	+*) printf '%s\n' "${1#+}" >>"$state/deep" ;;
	-proc/sys/*) ! value=$(cat "/${1#-}" 2>/dev/null) || printf '%s %s\n' "${1#-}" "$value" >>"$state/kernel" ;;
	-*)
		path=${1#-}
		printf '%s\n' "$path" >>"$state/shallow"
		# Folders that are made for it go with it.
		while [ "$path" != "${path%/*}" ]; do
			path=${path%/*}
			[ -e "/$path" ] || printf '%s\n' "$path" >>"$state/shallow"
		done
		;;
	esac
	shift
done
shift
(list) | sort -u >"$state/then"
tar -C / --numeric-owner --no-recursion --verbatim-files-from -T "$state/then" -cpf "$state/files.tar"
if command -v nft >/dev/null; then
	nft list tables | sort >"$state/tables"
	while read -r _ family name; do
		nft -s list table "$family" "$name" >"$state/nft-$family-$name" 2>&1 || :
	done <"$state/tables"
fi
for six in '' 6; do
	if command -v "ip${six}tables-save" >/dev/null; then
		"ip${six}tables-save" >"$state/ip${six}tables" 2>/dev/null || :
	fi
done
for unit; do
	enabled=$(systemctl is-enabled "$unit" 2>/dev/null) || :
	active=$(systemctl is-active "$unit" 2>/dev/null) || :
	printf '%s %s %s\n' "$unit" "${enabled:-none}" "${active:-none}"
done >"$state/units"
