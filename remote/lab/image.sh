# Makes a fresh tree of packages into what a provider hands over. Arguments: the tree, its kind.
set -eu
tree=$1 kind=$2
# systemd's own resolver brings a link.
rm -f "$tree/etc/resolv.conf"
printf 'nameserver 198.51.100.2\n' >"$tree/etc/resolv.conf"
chroot "$tree" update-ca-certificates >/dev/null 2>&1
if [ "$kind" = internet ]; then
	printf '[safe]\n\tdirectory = *\n' >"$tree/etc/gitconfig"
	exit 0
fi
# Each host gets a key and an identity of its own.
rm -f "$tree"/etc/ssh/ssh_host_* "$tree/etc/hostname"
# As in Debian's own images. Without one, unattended-upgrades makes an empty one when its hour
# comes.
echo '# See /etc/apt/sources.list.d' >"$tree/etc/apt/sources.list"
: >"$tree/etc/machine-id"
if [ "$kind" = vm ]; then
	# The host's addresses stand in a file; nobody waits until the network is up.
	chroot "$tree" systemctl --quiet enable systemd-networkd.service
	chroot "$tree" systemctl --quiet disable systemd-networkd-wait-online.service
	chmod 755 "$tree/etc/initramfs-tools/scripts/local-bottom/lab-seed"
	chroot "$tree" update-initramfs -u >/dev/null 2>&1
else
	chroot "$tree" systemctl --quiet enable lab-sysctl.service
fi
# The password that nobody knows, as on a rented host: root is not locked, only unreachable without
# the key.
mkdir -p -m 0700 "$tree/root/.ssh"
