# What else a host's own key could be for: a shell, files, a way on. Each line is a door that
# opened.
export CREDENTIALS_DIRECTORY=/etc/petasos/backup
vault() { timeout 5 ssh -F /etc/petasos/backup/ssh_config "$@" </dev/null 2>/dev/null; }
vault vault id | grep uid= && echo "a command"
vault -tt vault | grep -a '[$#] $' && echo "a terminal"
vault vault 'exec sh -c "echo opened"' | grep opened && echo "a shell"
vault -W 127.0.0.1:22 vault | grep SSH- && echo "a way to its own ports"
echo 'ls /' | timeout 5 sftp -b - -F /etc/petasos/backup/ssh_config vault 2>/dev/null | grep etc && echo "files"
vault -o SetEnv=RCLONE_CONFIG=/tmp/x -o SetEnv=RCLONE_APPEND_ONLY=false vault 2>/dev/null | grep -a append && echo "its settings"
for user in root ops; do
	timeout 5 ssh -F /etc/petasos/backup/ssh_config -l $user vault id </dev/null 2>/dev/null | grep uid= && echo "$user's login"
done
exit 0
