# OWNER. Frees that owner's lock, and only that one's, once its last step is over: two at once would
# trip over each other (dpkg's lock, above all).
seconds=0
while read_record && [ "$owner" = "$1" ] && lives "$shell" "$shell_start"; do
	[ "$seconds" -lt 900 ] || return 0
	sleep 1
	seconds=$((seconds + 1))
done
if read_record && [ "$owner" = "$1" ]; then
	drop_record
fi
