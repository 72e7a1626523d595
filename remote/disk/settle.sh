# IMAGE MOUNT BYTES OWNER:GROUP MODE UNIT SERVICE…; on standard input the text of the mount unit.
# Whatever of it is not done yet is done; cut off anywhere, the next time goes on. What the services
# wrote before is nowhere for a moment: it stays beside, until it is seen to be in its new place.
set -eu
image=$1 mount=$2 bytes=$3 owner=$4 mode=$5 unit=$6
shift 6
units=/usr/local/lib/systemd/system old=$mount.before new=$image.new
say() {
	printf '%s\n' "$1" >&2
	exit 1
}
# All but the order, the times, and the room that a directory itself takes.
list() {
	(cd "$1" && find . -mindepth 1 ! -path ./lost+found \( -type d -printf '%p %U:%G %m\0' -o -printf '%p %U:%G %m %s %l\0' \) | sort -z)
}
# Some file systems hold no room free for a file. What is said goes to no file: there may be no room
# for one.
allocate() {
	why=$(fallocate -l "$bytes" "$1" 2>&1) && return
	case $why in
	*'not supported'*) truncate -s "$bytes" "$1" ;;
	*) return 1 ;;
	esac
}

umask 077
mkdir -p "${image%/*}"
cat >"$image.unit"
if [ ! -e "$image" ]; then
	from=$mount
	[ ! -d "$old" ] || from=$old
	mkdir -p "$mount"
	[ "$from" = "$mount" ] || [ -z "$(ls -A "$mount")" ] ||
		say "both $mount and $old hold data: look at them, and remove the one that is not needed"
	used=$(du -sxk "$from" | cut -f 1)
	[ $((used * 1024)) -lt $((bytes - bytes / 8)) ] || say "$from takes $((used / 1024)) MiB, more than fits in $((bytes / 1048576))"
	rm -f "$new"
	: >"$new"
	# Of btrfs alone: else each write needs room of its own, which may not be there.
	chattr +C "$new" 2>/dev/null || :
	allocate "$new" || {
		rm -f "$new"
		say "no room of $((bytes / 1048576)) MiB for $image: $why"
	}
fi

# Whatever ends it, what was at work is at work again.
stopped=
trap 'for service in $stopped; do systemctl start "$service" || :; done' EXIT
for service; do
	if systemctl -q is-active "$service"; then
		stopped="$stopped $service"
		systemctl stop "$service"
	fi
done
if [ ! -e "$image" ]; then
	if [ "$from" = "$mount" ] && ! mountpoint -q "$mount"; then
		# Root's and empty: nothing starts on it by mistake.
		mv -T "$mount" "$old"
		mkdir -m 0 "$mount"
		from=$old
	fi
	find "$from" -xdev -type s -delete
	mkfs.ext4 -q -F -m 0 -E nodiscard -d "$from" "$new" || {
		# As it was; more files than it has room for are one reason.
		rm -f "$new"
		[ "$from" != "$old" ] || { rmdir "$mount" && mv -T "$old" "$mount"; }
		say "a file system of $((bytes / 1048576)) MiB cannot be made of what is in $mount"
	}
	sync "$new"
	mv -T "$new" "$image"
	! mountpoint -q "$mount" || umount "$mount"
fi

(umask 022 && mkdir -p "$units/local-fs.target.wants")
chmod 0644 "$image.unit"
mv "$image.unit" "$units/$unit"
ln -sfn "../$unit" "$units/local-fs.target.wants/$unit"
systemctl daemon-reload
size=$(stat -c %s "$image")
if [ "$size" -lt "$bytes" ]; then
	allocate "$image" || {
		# What was had of it is the host's again.
		truncate -s "$size" "$image"
		say "no room of $((bytes / 1048576)) MiB for $image: $why"
	}
fi
# In blocks of its own; while it is mounted, not every container's root may make it larger.
has=$(dumpe2fs -h "$image" 2>/dev/null | awk -F: '/^Block (count|size)/ { n = n ? n * $2 : $2 } END { printf "%.0f", n }')
if [ "$has" -lt $((bytes - 65536)) ]; then
	! mountpoint -q "$mount" || systemctl stop "$unit"
	! mountpoint -q "$mount" || say "$mount is in use: nothing else may be at work there while it grows"
	why=$(e2fsck -fp "$image" 2>&1) || [ $? -le 2 ] || say "e2fsck of $image: $why"
	why=$(resize2fs "$image" 2>&1) || say "$image does not grow: $why"
fi
systemctl reset-failed "$unit" 2>/dev/null || :
systemctl start "$unit"
mountpoint -q "$mount" || say "$unit started, and nothing is mounted at $mount"
rmdir "$mount/lost+found" 2>/dev/null || :
chown "$owner" "$mount"
chmod "$mode" "$mount"
if [ -d "$old" ]; then
	list "$old" >"$image.old"
	list "$mount" >"$image.now"
	cmp -s "$image.old" "$image.now" || say "what is at $mount is not what was there: that is in $old"
	rm -rf "$old" "$image.old" "$image.now"
fi
again=$stopped
stopped=
for service in $again; do systemctl start "$service"; done
