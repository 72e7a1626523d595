read -r run shell shell_start connection connection_start holder </run/petasos/holder || return 0
[ "$run" != "$1" ] || return 0
if [ "$(started "$shell")" = "$shell_start" ] || [ "$(started "$connection")" = "$connection_start" ]; then
	printf %s "$holder"
fi
