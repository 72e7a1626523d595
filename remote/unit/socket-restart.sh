# A socket does not start while its service has it. The service that ran runs again; sshd's sessions
# outlive that.
service=${1%.socket}.service
ran=$(systemctl is-active "$service" 2>/dev/null) || :
[ "$ran" != active ] || systemctl stop "$service"
systemctl restart "$1"
[ "$ran" != active ] || systemctl start "$service"
