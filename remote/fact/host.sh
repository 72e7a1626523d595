sed -n -E 's/^(ID|VERSION_ID|VERSION_CODENAME)=/\1=/p' /etc/os-release
uname -m -r -n | { read -r node kernel machine; printf 'hostname=%s\nkernel=%s\narchitecture=%s\n' "$node" "$kernel" "$machine"; }
read -r init </proc/1/comm
container=no ssh_socket=no cloud_init=no dpkg_interrupted=no ipv6=no web_server=no held=
[ -e /run/systemd/container ] && container=yes
systemctl -q is-active ssh.socket && ssh_socket=yes
starting=no resolved=no
case $(systemctl is-system-running 2>/dev/null) in initializing | starting) starting=yes ;; esac
[ -d /run/systemd/resolve ] && systemctl -q is-active systemd-resolved && resolved=yes
if [ -e /run/cloud-init/status.json ] && ! [ -e /run/cloud-init/result.json ]; then
	systemctl --no-legend list-jobs | grep -q 'cloud-[a-z]*\.\(service\|target\)' && cloud_init=yes
fi
while read -r _ kind _ access _; do
	[ "$kind $access" = 'POSIX WRITE' ] || continue
	held=$(perl -MFcntl -e 'for (@ARGV) {
		open(my $file, "+<", $_) or next;
		my $lock = pack("s s x![q] q q i x![q]", F_WRLCK, 0, 0, 0, 0);
		fcntl($file, F_GETLK, $lock) or next;
		my ($type, $pid) = (unpack("s s x![q] q q i", $lock))[0, 4];
		next if $type == F_UNLCK;
		open(my $comm, "<", "/proc/$pid/comm");
		chomp(my $name = <$comm> || "somebody");
		print "$name, process $pid";
		last;
	}' /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock 2>/dev/null)
	break
done </proc/locks
if [ -z "$held" ]; then
	grep -q -E '^Status: [a-z]+ (reinstreq|[a-z]+ (half-|unpacked|triggers-))' /var/lib/dpkg/status && dpkg_interrupted=yes
	set -- /var/lib/dpkg/updates/[0-9]*
	[ -e "$1" ] && dpkg_interrupted=yes
fi
[ "$(cat /proc/sys/net/ipv6/conf/lo/disable_ipv6 2>/dev/null)" = 0 ] && ipv6=yes
[ -e /usr/sbin/nginx ] && [ "$(readlink /etc/systemd/system/nginx.service)" != /dev/null ] && web_server=yes
clock=systemd-timesyncd
for unit in chrony ntpsec openntpd ntp; do
	[ -e "/usr/lib/systemd/system/$unit.service" ] && systemctl -q is-active "$unit" && clock=$unit && break
done
printf 'clock=%s.service\n' "$clock"
grep -s -H -i -E '^[^#]*[[:space:]=]NOPASSWD:.*ALL[[:space:]]*$' /etc/sudoers /etc/sudoers.d/* | sed -nE 's/^([^:]*):[[:space:]]*([^[:space:]=]+)[[:space:]].*$/sudoer:\2=\1/p'
mlkem=no
grep -q -s mlkem768x25519-sha256 /usr/sbin/sshd && mlkem=yes
printf 'init=%s\ncontainer=%s\ntime=%s\nipv6=%s\nweb_server=%s\nmlkem=%s\n' "$init" "$container" "$(date +%s)" "$ipv6" "$web_server" "$mlkem"
# Where sshd has this very connection, and from where: its own note of it, which sudo takes from all
# below itself.
pid=$$ connection=${SSH_CONNECTION-}
while [ -z "$connection" ] && [ "$pid" -gt 1 ]; do
	read -r stat <"/proc/$pid/stat" || break
	# shellcheck disable=SC2086 # fields
	set -- ${stat##*) }
	pid=$2
	connection=$(tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | sed -n 's/^SSH_CONNECTION=//p')
done
ssh_port=${connection##* }
[ -n "$ssh_port" ] || ssh_port=$(sshd -T 2>/dev/null | sed -n 's/^port //ip;T;q')
# shellcheck disable=SC2086 # fields
set -- $connection
interface=$(ip -o address 2>/dev/null | awk -v address="${3-}" '{ sub("/.*", "", $4) } $4 == address { print $2; exit }')
printf 'ssh_port=%s\nssh_client=%s\nssh_address=%s\nssh_interface=%s\n' "$ssh_port" "${1-}" "${3-}" "$interface"
printf 'starting=%s\nresolved=%s\nssh_socket=%s\ncloud_init=%s\ndpkg_interrupted=%s\napt_held_by=%s\n' "$starting" "$resolved" "$ssh_socket" "$cloud_init" "$dpkg_interrupted" "$held"
set -- /etc /opt /usr /var/cache /var/cache/apt /var/lib /var/lib/dpkg
for path; do
	[ -d "$path" ] && ! [ -w "$path" ] && echo "read_only:$path=yes"
done
[ -w /proc/sys/net/ipv4/tcp_syncookies ] || echo 'read_only:/proc/sys/net=yes'
stat -f -c 'room:%n=%i %a %S' "$@" 2>/dev/null
sed -n -E 's/^[[:space:]]*nameserver[[:space:]]+([^[:space:]]+).*$/nameserver:\1=/p' /etc/resolv.conf 2>/dev/null
:
