# Makes a fresh lab host odd, for captures: run as root on it. What it does is what tests/facts.rs
# expects of `*-odd`.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qqy install --no-install-recommends ufw nftables iptables >/dev/null

# Users: a hash, no password at all, a group of other people's; passwords nobody has.
useradd --create-home --shell /bin/sh --groups sudo,adm ops
usermod --password '$y$j9T$odd$odd' ops
useradd --system --no-create-home --shell /usr/sbin/nologin hermes
passwd --delete hermes >/dev/null
chage -M 60 ops
systemd-run -q --unit=odd-other --uid=hermes sleep infinity

# Paths: blanks, quotes, line ends, a link whose target looks like an end, a pipe, bytes that are no
# text.
mkdir -p /var/tmp/odd && cd /var/tmp/odd
printf 'blank\n' >'a b'
printf 'quote\n' >"it's"
printf 'lines\n' >'two
lines'
ln -s '//=' link
ln -s "$(printf 'x\n//=')" link2
mkfifo pipe
printf '\377\376' >binary
: >empty
chown ops:adm 'a b'
chmod 4750 'a b'

# Units: one that runs with a drop-in that systemd has not read, a masked one, one that failed, one
# that is broken.
cat >/etc/systemd/system/odd.service <<'UNIT'
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
UNIT
cat >/etc/systemd/system/odd-failed.service <<'UNIT'
[Service]
ExecStart=/bin/false
UNIT
printf '[Service]\nType=nonsense\n' >/etc/systemd/system/odd-broken.service
systemctl daemon-reload
systemctl -q enable --now odd.service
systemctl start odd-failed.service || :
systemctl -q mask apt-daily.timer
systemctl -q mask --runtime systemd-timesyncd.service
mkdir -p /etc/systemd/system/odd.service.d
printf '[Service]\nNice=5\n' >/etc/systemd/system/odd.service.d/nice.conf

# Drop-ins that are read later: one that says something, one that is masked, one of UFW's.
printf '# x\nkernel.sysrq = 1\n\n-net/ipv4/conf/all/rp_filter=0\n' >/etc/sysctl.d/99-odd.conf
mkdir -p /usr/local/lib/sysctl.d /run/systemd/journald.conf.d
printf 'kernel.sysrq = 2\n' >/usr/local/lib/sysctl.d/98-odd.conf
ln -s /dev/null /etc/sysctl.d/98-odd.conf
printf 'net/ipv4/conf/all/accept_redirects=1\n' >/etc/ufw/sysctl.conf
printf '[Journal]\nStorage=volatile\n' >/run/systemd/journald.conf.d/99-odd.conf
printf '# x\nAPT::Periodic {\n  Unattended-Upgrade "0";\n};\n#clear APT::x;\n' >/etc/apt/apt.conf.d/99odd
printf 'APT::Periodic::Update-Package-Lists "0";\n' >/etc/apt/apt.conf
printf 'x "1";\n' >/etc/apt/apt.conf.d/99odd.bak

# A port: one that a unit listens at, and one that nobody does.
systemd-run -q --unit=odd-listener python3 -c 'import socket, time; s = socket.create_server(("127.0.0.1", 8642)); time.sleep(10 ** 6)'

# sshd: every way to write a line, and a block that wins over all of them.
cat >/etc/ssh/sshd_config.d/10-odd.conf <<'SSHD'
PasswordAuthentication=yes
	permitRootLogin   "yes"   # for now
# PermitEmptyPasswords yes
Match User ops
  X11Forwarding = yes
Match all
  MaxAuthTries 9
SSHD

# UFW: rules of all forms, one more port behind its back, IPv6 with a rule less.
cat >/etc/ufw/applications.d/odd <<'APP'
[Odd App]
title=odd
description=odd
ports=8080,8081/tcp|9090/udp
APP
ufw allow 22/tcp comment 'keep open' >/dev/null
ufw limit 443/tcp >/dev/null
ufw allow 'Odd App' >/dev/null
ufw deny from 203.0.113.66 >/dev/null
ufw --force enable >/dev/null
iptables -I ufw-user-input -p tcp --dport 2323 -j ACCEPT
ip6tables -F ufw6-user-input

# nft: a table in the kernel whose file does not load, and one whose file is another.
nft 'add table inet odd { counter c { }; chain x { type filter hook output priority 10; ip daddr 192.0.2.1 counter name c drop; }; }'
printf 'table inet odd { nonsense }\n' >/var/tmp/odd/odd.nft
nft 'add table inet other { chain x { accept; }; }'
printf 'table inet other { chain x { drop; }; }\n' >/var/tmp/odd/other.nft
