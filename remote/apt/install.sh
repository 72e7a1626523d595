# Arguments: packages; with a `-` before it, one that apt may take away for them. Lists older than a
# day are fetched again; that is no failure as long as the packages come. 46: the distribution does
# not have them all, and nothing was installed; standard output ends with what there is instead.
lists() {
	apt 1 update >/dev/null 2>"$scratch/lists" || :
	fetched=yes
}
# fetch NAMES…: nothing goes for them but what a plan has shown.
fetch() {
	apt 3 --no-remove --no-install-recommends install -- "$@" && return 0
	grep -q 'remove is disabled' "$scratch/said" || return 1
	for name in $(removed "$@"); do
		case "$allowed " in *" $name "*) ;; *) refused="$refused $name" ;; esac
	done
	if [ -n "$refused" ]; then
		echo "for $*, apt would remove$refused, which was not in the plan; nothing was installed" >&2
		hint 'the lists of packages are new now: `petasos plan` shows what goes, and `petasos up` then does it'
		return 1
	fi
	apt 3 --no-install-recommends install -- "$@"
}
allowed='' refused=''
for name; do
	shift
	case $name in -*) allowed="$allowed ${name#-}" ;; *) set -- "$@" "$name" ;; esac
done
finish
fetched=no
: >"$scratch/lists"
if [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -1 2>/dev/null | head -n 1)" ]; then
	lists
fi
missing=$(unknown "$@") || missing=
if [ -z "$missing" ]; then
	fetch "$@" && return 0
	[ -z "$refused" ] && ! locked || return 1
fi
if [ "$fetched" = no ]; then
	lists
	missing=$(unknown "$@") || missing=
	if [ -z "$missing" ]; then
		fetch "$@" && return 0
		[ -z "$refused" ] || return 1
	fi
fi
# A mirror that was not reached shows in the lists; without them apt knows no package.
if grep -q -i -E '(failed to|could not|cannot) (fetch|connect|resolve)|failure resolving' "$scratch/lists"; then
	echo 'the package lists could not be fetched:'
	grep -i -E 'failed to fetch|could not (connect|resolve)|failure resolving' "$scratch/lists" | sort -u | head -n 4
	hint 'check that the host reaches its mirror and resolves its name (`apt-get update` on the host shows more)'
	return 1
fi >&2
[ -n "$missing" ] || return 1
echo "the distribution has no package$missing, and nothing was installed" >&2
hint 'correct the name where the playbook has it'
# shellcheck disable=SC2086 # names
instead $missing
return 46
