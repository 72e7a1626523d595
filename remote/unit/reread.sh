# Makes a service reload or restart it if it is running. One whose port a socket unit holds is
# started again instead: sshd (10.0, Debian 13) loses that port on a reload. Sessions outlive both.
if systemctl -q is-active "${1%.service}.socket"; then
	systemctl try-restart "$1"
else
	systemctl try-reload-or-restart "$1"
fi
