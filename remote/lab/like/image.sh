# Makes a tree of Debian's packages like a cloud image of Ubuntu's. Arguments: the tree, the
# version, the codename, a suite from which nginx comes or nothing.
set -eu
tree=$1 version=$2 codename=$3 nginx=$4
rm -f "$tree/etc/os-release"
cat >"$tree/etc/os-release" <<END
PRETTY_NAME="Ubuntu $version LTS"
NAME="Ubuntu"
VERSION_ID="$version"
VERSION="$version LTS"
VERSION_CODENAME=$codename
ID=ubuntu
ID_LIKE=debian
UBUNTU_CODENAME=$codename
END
if [ -n "$nginx" ]; then
	sed -n "s/^\(deb [^ ]*\) [a-z]* .*main.*/\1 $nginx main/p;q" "$tree/etc/apt/sources.list.d/provider.list" >"$tree/etc/apt/sources.list.d/nginx.list"
	cat >"$tree/etc/apt/preferences.d/nginx" <<END
Package: *
Pin: release n=$nginx
Pin-Priority: 50

Package: nginx nginx-* libnginx-*
Pin: release n=$nginx
Pin-Priority: 1001
END
fi
# Package sources in the form of 24.04 and later.
if [ "$version" != 22.04 ]; then
	sed -n 's/^deb \([^ ]*\) \([^ ]*\) \(.*\)/Types: deb\nURIs: \1\nSuites: \2\nComponents: \3\nSigned-By: \/usr\/share\/keyrings\/debian-archive-keyring.gpg\n/p' \
		"$tree/etc/apt/sources.list.d/provider.list" >"$tree/etc/apt/sources.list.d/ubuntu.sources"
	echo '# Sources have moved to /etc/apt/sources.list.d/ubuntu.sources' >"$tree/etc/apt/sources.list"
	rm "$tree/etc/apt/sources.list.d/provider.list"
fi
# Names are asked of systemd's resolver.
mkdir -p "$tree/etc/systemd/resolved.conf.d"
printf '[Resolve]\nDNS=198.51.100.2\n' >"$tree/etc/systemd/resolved.conf.d/provider.conf"
ln -sf ../run/systemd/resolve/stub-resolv.conf "$tree/etc/resolv.conf"
chroot "$tree" systemctl --quiet enable systemd-resolved.service
# The first start, with what the provider says on a disk of its own; it writes sshd's snippet.
rm -f "$tree/etc/ssh/sshd_config.d/50-cloud-init.conf"
cat >"$tree/etc/cloud/cloud.cfg.d/90-provider.cfg" <<'END'
datasource_list: [NoCloud]
network: {config: disabled}
disable_root: true
locale: C.UTF-8
system_info:
  distro: ubuntu
  default_user:
    name: ubuntu
    gecos: Ubuntu
    lock_passwd: true
    groups: [adm, sudo]
    shell: /bin/bash
    sudo: ["ALL=(ALL) NOPASSWD:ALL"]
END
printf 'policy: enabled\n' >"$tree/etc/cloud/ds-identify.cfg"
# 60-cloudimg-settings.conf is of the image itself.
echo 'PasswordAuthentication no' >"$tree/etc/ssh/sshd_config.d/60-cloudimg-settings.conf"
[ "$version" = 26.04 ] || exit 0
# sudo and most of the core tools are their Rust versions; cp, mv and rm are GNU's still.
cd "$tree/usr/lib/cargo/bin/coreutils"
for tool in *; do
	case $tool in cp | mv | rm) continue ;; esac
	for dir in usr/bin usr/sbin; do
		if [ -e "$tree/$dir/$tool" ] && ! [ -L "$tree/$dir/$tool" ]; then
			mv "$tree/$dir/$tool" "$tree/$dir/gnu$tool"
			ln -s "/usr/lib/cargo/bin/coreutils/$tool" "$tree/$dir/$tool"
		fi
	done
done
for pair in bin/sudo sbin/visudo; do
	rs="/usr/lib/cargo/bin/${pair#*/}"
	[ -e "$tree$rs" ] || rs="/usr/bin/${pair#*/}-rs"
	mv "$tree/usr/$pair" "$tree/usr/$pair.ws"
	ln -s "$rs" "$tree/usr/$pair"
done
