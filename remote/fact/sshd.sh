command -v sshd >/dev/null || return 3
[ -d /run/sshd ] || mkdir -m 0755 /run/sshd
for user; do
	echo "== $user"
	sshd -T -C "user=$user,host=host.invalid,addr=192.0.2.1" || return 4
done
echo '== =lines'
grep -sHniE '^[[:space:]]*[a-z]' /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf || :
