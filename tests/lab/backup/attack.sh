# COMMAND: what a host's own key can ask of a store, request by request; the answers are the
# store's.
command=$1
socket=$(mktemp -u /tmp/store.XXXXXX)
socat UNIX-LISTEN:"$socket",fork EXEC:"$command" 2>/dev/null &
listener=$!
trap 'kill $listener' EXIT
for _ in $(seq 50); do [ -S "$socket" ] && break; sleep 0.1; done
ask() {
	method=$1 path=$2
	shift 2
	code=$(curl -s -m 10 --http2-prior-knowledge --unix-socket "$socket" --path-as-is -X "$method" -o /tmp/answer \
		-H 'Accept: application/vnd.x.restic.rest.v2' -w '%{http_code}' "$@" "http://store$path") || code=closed
	echo "$method $path $code"
}
names() { ask GET "/$1/" >/dev/null && tr '{' '\n' </tmp/answer | sed -n 's/.*"name":"\([0-9a-f]*\)".*/\1/p'; }
absent=$(printf 'f%.0s' $(seq 64))
for kind in snapshots data index keys; do
	for name in $(names $kind | head -n 3) $absent; do
		ask DELETE "/$kind/$name"
		[ "$name" = "$absent" ] || ask POST "/$kind/$name" --data-binary garbage
		ask PUT "/$kind/$name" --data-binary garbage
		ask PATCH "/$kind/$name" --data-binary garbage
		ask MOVE "/$kind/$name" -H 'Destination: /locks/x'
		ask DELETE "/locks/../$kind/$name"
		ask POST "/locks/../$kind/$name" --data-binary garbage
		ask DELETE "/locks/%2e%2e/$kind/$name"
		ask DELETE "/locks/..%2f$kind%2f$name"
		ask DELETE "//$kind//$name"
		ask DELETE "/data/../$kind/$name"
	done
	ask DELETE "/$kind/"
	ask DELETE "/$kind"
done
ask DELETE /config
ask POST /config --data-binary garbage
ask DELETE /
ask POST '/?create=true'
for path in /../../other/0 /%2e%2e/%2e%2e/other/0 /data/../../../other/0 /..%2f..%2fother/0 /..%5c..%5cother/0 /../planted; do
	ask GET "$path/config"
	ask POST "$path/planted" --data-binary garbage
	ask DELETE "$path/config"
done
