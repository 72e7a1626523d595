# Nothing is armed over a change that still waits.
guard=/var/lib/petasos/guard
if [ -e "$guard/armed" ] || [ -e "$guard/reverting" ]; then
	echo 'an earlier run's change is neither confirmed nor rolled back yet' >&2
	return 1
fi
rm -rf "$guard/confirmed"
