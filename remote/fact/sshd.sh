command -v sshd >/dev/null || return 3
[ -d /run/sshd ] || mkdir -m 0755 /run/sshd
# `-o` settings of the one that runs, a line each: they win against its files. Its title names them.
pid=$(systemctl show --value -p MainPID ssh.service 2>/dev/null) || pid=
options=$(tr '\0' ' ' <"/proc/${pid:-0}/cmdline" 2>/dev/null | sed -n 's/^sshd: \(.*\) \[listener\].*/\1/p' |
	sed 's/ -o */\n/g' | sed '1d; s/ -[A-Za-z0-9].*//') || options=
ask() (
	user=$1
	set --
	while IFS= read -r option; do
		[ -z "$option" ] || set -- "$@" -o "$option"
	done <<-END
		$options
	END
	sshd -T "$@" -C "user=$user,host=host.invalid,addr=192.0.2.1"
)
for user; do
	echo "== $user"
	ask "$user" || return 4
done
echo '== =options'
[ -z "$options" ] || printf '%s\n' "$options"
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
