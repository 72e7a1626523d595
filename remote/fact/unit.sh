systemctl show -p LoadState,UnitFileState,ActiveState,SubState,NeedDaemonReload,FragmentPath,DropInPaths,InvocationID -- "$@" || return 3
printf '\n== drop-ins\n'
for unit; do
	for dir in /etc/systemd/system /run/systemd/system /etc/systemd/system.control /run/systemd/system.control; do
		for file in "$dir/$unit.d"/*.conf; do
			[ -e "$file" ] && printf '%s\t%s\n' "$unit" "$file"
		done
	done
done
:
