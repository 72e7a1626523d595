# Takes UFW's own chains out of the kernel, nobody else's, then starts it: it fills only chains that
# are not there.
for tables in iptables ip6tables; do
	rules=$("$tables-save" -t filter)
	{
		echo '*filter'
		printf '%s\n' "$rules" | sed -n -E 's/^-A ((INPUT|OUTPUT|FORWARD) .*-j ufw6?-.*)$/-D \1/p'
		printf '%s\n' "$rules" | sed -n -E 's/^:(ufw6?-[^ ]+) .*/-F \1/p'
		printf '%s\n' "$rules" | sed -n -E 's/^:(ufw6?-[^ ]+) .*/-X \1/p'
		echo COMMIT
	} | "$tables-restore" -n
done
ufw --force enable
