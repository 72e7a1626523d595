# Arguments: packages. Lists older than a day are fetched again; that is no failure as long as the
# packages come.
lists() {
	apt 1 update >/dev/null 2>"$scratch/lists" || :
	fetched=yes
}
# unknown NAMES…: those that the lists do not have, each after a space.
unknown() {
	apt-cache policy -- "$@" 2>/dev/null >"$scratch/policy" || :
	for name in "$@"; do
		awk -v name="$name:" '$0 == name { its = 1; next } /^[^ ]/ { its = 0 } its && $1 == "Candidate:" && $2 != "(none)" { known = 1 }
			END { exit !known }' "$scratch/policy" || printf ' %s' "$name"
	done
}
finish
fetched=no
: >"$scratch/lists"
if [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -1 2>/dev/null | head -n 1)" ]; then
	lists
fi
missing=$(unknown "$@")
if [ -z "$missing" ]; then
	apt 3 --no-install-recommends install -- "$@" && return 0
	! locked || return 1
fi
if [ "$fetched" = no ]; then
	lists
	missing=$(unknown "$@")
	if [ -z "$missing" ]; then
		apt 3 --no-install-recommends install -- "$@" && return 0
	fi
fi
# A mirror that was not reached shows in the lists; without them apt knows no package.
if grep -q -i -E '(failed to|could not|cannot) (fetch|connect|resolve)|failure resolving' "$scratch/lists"; then
	echo 'the package lists could not be fetched:'
	grep -i -E 'failed to fetch|could not (connect|resolve)|failure resolving' "$scratch/lists" | sort -u | head -n 4
	hint 'check that the host reaches its mirror and resolves its name (`apt-get update` on the host shows more)'
elif [ -n "$missing" ]; then
	echo "the distribution has no package$missing, and nothing was installed"
	hint "correct the name; those of the sandbox's stand under \`agent.sandbox.packages\`"
fi >&2
return 1
