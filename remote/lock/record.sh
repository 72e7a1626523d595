# The record of who holds this host's lock; no other text knows its form. One line:
#
#   RUN SHELL SHELL_START CONNECTION CONNECTION_START OWNER
#
# A process counts by its id and the time of its start, so that no later one passes for it. The path
# is in no variable: a step's own texts may have one of that name.

# read_record: sets the six names, in small letters; fails where there is no record.
read_record() {
	read -r run shell shell_start connection connection_start owner 2>/dev/null </run/petasos/holder
}

# write_record RUN OWNER: this shell, over this connection, has the lock. In one rename: whoever
# reads finds a whole line.
write_record() {
	connection=$(session)
	printf '%s %s %s %s %s %s\n' "$1" $$ "$(started $$)" "$connection" "$(started "$connection")" "$2" >/run/petasos/holder.new
	mv -f /run/petasos/holder.new /run/petasos/holder
}

drop_record() {
	rm -f /run/petasos/holder
}

# lives PID START
lives() {
	[ -n "$2" ] && [ "$(started "$1")" = "$2" ]
}

# works RUN: whether a script of that run is at work.
works() {
	read_record && [ "$run" = "$1" ] && lives "$shell" "$shell_start"
}

# other RUN: whether the record is that of another run.
other() {
	read_record && [ "$run" != "$1" ]
}

# counts: whether what was read last still holds the lock: its script or its connection lives.
counts() {
	lives "$shell" "$shell_start" || lives "$connection" "$connection_start"
}
