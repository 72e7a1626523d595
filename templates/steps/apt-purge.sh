# Arguments: packages.
apt-get -q -y -o DPkg::Lock::Timeout=600 purge -- "$@"
