//! The agent's data has a size: it moves in without a loss, whatever cuts that off; and who fills
//! it fills nothing else.

use super::harness::{Desk, Host, Shared, converged, ignored, slow, trial};
use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    vec![
        slow("disk::cut off at every fourth place, no data is lost", || cut_off("trixie", 4)),
        ignored(
            trial("disk::cut off anywhere, no data is lost, trixie", || cut_off("trixie", 1)),
            "`.ci/run` cuts it off at every fourth place",
        ),
        ignored(
            trial("disk::cut off anywhere, no data is lost, bookworm", || cut_off("bookworm", 1)),
            "`.ci/run` cuts it off at every fourth place, on the first suite",
        ),
        trial("disk::what the agent fills is its own", filled),
        trial("disk::what is broken is put right with the data in it", mended),
    ]
}

const SETTLE: &str = include_str!("../../remote/disk/settle.sh");

/// Each program that the script calls, by its real path, and before one of them its end.
const SHIMS: &str = r#"
mkdir -p /run/shims
cat >/run/shim <<'END'
#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
n=$(($(/usr/bin/cat /run/calls) + 1))
echo "$n" >/run/calls
if [ "$n" = "$CUT" ]; then kill -9 "$SETTLING"; exit 9; fi
exec "${0##*/}" "$@"
END
chmod 755 /run/shim
for name in mkdir mv rm fallocate truncate chattr mkfs.ext4 sync find systemctl ln umount dumpe2fs e2fsck resize2fs \
	chown chmod cmp sort rmdir stat du awk grep findmnt mountpoint cut cat ls; do
	ln -sf /run/shim "/run/shims/$name"
done
printf '%s' "$1" >/run/settle.sh
cat >/run/unit <<'END'
[Unit]
Description=data
[Mount]
What=/var/lib/other/a.img
Where=/srv/data
Type=ext4
Options=loop,nosuid,nodev,noatime
END
cat >/etc/systemd/system/writer.service <<'END'
[Service]
ExecStart=/bin/sleep infinity
END
systemctl daemon-reload
# The data, with what is odd about files.
cat >/run/data.sh <<'END'
umask 022
mkdir -p /srv/data/deep/er /srv/data/empty
cd /srv/data
head -c 3000000 /dev/urandom >deep/er/random
printf 'a\nb' >"$(printf 'new\nline')"
ln -s /etc/passwd link
ln -s nowhere deep/gone
ln deep/er/random deep/second
truncate -s 40M sparse
printf x | dd of=sparse bs=1 seek=30000000 conv=notrunc status=none
: >none
chmod 4750 none
chown nobody:nogroup none deep
chmod 1777 empty
mkfifo pipe
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("/srv/data/socket")'
END
"#;

/// What is in a place, but the socket, which nobody listens at.
const DIGEST: &str = r#"cd /srv/data; rmdir lost+found 2>/dev/null || :
{ find . -mindepth 1 ! -type s ! -type d -printf '%p %U:%G %m %n %s %l\n'; find . -mindepth 1 -type d -printf '%p %U:%G %m\n'
find . -type f -print0 | xargs -0 sha256sum; } | sort | sha256sum"#;

/// Cut off before each program, one after the other, and then run to its end.
const CUTS: &str = r#"
args="/var/lib/other/a.img /srv/data 134217728 root:root 0711 srv-data.mount writer.service"
clean() {
	PATH=/usr/sbin:/usr/bin
	systemctl stop srv-data.mount writer.service 2>/dev/null || :
	umount /srv/data 2>/dev/null || :
	rm -rf /srv/data /srv/data.before /var/lib/other /usr/local/lib/systemd/system/srv-data.mount \
		/usr/local/lib/systemd/system/local-fs.target.wants/srv-data.mount
	systemctl daemon-reload
}
settle() (
	PATH=/run/shims
	export PATH CUT
	/bin/sh -c 'SETTLING=$$; export SETTLING; . /run/settle.sh' settle $args </run/unit
)
cut=0 cuts=0 lost=0
while :; do
	cut=$((cut + $1))
	clean
	sh /run/data.sh
	before=$(sh /run/digest.sh)
	systemctl start writer.service
	echo 0 >/run/calls
	CUT=$cut
	if settle >/run/said 2>&1; then break; fi
	cuts=$((cuts + 1))
	echo 0 >/run/calls
	CUT=0
	settle >/run/again 2>&1 || { echo "cut $cut: the next time failed: $(/usr/bin/cat /run/again)"; lost=1; continue; }
	after=$(sh /run/digest.sh)
	[ "$before" = "$after" ] || { echo "cut $cut: not the same data"; lost=1; }
	[ "$(/usr/bin/stat -c %a /srv/data)" = 711 ] || { echo "cut $cut: its mode"; lost=1; }
	/usr/bin/findmnt -n -o SOURCE /srv/data | grep -q '^/dev/loop' || { echo "cut $cut: not mounted"; lost=1; }
	[ ! -e /srv/data.before ] || { echo "cut $cut: the old data stays"; lost=1; }
	[ "$cut" -lt 80 ] || break
