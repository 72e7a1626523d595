# For each drop-in, the lines of those that are read after it, wherever they stand. One of the same
# name further up is read in the place of those below (sysctl.d(5), systemd-system.conf(5)). apt has
# one folder, reads names without a dot too, and its own file last (apt.conf(5)).
for own; do
	echo "== $own"
	name=${own##*/} dir=${own%/*} above=
	if [ "$dir" = /etc/apt/apt.conf.d ]; then
		for file in "$dir"/*; do
			case ${file##*/} in
			*.conf) ;;
			*[!A-Za-z0-9_-]*) continue ;;
			esac
			# shellcheck disable=SC3012 # dash and all other shells have it
			[ -f "$file" ] && [ "${file##*/}" \> "$name" ] && grep -HnE '^([^#]|#clear)' "$file"
		done
		grep -sHnE '^([^#]|#clear)' /etc/apt/apt.conf
		continue
	fi
	dir=${dir#/etc/}
	for base in /etc /run /usr/local/lib /usr/lib; do
		for file in "$base/$dir"/*.conf; do
			other=${file##*/} masked=no
			for up in $above; do
				[ ! -e "$up/$dir/$other" ] || masked=yes
			done
			# shellcheck disable=SC3012 # dash and all other shells have it
			[ -f "$file" ] && [ $masked = no ] && [ "$other" \> "$name" ] && grep -HnE '^[^#;]' "$file"
		done
		above="$above $base"
	done
	# What UFW sets when it starts, after all of them.
	[ "$dir" != sysctl.d ] || grep -sHnE '^[^#;]' /etc/ufw/sysctl.conf
done
:
