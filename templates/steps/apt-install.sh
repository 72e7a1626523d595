# Arguments: packages. An interrupted dpkg is finished first; lists older than a day are fetched anew.
if [ -n "$(dpkg --audit)" ]; then
	echo 'dpkg was interrupted: finishing it' >&2
	dpkg --force-confdef --force-confold --configure -a
fi
if [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -1 2>/dev/null | head -n 1)" ]; then
	apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 update
fi
install() {
	apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Dpkg::Options::=--force-confdef \
		-o Dpkg::Options::=--force-confold --no-install-recommends install -- "$@"
}
install "$@" || {
	apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 update
	install "$@"
}
