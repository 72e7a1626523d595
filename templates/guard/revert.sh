# Takes a change back that nobody confirmed: files, firewall rules and units become what they were when the guard was armed.
# Run by petasos-revert.service: from its timer, at the next start of the host, or at once when a step failed.
# Whoever renames `armed` first decides; a revert that was cut off goes on at the next start.
set -u
LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
guard=${1:-/var/lib/petasos/guard}
cd "$guard" || exit 1
if ! [ -d reverting ]; then
	mv -T armed reverting 2>/dev/null || exit 0
fi
state=$guard/reverting
logger -t petasos 'guard: nobody confirmed the change, taking it back' || :

# Files: what came since goes, what was is put back.
tar -tf "$state/files.tar" 2>/dev/null | sed 's,/$,,' | sort >"$state/then"
(cd / && xargs -r -a "$state/paths" -d '\n' sh -c 'for path; do [ -e "$path" ] && find "$path"; done' sh) | sort >"$state/now"
comm -13 "$state/then" "$state/now" | sort -r | while IFS= read -r path; do
	rm -df -- "/$path" 2>/dev/null || :
done
tar -C / --numeric-owner -xpf "$state/files.tar" || :
systemctl daemon-reload || :

# Rules: tables that came since go, the others are loaded as they were.
if command -v nft >/dev/null; then
	nft list tables | sort >"$state/tables.now"
	[ -e "$state/tables" ] || : >"$state/tables"
	comm -13 "$state/tables" "$state/tables.now" | while read -r _ family name; do
		nft delete table "$family" "$name" || :
	done
	while read -r _ family name; do
		saved=$state/nft-$family-$name
		grep -q 'iptables-nft' "$saved" && continue
		[ "$(nft -s list table "$family" "$name" 2>/dev/null)" = "$(cat "$saved")" ] && continue
		nft delete table "$family" "$name" 2>/dev/null || :
		nft -f "$saved" || :
	done <"$state/tables"
fi
for six in '' 6; do
	if [ -s "$state/ip${six}tables" ]; then
		"ip${six}tables-restore" <"$state/ip${six}tables" || :
	fi
done

# Units: started with the host, and running, as before. Without waiting: at the start of the host they wait for this one.
while read -r unit enabled active; do
	case $enabled in
	enabled) systemctl -q --no-reload enable "$unit" || : ;;
	disabled) systemctl -q --no-reload disable "$unit" || : ;;
	esac
	case $active in
	active) systemctl --no-block reload-or-restart "$unit" || : ;;
	inactive) systemctl --no-block stop "$unit" || : ;;
	esac
done <"$state/units"

rm -rf "$guard/reverted"
mv -T reverting reverted
systemctl -q disable petasos-revert.service petasos-revert.timer || :
systemctl --no-block stop petasos-revert.timer || :
logger -t petasos 'guard: taken back' || :
