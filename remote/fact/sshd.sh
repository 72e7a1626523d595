command -v sshd >/dev/null || return 3
[ -d /run/sshd ] || mkdir -m 0755 /run/sshd
for user; do
	echo "== $user"
	sshd -T -C "user=$user,host=host.invalid,addr=192.0.2.1" || return 4
done
# The lines of FILE, and behind each `Include` those of the files that it names: as sshd reads them.
# A level of 16 is the last that sshd goes into.
walk() (
	file=$1 level=$2
	[ "$level" -le 16 ] && [ -f "$file" ] || exit 0
	grep -sniE '^[[:space:]]*[a-z]' "$file" | while IFS= read -r line; do
		printf '%s:%s\n' "$file" "$line"
		case ${line#*:} in
		*[Ii][Nn][Cc][Ll][Uu][Dd][Ee]*) ;;
		*) continue ;;
		esac
		patterns=$(printf '%s\n' "${line#*:}" | sed -nE 's/^[[:space:]]*include[[:space:]=]+//Ip' | sed 's/#.*//; s/"//g')
		cd /etc/ssh || exit 0
		for next in $patterns; do
			case $next in /*) ;; *) next=/etc/ssh/$next ;; esac
			walk "$next" $((level + 1))
		done
	done
)
echo '== =lines'
walk /etc/ssh/sshd_config 0
