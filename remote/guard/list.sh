# Prints what is there of the paths that STATE names, without the leading slash. The keys by which
# the host is known are never among them: no run changes them, and none brings old ones back.
# shellcheck disable=SC2154 # what follows this file sets `state`
list() {
	cd /
	xargs -r -a "$state/deep" -d '\n' sh -c 'for path; do [ -e "$path" ] && find "$path" ! -type s ! -path "etc/ssh/ssh_host_*"; done; :' sh
	xargs -r -a "$state/shallow" -d '\n' sh -c 'for path; do [ -e "$path" ] || [ -L "$path" ] && printf "%s\n" "$path"; done; :' sh
}
