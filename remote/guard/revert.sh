# Takes a change back that nobody confirmed. Run by petasos-revert.service: from its timer, at the
# next start of the host, or at once when a step failed. Whoever renames `armed` first decides; a
# revert that was cut off goes on at the next start.
set -u
LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
guard=/var/lib/petasos/guard
cd "$guard" || exit 1
if ! [ -d reverting ]; then
	mv -T armed reverting 2>/dev/null || exit 0
fi
logger -t petasos 'guard: nobody confirmed the change, taking it back' || :
sh "$guard/restore.sh" "$guard/reverting"
rm -rf "$guard/reverted"
mv -T reverting reverted
systemctl -q disable petasos-revert.service petasos-revert.timer || :
systemctl --no-block stop petasos-revert.timer || :
logger -t petasos 'guard: rolled back' || :
# The run that changed it is the last one of the record, and may not live to say so itself.
record=/var/lib/petasos/history.jsonl
run=$(grep '"event":"begun"' "$record" | tail -n 1 | grep -o '"run":"[^"]*"') || exit 0
printf '{"time":"%s",%s,"event":"reverted"}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$run" >>"$record"
