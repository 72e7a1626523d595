# The units that a user's processes belong to, by their control groups.
owners=$(stat -c '%u %n' /proc/[0-9]* 2>/dev/null) || :
units() {
	printf '%s\n' "$owners" | while read -r uid path; do
		[ "$uid" != "$1" ] || sed -n 's/^0:://p' "$path/cgroup" 2>/dev/null
	done | sort -u | tr '\n' ' '
}
for name; do
	case $name in
	u:*)
		name=${name#u:}
		line=$(getent passwd "$name") || {
			# 2 says that there is no such entry; anything else, that the answer is not known.
			[ $? = 2 ] || { echo "getent passwd $name failed" >&2; exit 3; }
			echo "user:$name"
			continue
		}
		shadow=$(getent shadow "$name") || shadow=::
		case $(printf '%s' "$shadow" | cut -d: -f2) in
		'!'*) locked=yes ;;
		'*'*) locked='*' ;;
		*) locked=no ;;
		esac
		ages=$(printf '%s' "$shadow" | cut -d: -f3,5,8)
		uid=$(printf '%s' "$line" | cut -d: -f3)
		printf 'user:%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$line" "$(id -gn "$name")" "$(id -Gn "$name")" "$locked" \
			"$ages" "$([ "$uid" = 0 ] || units "$uid")"
		;;
	g:*)
		name=${name#g:}
		line=$(getent group "$name") || [ $? = 2 ] || { echo "getent group $name failed" >&2; exit 3; }
		printf 'group:%s\t%s\n' "$name" "$line"
		;;
	esac
done
