# Arguments: packages.
apt purge -- "$@"
