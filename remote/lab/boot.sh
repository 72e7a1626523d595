# Boots one tree in a container and boots it again when it reboots. It runs in a mount namespace and
# a control group of its own, so that killing the group ends every process and every mount of it.
# Arguments: name, the layers below (as overlayfs takes them), directory for what the container
# writes, then words for systemd-nspawn.
set -eu
name=$1 lower=$2 dir=$3
shift 3
# systemd 256 and newer boot on pure version 2 only; this machine may still mount version 1 beside
# it.
if [ "$(stat --file-system --format=%T /sys/fs/cgroup)" != cgroup2fs ]; then
	mount -t cgroup2 none /sys/fs/cgroup
fi
echo $$ >"/sys/fs/cgroup/petasos-lab/$name/cgroup.procs"
# Nothing here outlives the machine, so nothing needs to reach the disk.
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$dir/upper,workdir=$dir/work,volatile" "$dir/root"
export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
while :; do
	status=0
	systemd-nspawn --quiet --directory="$dir/root" --machine="$name" \
		--network-namespace-path="/run/netns/petasos-$name" --register=no --keep-unit --private-users=no \
		--resolv-conf=off --timezone=off --link-journal=no "$@" || status=$?
	# 133: the container asked for a reboot.
	[ "$status" = 133 ] || exit "$status"
	# A restart leaves a real kernel without rules; here the network namespace lives on. Without nft
	# on the host there are none.
	if [ -x "$dir/root/usr/sbin/nft" ]; then
		nsenter --net="/run/netns/petasos-$name" chroot "$dir/root" /usr/sbin/nft flush ruleset || :
	fi
done
