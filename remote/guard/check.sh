# Nothing is armed over a change that still waits.
guard=/var/lib/petasos/guard
if [ -e "$guard/armed" ] || [ -e "$guard/reverting" ]; then
	echo 'the change of an earlier run is neither confirmed nor rolled back yet' >&2
	return 1
fi
rm -rf "$guard/confirmed"
