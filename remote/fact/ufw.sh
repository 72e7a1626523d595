command -v ufw >/dev/null || return 3
# Only the lines that matter: the whole is longer than all other answers together.
kernel() {
	saved=$("$1" -t filter) || return
	printf '%s\n' "$saved" | grep -E '^(:INPUT |-A INPUT |-A ufw6?-user-input )' || :
}
echo '== v4'
kernel iptables-save || return 4
echo '== v6'
kernel ip6tables-save || return 4
echo '== enabled'
grep -i '^ENABLED=' /etc/ufw/ufw.conf
echo '== defaults'
grep -E '^(DEFAULT_[A-Z]+_POLICY|IPV6)=' /etc/default/ufw
echo '== tuples'
sed -n 's/^### tuple ### //p' /etc/ufw/user.rules /etc/ufw/user6.rules || return 4
