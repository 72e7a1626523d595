# Paths without the leading slash, `--`, units. Keeps what is, and arms the way back, before anything changes.
guard=/var/lib/petasos/guard
if [ -e "$guard/armed" ] || [ -e "$guard/reverting" ]; then
	echo 'a change of an earlier run is neither confirmed nor taken back yet' >&2
	return 1
fi
new=$guard/new
rm -rf "$new" "$guard/confirmed"
mkdir -p -m 0700 "$guard" "$new"
: >"$new/paths"
while [ "$1" != -- ]; do
	printf '%s\n' "$1" >>"$new/paths"
	shift
done
shift
(cd / && xargs -r -a "$new/paths" -d '\n' sh -c 'for path; do [ -e "$path" ] || [ -L "$path" ] && printf "%s\0" "$path"; done; :' sh) >"$new/there"
tar -C / --numeric-owner --null -T "$new/there" -cpf "$new/files.tar"
if command -v nft >/dev/null; then
	nft list tables | sort >"$new/tables"
	while read -r _ family name; do
		nft -s list table "$family" "$name" >"$new/nft-$family-$name" 2>&1
	done <"$new/tables"
fi
for six in '' 6; do
	if command -v "ip${six}tables-save" >/dev/null; then
		"ip${six}tables-save" >"$new/ip${six}tables" 2>/dev/null
	fi
done
for unit; do
	enabled=$(systemctl is-enabled "$unit" 2>/dev/null) || :
	active=$(systemctl is-active "$unit" 2>/dev/null) || :
	printf '%s %s %s\n' "$unit" "${enabled:-none}" "${active:-none}"
done >"$new/units"
sync -f "$new"
mv -T "$new" "$guard/armed"
systemctl -q enable petasos-revert.service
systemctl -q enable --now petasos-revert.timer
systemctl -q is-active petasos-revert.timer
