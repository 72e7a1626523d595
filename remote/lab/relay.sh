# A relay to a package registry, started again when it ends: else its port would stay closed as long
# as the lab is not empty. It lives in a control group, whose end is its own.
# Arguments: the file that lists the group's members, then the words of the relay.
set -u
echo $$ >"$1"
shift
while :; do
	"$@"
	echo "the relay \`$*\` ended with $?"
	sleep 0.5
done