done
after=$(sh /run/digest.sh)
[ "$before" = "$after" ] || { echo "uncut: not the same data"; lost=1; }
/usr/bin/systemctl -q is-active writer.service || { echo "the service was not started again"; lost=1; }
echo "cuts $cuts"
clean
exit $lost
"#;

/// More files than there is room for: all is as it was, and at work.
const TOO_MANY: &str = r#"
mkdir -p /srv/data
cd /srv/data
seq -f f%.0f 20000 | xargs touch
cd /
systemctl start writer.service
! sh /run/settle.sh /var/lib/other/a.img /srv/data 67108864 root:root 0711 srv-data.mount writer.service </run/unit 2>/run/said
grep 'cannot be made of what is in /srv/data' /run/said
systemctl is-active writer.service
ls /srv/data | wc -l
! mountpoint -q /srv/data
! [ -e /srv/data.before ]
"#;

/// It is to be larger than the host has room for, which somebody took in the last moment.
const NO_ROOM: &str = r#"
settle() { sh /run/settle.sh /var/lib/other/a.img /srv/data "$1" root:root 0711 srv-data.mount writer.service </run/unit; }
rm -rf /srv/data
mkdir -p /srv/data /var/lib/other
truncate -s 300M /srv/small.img
mkfs.ext4 -q -F /srv/small.img
mount -o loop /srv/small.img /var/lib/other
echo kept >/srv/data/note
systemctl start writer.service
settle 134217728
left() { df --output=avail -B1M /var/lib/other | tail -n 1; }
before=$(left)
! settle 402653184 2>/run/said
grep 'no room of 384 MiB for /var/lib/other/a.img: .*No space left on device' /run/said
systemctl is-active writer.service
cat /srv/data/note
mountpoint -q /srv/data
# Such a file system's own books take a MiB more or less.
echo $((before - $(left) < 4))
"#;

/// Cut off before each `every`-th program.
fn cut_off(suite: &str, every: u32) -> Result<()> {
    let Shared { host, .. } = &converged(&format!("disk-{suite}-{every}"), suite)?;
    host.with_args(SHIMS, &[SETTLE])?.ended(0)?;
    host.with_args("printf '%s' \"$1\" >/run/digest.sh", &[DIGEST])?.ended(0)?;
    // As a service, since it takes longer than a command on the console may.
    let every_so_many = every.to_string();
    host.with_args("printf '%s' \"$1\" >/run/cuts.sh; systemd-run -q --unit=cuts -p RemainAfterExit=yes -p StandardOutput=file:/run/cuts sh -u /run/cuts.sh \"$2\"", &[CUTS, &every_so_many])?.ended(0)?;
    for _ in 0..8 {
        let wait = "for n in $(seq 100); do [ \"$(systemctl show --value -p SubState cuts.service)\" = running ] || exit 0; sleep 1; done; exit 1";
        if host.holds(wait)? {
            break;
        }
    }
    let said = host.sh("cat /run/cuts; systemctl show --value -p Result cuts.service")?;
    let cuts: u32 = said.lines().find_map(|line| line.strip_prefix("cuts ")?.parse().ok()).context(said.clone())?;
    eprintln!("{suite}: cut off at {cuts} places");
    ensure!(cuts > 25 / every && said.trim_end().ends_with("success"), "{said}");
    let said = host.sh(TOO_MANY)?;
    ensure!(said.ends_with("active\n20000\n"), "{said}");
    let said = host.sh(NO_ROOM)?;
    ensure!(said.ends_with("active\nkept\n1\n"), "{said}");
    Ok(())
}

