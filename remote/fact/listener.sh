# For each TCP port, the control group of each socket that listens there, as the kernel keeps it.
for port; do
	echo "== $port"
	said=$(ss -Hltne "sport = :$port") || return 3
	printf '%s\n' "$said" | sed -n 's/.* cgroup:\([^ ]*\).*/\1/p'
done
