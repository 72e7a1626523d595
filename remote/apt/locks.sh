# What all steps of apt share.
locked() {
	grep -q -E 'Could not get lock|lock (is|was) locked by another|Unable to acquire the dpkg' "$scratch/said"
}
# patient COMMAND…: somebody else's lock is waited for. apt-get's own patience knows one of its
# locks only, dpkg has none.
patient() {
	until=$(($(date +%s) + 600))
	while :; do
		rc=0
		"$@" >"$scratch/words" 2>"$scratch/said" || rc=$?
		if [ "$rc" = 0 ] || ! locked || [ "$(date +%s)" -ge "$until" ]; then
			break
		fi
		sleep 2
	done
	cat "$scratch/words"
	cat "$scratch/said" >&2
	if [ "$rc" != 0 ] && locked; then
		echo "waited 10 minutes: $(grep -h -o -E '(held|locked) by .*process [^.]*' "$scratch/words" "$scratch/said" | tail -n 1)" >&2
		hint 'if that process hangs, end it on the host; then run `petasos up` again'
	fi
	return "$rc"
}
# apt RETRIES COMMAND…: a mirror or a name server that does not answer is given up on after a while.
apt() {
	retries=$1
	shift
	patient env RES_OPTIONS='timeout:3 attempts:2' apt-get -q -y -o DPkg::Lock::Timeout=600 -o "Acquire::Retries=$retries" \
		-o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 \
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}
interrupted() {
	[ -n "$(dpkg --audit)" ] || ls /var/lib/dpkg/updates/[0-9]* >/dev/null 2>&1
}
# finish: what dpkg was interrupted in comes to its end; what lacks a part of itself is for apt to
# complete.
finish() {
	interrupted || return 0
	echo 'dpkg was interrupted: finishing it' >&2
	patient dpkg --force-confdef --force-confold --configure -a || ! locked || return 1
	! interrupted || apt 3 --fix-broken install || ! locked || return 1
}