fn free(host: &Host) -> Result<u64> {
    Ok(host.sh("df --output=avail -B1M / | tail -n 1")?.trim().parse()?)
}

fn filled() -> Result<()> {
    let Shared { host, desk } = &converged("disk-filled", "trixie")?;
    let before = free(host)?;
    let fill = "cd /home/hermes/.hermes/workspace; n=0; while true >\"f$n\" && [ $n -lt 300000 ]; do n=$((n + 1)); done 2>/dev/null; rm f0; head -c 3G /dev/zero >fill 2>/dev/null || :; stat -c %s fill; echo $n";
    let said = host.as_agent(fill)?;
    let numbers: Vec<u64> = said.lines().filter_map(|line| line.parse().ok()).collect();
    let [bytes, files] = numbers[..] else { anyhow::bail!("{said}") };
    let after = free(host)?;
    eprintln!(
        "written {} MiB and {files} files; the host's disk lost {} MiB",
        bytes >> 20,
        before.saturating_sub(after)
    );
    ensure!(bytes > 100 << 20 && bytes < 256 << 20 && files > 5000 && files < 100_000, "{said}");
    // Other hosts of this machine write meanwhile.
    ensure!(before.saturating_sub(after) < 1500, "{before} MiB were free, now {after}");
    host.login("ops", &[], "true")?.ended(0)?;
    host.sh("apt-get -qq update")?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])?;
    host.as_agent("cd /home/hermes/.hermes/workspace; find . -name 'f*' -delete")?;
    let said = host.chat("hello after the flood")?;
    ensure!(said == "STUB OK: hello after the flood", "{said}");
    Ok(())
}

fn up(desk: &Desk, says: &str) -> Result<()> {
    desk.petasos(&["up"])?.ended(0)?.says(&[says])?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"]).map(drop)
}

fn mended() -> Result<()> {
    let Shared { host, desk } = &converged("disk-mended", "trixie")?;
    let (note, image) = ("/home/hermes/.hermes/memories/note", "/var/lib/petasos-data/agent.img");
    host.as_agent(&format!("echo kept >{note}"))?;
    let kept = |host: &Host| -> Result<()> {
        ensure!(host.sh(&format!("cat {note}"))? == "kept\n", "the data is not what it was");
        Ok(())
    };
    // Without it the agent does not start.
    host.sh("systemctl stop home-hermes-.hermes.mount; ! systemctl is-active hermes.service")?;
    up(desk, "disk /home/hermes/.hermes: mounted: no")?;
    kept(host)?;
    host.sh(&format!("rm {image}"))?;
    up(desk, "disk /home/hermes/.hermes: exists: no")?;
    kept(host)?;
    host.reboot("ops")?;
    host.started()?;
    kept(host)?;
    let yaml = desk.read("petasos.yaml")?;
    desk.edit("petasos.yaml", "disk: 256M", "disk: 384M")?;
    up(desk, "disk /home/hermes/.hermes: size: ")?;
    kept(host)?;
    ensure!(host.sh("df --output=size -B1M /home/hermes/.hermes | tail -n 1")?.trim().parse::<u32>()? > 300);
    desk.write("petasos.yaml", &yaml)?;
    desk.petasos(&["up"])?
        .ended(3)?
        .says(&["it has 384M, more than 256M", "set `agent.limits.disk` to 384M or more"])?;
    desk.edit("petasos.yaml", "disk: 256M", "disk: 90T")?;
    desk.petasos(&["up"])?.ended(1)?.says(&["the disk is full: ", "or lower `agent.limits.disk`"])?;
    desk.edit("petasos.yaml", "disk: 90T", "disk: 384M")?;
    desk.petasos(&["up"])?.ended(0)?.says(&[": 0 changes,"])?;
    host.answers()?;
    ensure!(host.chat("still there")? == "STUB OK: still there");
    Ok(())
}
