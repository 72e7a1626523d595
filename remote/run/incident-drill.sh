# MARKER ID SECONDS: should nobody end this drill, the host does.
name=petasos-incident-drill
systemctl stop "$name.timer" 2>/dev/null || :
systemctl reset-failed "$name.service" 2>/dev/null || :
# shellcheck disable=SC2016
systemd-run --quiet --unit="$name" --on-active="$3" --timer-property=AccuracySec=1s \
	--description="Petasos: a drill of an incident that nobody ended" \
	/bin/sh -c '
		grep -qF "\"id\":\"$2\"" "$1" && grep -qF "\"drill\":true" "$1" || exit 0
		for unit in hermes.service "petasos-sandbox@*.service" "petasos-sandbox-net@*.service"; do
			systemctl thaw "$unit" 2>/dev/null || :
			systemctl kill -s CONT "$unit" 2>/dev/null || :
		done
		rm -f "$1"
		systemctl stop petasos-quarantine.service' sh "$1" "$2"
