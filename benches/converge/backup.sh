# plain|ours: a first backup of all the agent's data to the vault, by restic alone, or by the
# service of the host; `again`: one with nothing new. Prints the most memory that a restic had, in
# KiB.
set -eu
export CREDENTIALS_DIRECTORY=/etc/petasos/backup RESTIC_PASSWORD_FILE=/etc/petasos/backup/password
export RESTIC_CACHE_DIR=/root/cache
by_hand() {
	restic -o rclone.program='/usr/bin/ssh -F /etc/petasos/backup/ssh_config vault' -o rclone.args=petasos -r rclone: "$@"
}
peak() {
	most=0
	while [ -e /run/b-backup ]; do
		for pid in $(pgrep -x restic); do
			now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status" 2>/dev/null)
			[ "${now:-0}" -le "$most" ] || most=$now
		done
		sleep 0.2
	done
	echo "$most"
}
: >/run/b-backup
peak &
case $1 in
plain)
	by_hand init -q >/dev/null
	by_hand backup -q --host web /home/hermes/.hermes
	;;
*) systemctl start petasos-backup.service ;;
esac
rm /run/b-backup
wait
