# RUN. Says `down` while the host goes down, `busy` while a script of this run is at work that an
# earlier connection began, else `free`. A script whose connection is lost goes on until its next
# word to nobody; beside it nothing must run.
if [ "$(systemctl is-system-running 2>/dev/null)" = stopping ]; then
	echo down
	return
fi
left=4
while works "$1"; do
	left=$((left - 1))
	[ "$left" -gt 0 ] || {
		echo busy
		return
	}
	sleep 1
done
echo free
