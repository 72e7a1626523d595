# Runs one virtual machine in a control group and a network namespace of its own: killing the group
# ends it. Arguments: the file that a process joins the group by, the namespace, then the words that
# start the machine.
set -eu
members=$1 namespace=$2
shift 2
echo $$ >"$members"
exec ip netns exec "$namespace" "$@"
