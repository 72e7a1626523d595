[ "$(systemctl is-system-running 2>/dev/null)" != stopping ] || { echo down; return; }
left=4
while read -r run shell start _ 2>/dev/null </run/petasos/holder && [ "$run" = "$1" ] && [ "$(started "$shell")" = "$start" ]; do
	left=$((left - 1))
	[ "$left" -gt 0 ] || { echo busy; return; }
	sleep 1
done
echo free
