# GUARD: succeeds once a change was rolled back, and waits until its units have read what was put
# back, for 10 s at most. The rollback itself does not wait: at the start of the host the units wait
# for it.
cd "$1" && [ ! -e armed ] && [ ! -e reverting ] && [ -e reverted ] || return 1
units=$(cut -d ' ' -f 1 reverted/units)
for _ in $(seq 100); do
	# shellcheck disable=SC2086 # names of units, one word each
	[ -n "$units" ] && [ -n "$(systemctl list-jobs --no-legend $units)" ] || return 0
	sleep 0.1
done
