# For each TCP port, the control group of each socket that 127.0.0.1 reaches there: as the kernel
# keeps it, and where a container may not look that up, that of the process.
here() {
	awk '$4 ~ /^(127\.0\.0\.1|0\.0\.0\.0|\*|\[::\]|\[::ffff:127\.0\.0\.1\])(%[^:]*)?:[0-9]+$/'
}
for port; do
	echo "== $port"
	said=$(ss -Hltne "sport = :$port") || return 3
	said=$(printf '%s\n' "$said" | here)
	if printf '%s\n' "$said" | grep -qv ' cgroup:/'; then
		ss -Hltnp "sport = :$port" | here | grep -o 'pid=[0-9]*' | sort -u | while IFS='=' read -r _ pid; do
			sed -n 's/^0:://p' "/proc/$pid/cgroup"
		done
	else
		printf '%s\n' "$said" | sed 's/.* cgroup:\([^ ]*\).*/\1/'
	fi
done
