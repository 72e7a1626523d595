# Confirms the change: whoever renames `armed` first decides. Says so only when the rollback is
# gone.
guard=/var/lib/petasos/guard
mv -T "$guard/armed" "$guard/confirmed" || {
	echo 'too late: the change is being rolled back, or has been' >&2
	return 1
}
systemctl -q disable petasos-revert.service
systemctl -q disable --now petasos-revert.timer
[ -e "$guard/armed" ] || [ -e "$guard/reverting" ] || echo disarmed
