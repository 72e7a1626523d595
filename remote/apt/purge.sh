# Arguments: packages.
apt 3 purge -- "$@"
