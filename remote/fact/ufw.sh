# Only the lines that matter for what comes in: the whole is longer than all other answers together.
# What is about single senders opens and shuts nothing for others.
kernel() {
	command -v "$1" >/dev/null || return 0
	saved=$("$1") || return
	printf '%s\n' "$saved" | awk '/^-A ufw6?-user-input / { print; next }
		/^:(ufw|OUTPUT |FORWARD |POSTROUTING )/ || /^-A (ufw|OUTPUT |FORWARD |POSTROUTING )/ || /^-A [^ ]+ -s / { next }
		/^[*:]/ || /^-A / { sub(/ \[[0-9:]+\]$/, ""); print }'
}
echo '== v4'
kernel iptables-save || return 4
echo '== v6'
kernel ip6tables-save || return 4
# Tables of others that packets come through; sets may be long.
nft list chains 2>/dev/null | awk -v saved="$(command -v iptables-save)" '$1 == "table" { table = $2 " " $3 } $1 == "chain" { chain = $2 }
	/hook (input|prerouting)/ && table !~ / petasos/ && !(saved != "" && table ~ /^ip6? / && chain ~ /^(INPUT|PREROUTING)$/) && !seen[table]++ { print table }' | while read -r family name; do
	echo "== nft $family $name"
	nft -s -t list table "$family" "$name"
done
command -v ufw >/dev/null || return 3
echo '== enabled'
grep -i '^ENABLED=' /etc/ufw/ufw.conf
echo '== defaults'
grep -E '^(DEFAULT_[A-Z]+_POLICY|IPV6)=' /etc/default/ufw
echo '== tuples'
sed -n 's/^### tuple ### //p' /etc/ufw/user.rules /etc/ufw/user6.rules || return 4
