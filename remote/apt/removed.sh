# removed NAMES…: what apt would take away to install these, each on a line.
removed() {
	apt-get -s -q --no-install-recommends install -- "$@" 2>/dev/null | sed -n 's/^Remv \([^ ]*\) .*/\1/p' | sort -u
}
