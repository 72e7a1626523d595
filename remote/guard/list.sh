# Prints what is there of the paths that STATE names, without the leading slash.
# shellcheck disable=SC2154 # what follows this file sets `state`
list() {
	cd /
	xargs -r -a "$state/deep" -d '\n' sh -c 'for path; do [ -e "$path" ] && find "$path" ! -type s; done; :' sh
	xargs -r -a "$state/shallow" -d '\n' sh -c 'for path; do [ -e "$path" ] || [ -L "$path" ] && printf "%s\n" "$path"; done; :' sh
}
