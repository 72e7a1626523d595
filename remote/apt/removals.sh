# Arguments: packages. Those that the host's lists do not have are left out, as apt would then say
# nothing of the others.
none=$(unknown "$@") || return 0
for name; do
	shift
	case "$none " in *" $name "*) ;; *) set -- "$@" "$name" ;; esac
done
[ $# = 0 ] || removed "$@"
