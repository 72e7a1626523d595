#!/bin/sh
# In the place of stat(1): counts the steps of a run, and stops the run after the one that is asked
# for. The script of a run asks stat for the lengths of what a step said, once the step is done and
# before its frame is printed.
here=/run/t-crash
case "$1 $2 $3" in
'-c %s /run/petasos.'*/out | '-c %s step'*) ;;
*) exec /usr/bin/stat "$@" ;;
esac
count=$(($(cat "$here/count") + 1))
echo "$count" >"$here/count"
if [ "$count" = "$(cat "$here/at")" ]; then
	: >"$here/hit"
	tenths=0
	while [ ! -e "$here/go" ] && [ "$tenths" -lt 3000 ]; do
		sleep 0.1
		tenths=$((tenths + 1))
	done
fi
exec /usr/bin/stat "$@"
