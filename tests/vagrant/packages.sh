# On the user's machine: what Debian has of Vagrant, libvirt and QEMU, what `vagrant/box` needs, and
# what forwards a port.
export DEBIAN_FRONTEND=noninteractive
apt-get -q=2 update
apt-get -q=2 -y --no-install-recommends install vagrant vagrant-libvirt libvirt-daemon-system \
	libvirt-clients qemu-system-x86 qemu-utils dnsmasq-base mmdebstrap e2fsprogs fdisk git \
	socat
# libvirt would allow core files of any size, and fails where the lab itself may not raise its
# limits.
echo 'max_core = 0' >/etc/libvirt/qemu.conf
systemctl restart libvirtd
