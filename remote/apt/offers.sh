# unknown NAMES…: those of which apt would install nothing, each after a space; fails where apt does
# not say.
unknown() {
	apt-cache policy -- "$@" >"$scratch/policy" 2>/dev/null || return
	for name; do
		awk -v name="$name:" '$0 == name { its = 1; next } /^[^ ]/ { its = 0 } its && $1 == "Candidate:" && $2 != "(none)" { known = 1 }
			END { exit !known }' "$scratch/policy" || printf ' %s' "$name"
	done
}
# instead NAMES…: each name on a line; then the packages that provide it, and those whose names are
# it but for one letter: too many, too few, another, or two in each other's place.
instead() {
	echo '== offers'
	for name; do
		echo "$name"
		apt-cache showpkg -- "$name" | awk -v name="$name" '/^Reverse Provides:/ { its = 1; next } its && NF { print name, "provided", $1 }'
		apt-cache pkgnames | awk -v name="$name" 'BEGIN { n = length(name) }
			{ m = length($0) }
			n < 4 || m < n - 1 || m > n + 1 { next }
			{
				for (head = 0; head < n && head < m && substr(name, head + 1, 1) == substr($0, head + 1, 1);) head++
				for (tail = 0; tail < n - head && tail < m - head && substr(name, n - tail, 1) == substr($0, m - tail, 1);) tail++
				left = (n > m ? n : m) - head - tail
				swapped = substr(name, head + 2, 1) substr(name, head + 1, 1)
				if (left == 1 || n == m && left == 2 && swapped == substr($0, head + 1, 2)) print name, "like", $0
			}'
	done
}
