# UNIT PATH: a unit that ends runs once, and then what it leaves when all went well must be there.
if ! systemctl start -- "$1" || ! [ -e "$2" ]; then
	journalctl --sync
	journalctl -q -o cat -n 20 -u "$1" | grep . | tail -n 5 >&2
	hint "\`journalctl -u $1\` on the host shows more"
	exit 1
fi
