loops=no
{ [ -e /dev/loop-control ] || modprobe -q loop; } 2>/dev/null && loops=yes
echo "loops $loops"
while [ $# -gt 0 ]; do
	echo "== $2"
	size=$(stat -c %s -- "$1" 2>/dev/null) && echo "image $size"
	if mountpoint -q -- "$2"; then
		findmnt -n -o SOURCE -M "$2" | sed 's/^/source /'
		stat -f -c 'blocks %b %S' -- "$2"
	fi
	shift 2
done
