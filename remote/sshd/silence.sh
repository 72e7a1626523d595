sed -n "$2p" "$1" | grep -qi "^[[:space:]]*$3" || { echo "line $2 of $1 has changed since the facts were gathered" >&2; return 1; }
sed -i "$2s/^/# disabled by petasos: /" "$1"
sshd -t
