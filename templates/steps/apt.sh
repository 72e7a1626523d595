# What all steps of apt share.
locked() {
	grep -q -E 'Could not get lock|lock (is|was) locked by another' "$scratch/said"
}
# patient COMMAND…: somebody else's lock is waited for. apt-get's own patience knows one of its locks only, dpkg has none.
patient() {
	until=$(($(date +%s) + 600))
	while :; do
		rc=0
		"$@" 2>"$scratch/said" || rc=$?
		if [ "$rc" = 0 ] || [ "$(date +%s)" -ge "$until" ] || ! locked; then
			break
		fi
		sleep 2
	done
	cat "$scratch/said" >&2
	return "$rc"
}
# apt COMMAND…: a mirror that does not answer is given up on after a while.
apt() {
	patient apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=2 -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 \
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}
interrupted() {
	[ -n "$(dpkg --audit)" ] || ls /var/lib/dpkg/updates/[0-9]* >/dev/null 2>&1
}
# finish: what dpkg was interrupted in comes to its end; what lacks a part of itself is for apt to complete.
finish() {
	interrupted || return 0
	echo 'dpkg was interrupted: finishing it' >&2
	patient dpkg --force-confdef --force-confold --configure -a || ! locked || return 1
	! interrupted || apt --fix-broken install || ! locked || return 1
}
