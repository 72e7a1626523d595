# STATE: makes files, firewall rules and units what they were when STATE was kept. Safe to repeat.
set -u
LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
state=$1

# Files: what came since goes (a directory only when nothing is left in it; the guard itself stays),
# what was is put back.
(list) | sort -u >"$state/now"
comm -13 "$state/then" "$state/now" | grep -v /petasos-revert | sort -r | while IFS= read -r path; do
	rm -df -- "/$path" 2>/dev/null || :
done
tar -C / --numeric-owner -xpf "$state/files.tar" || :
systemctl daemon-reload || :

# Kernel parameters. A run of an older version kept none.
[ ! -e "$state/kernel" ] || while read -r path value; do
	[ "$(cat "/$path")" = "$value" ] || printf '%s\n' "$value" >"/$path" || :
done <"$state/kernel"

# Rules: tables that came since go, the others are loaded as they were. Those of iptables are its
# own to restore. While the host starts there are none yet, and what is to come is loaded from the
# files above.
up() {
	systemctl -q is-active sysinit.target
}
if up && command -v nft >/dev/null && [ -e "$state/tables" ]; then
	nft list tables | sort >"$state/tables.now"
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
bare() {
	sed '/^#/d; s/ *\[[0-9]*:[0-9]*\]//'
}
differ() {
	[ -s "$state/ip$1tables" ] && [ "$("ip$1tables-save" 2>/dev/null | bare)" != "$(bare <"$state/ip$1tables")" ]
}
# UFW makes its own again, from its files; only what that does not bring back is loaded as it was
# saved.
if up && { differ '' || differ 6; } && command -v ufw >/dev/null && grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf; then
	ufw reload || :
fi
for six in '' 6; do
	if up && differ "$six"; then
		"ip${six}tables-restore" <"$state/ip${six}tables" || :
	fi
done

# Units: started with the host, and running, as before. Without waiting: at the start of the host
# they wait for this script.
# shellcheck disable=SC2094 # nothing writes there
while read -r unit enabled active; do
	# Its links are back with the files: most often there is nothing to do, and to do it once more
	# would touch those of sysvinit.
	now=$(systemctl is-enabled "$unit" 2>/dev/null) || :
	case $enabled:$now in
	"$now:$now") ;;
	enabled:*) systemctl -q --no-reload enable "$unit" || : ;;
	disabled:*) systemctl -q --no-reload disable "$unit" || : ;;
	esac
	case $active:$unit in
	# A socket does not start again while its service has it, and it may listen elsewhere now; and a
	# service that its socket starts would take the port from it, or lose it on a reload.
	active:*.socket)
		systemctl -q is-active "$unit" && systemctl stop "${unit%.socket}.service"
		systemctl --no-block restart "$unit" || :
		;;
	active:*)
		verb=reload-or-restart
		! grep -q "^${unit%.service}\.socket .* active\$" "$state/units" || verb=try-restart
		systemctl --no-block "$verb" "$unit" || :
		;;
	inactive:*) systemctl --no-block stop "$unit" || : ;;
	esac
done <"$state/units"
# A unit that has no file any more was not stopped by its own rules: what is left of it is that it
# failed.
# shellcheck disable=SC2094 # nothing writes there
! up || while read -r unit _ active; do
	[ "$active" != active ] && [ "$(systemctl show -p LoadState --value "$unit")" = not-found ] || continue
	for _ in $(seq 50); do
		case $(systemctl is-active "$unit") in active | deactivating) sleep 0.2 ;; *) break ;; esac
	done
	systemctl -q reset-failed "$unit" 2>/dev/null || :
done <"$state/units"
