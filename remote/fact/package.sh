command -v dpkg-query >/dev/null || { echo 'dpkg-query is not there' >&2; return 3; }
dpkg-query -W -f '${binary:Package}\t${db:Status-Status}\t${Version}\n' -- "$@" || :
