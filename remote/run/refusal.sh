# USER: what the host itself says of a login that was refused, or of a sudo that was: a line each.
journalctl -q --no-pager -o cat --since=-60s -t sshd -t sshd-session -t sudo -n 400 2>/dev/null |
	grep -E "(^|[^[:alnum:]_-])$1([^[:alnum:]_-]|\$)|Authentication refused" | grep -v '^Accepted' | tail -n 2
sshd -T -C "user=$1,host=host.invalid,addr=192.0.2.1" 2>/dev/null |
	grep -iE '^(allowusers|denyusers|allowgroups|denygroups|forcecommand|chrootdirectory|authenticationmethods|usepam) ' | grep -vE '^(usepam yes|authenticationmethods (any|publickey))$| none$'
for file in /etc/nologin /run/nologin /var/run/nologin; do
	[ ! -e "$file" ] || { echo "$file is there: PAM lets nobody but root in"; break; }
done
command -v sudo >/dev/null || { echo 'sudo is not installed'; return 0; }
allowed=$(sudo -l -U "$1" 2>/dev/null | grep '^ *(' | tail -n 1) || allowed=
case $allowed in
*NOPASSWD:*ALL) ;;
*)
	echo "what sudo allows $1 last: ${allowed:-nothing}"
	grep -qE '^[@#]includedir[[:space:]]+/etc/sudoers\.d' /etc/sudoers || echo '/etc/sudoers has no line @includedir /etc/sudoers.d'
	grep -nE "^[[:space:]]*(%[[:alnum:]_-]+|ALL|$1)[[:space:]].*=" /etc/sudoers /etc/sudoers.d/* 2>/dev/null | grep -v NOPASSWD | grep -v '^[^:]*:[0-9]*:[[:space:]]*root'
	;;
esac
:
