LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
export LC_ALL PATH DEBIAN_FRONTEND NEEDRESTART_MODE
unset LANG LANGUAGE CDPATH ENV
umask 077
scratch=$(mktemp -d /run/petasos.XXXXXX 2>/dev/null || mktemp -d) || exit 70
trap 'rm -rf "$scratch"' EXIT
trap 'exit 71' HUP INT TERM PIPE

# hint TEXT: what to do about the step that fails, on a channel of its own: descriptor 8, which
# programs that a step starts have too.
hint() {
	printf '%s\n' "$*" >&8
}

# frame NAME FUNCTION FLAGS: runs the function in a subshell of its own and prints what it said and
# what it hinted, with the lengths before it.
# shellcheck disable=SC2046,SC2183 # three numbers
frame() {
	(
		set "$3"
		"$2"
	) >"$scratch/out" 2>"$scratch/err" 8>"$scratch/hint" </dev/null
	rc=$?
	set -- "$1" "$scratch/out" "$scratch/err" "$scratch/hint"
	printf '@%s %d %d %d %d\n' "$1" "$rc" $(stat -c %s "$2" "$3" "$4")
	cat "$2" "$3" "$4"
}

# ask NAME FUNCTION FLAGS: runs the function like `frame`, but beside the others; `answers` prints
# all frames in the order of asking. Few processes, however many are asked: most of a look's time is
# the start of processes.
asked=
ask() {
	(
		set "$3"
		"$2"
	) >"$scratch/$2.out" 2>"$scratch/$2.err" 8>"$scratch/$2.hint" </dev/null &
	asked="$asked $1 $2 $!"
}

# shellcheck disable=SC2086 # lists of words
answers() {
	cd "$scratch" || return
	set -- $asked
	asked='' files=''
	while [ $# -gt 0 ]; do
		wait "$3"
		asked="$asked $1 $2 $?" files="$files $2.out $2.err $2.hint"
		shift 3
	done
	stat -c %s $files >sizes || return
	set -- $asked
	files=''
	while [ $# -gt 0 ]; do
		read -r out && read -r err && read -r hint || return
		printf '@%s %d %d %d %d\n' "$1" "$3" "$out" "$err" "$hint" >"$2.head"
		files="$files $2.head $2.out $2.err $2.hint"
		shift 3
	done <sizes
	cat $files
}

# started PID: when a process started, in the kernel's own count; nothing when there is none.
# shellcheck disable=SC2086 # fields
started() {
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	set -- ${stat##*) }
	shift 19
	echo "$1"
}

# session: the sshd process that serves this connection; it ends with the client.
# shellcheck disable=SC2086 # fields
session() {
	pid=$$
	while [ "$pid" -gt 1 ]; do
		stat=$(cat "/proc/$pid/stat" 2>/dev/null) || break
		case $stat in *'(sshd'*) break ;; esac
		set -- ${stat##*) }
		pid=$2
	done
	echo "$pid"
}

# lock RUN OWNER: one run at a time. The record beside the lock (lock/record.sh) counts while the
# script or the connection that it names lives. The first frame says whether the lock was had, and
# from whom it was taken over. Where a connection was lost, its script may be at work still: the
# same run waits for it too, and a run is never beside itself.
lock() {
	mkdir -p /run/petasos
	exec 9>>/run/petasos/lock
	flock 9
	note='' left=30
	while works "$1"; do
		left=$((left - 1))
		if [ "$left" = 0 ]; then
			taken "this very run, over a connection that was lost (process $shell on the host)"
			return 1
		fi
		sleep 1
	done
	if other "$1"; then
		if counts; then
			taken "$owner"
			return 1
		fi
		note=$owner
	fi
	write_record "$1" "$2"
	exec 9>&-
	printf '@lock 0 %d 0 0\n%s' "$(printf %s "$note" | wc -c)" "$note"
}

# taken OWNER: the frame of a lock that somebody has.
taken() {
	printf '@lock 75 0 %d 0\n%s@end 1\n' "$(printf %s "$1" | wc -c)" "$1"
}

# put PATH OWNER GROUP MODE [CHECK…]: standard input becomes PATH, in one rename, if CHECK accepts
# it; `{}` in CHECK is the new file.
put() {
	target=$1 owner=$2 group=$3 mode=$4
	shift 4
	dir=${target%/*}/
	[ -d "$dir" ] || (umask 022 && mkdir -p "$dir") || return 1
	rm -rf "$dir".petasos-put.*
	temp=$(mktemp -d "$dir.petasos-put.XXXXXX") || return 1
	new=$temp/${target##*/}
	left=$#
	while [ "$left" -gt 0 ]; do
		word=$1
		shift
		[ "$word" = '{}' ] && word=$new
		set -- "$@" "$word"
		left=$((left - 1))
	done
	if cat >"$new" && chown "$owner:$group" "$new" && chmod "$mode" "$new" && "${@:-true}" && mv -fT "$new" "$target"; then
		rmdir "$temp"
		return 0
	fi
	rm -rf "$temp"
	echo "could not put $target in place" >&2
	return 1
}
