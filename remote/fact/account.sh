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
		case $(getent shadow "$name" | cut -d: -f2) in
		'!'* | '*'*) locked=yes ;;
		*) locked=no ;;
		esac
		printf 'user:%s\t%s\t%s\t%s\t%s\n' "$name" "$line" "$(id -gn "$name")" "$(id -Gn "$name")" "$locked"
		;;
	g:*)
		name=${name#g:}
		line=$(getent group "$name") || [ $? = 2 ] || { echo "getent group $name failed" >&2; exit 3; }
		printf 'group:%s\t%s\n' "$name" "$line"
		;;
	esac
done
