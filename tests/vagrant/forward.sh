# On the user's machine: port 2222 of loopback leads to whichever virtual machine runs, and Vagrant
# is told so by its user's own Vagrantfile.
cat >/usr/local/bin/to-machine <<'TO'
#!/bin/sh
virsh="virsh --quiet --connect qemu:///system"
address=$($virsh domifaddr "$($virsh list --name | head -n 1)" | awk '{ sub("/.*", "", $4); print $4 }')
exec socat - "TCP:$address:22"
TO
chmod +x /usr/local/bin/to-machine
systemd-run --quiet --unit=forward socat TCP-LISTEN:2222,bind=127.0.0.1,fork,reuseaddr \
	EXEC:/usr/local/bin/to-machine
cat >~/.vagrant.d/Vagrantfile <<'RUBY'
Vagrant.configure("2") do |config|
  config.ssh.host = "127.0.0.1"
  config.ssh.port = 2222
end
RUBY
