# What a host is, a line for each thing: files with owner, mode and content, the release file by
# file, units, rules. Left out is what differs between any two hosts (identity, keys, the agent's
# generated key, dates in shadow), and what usermod(8) saves of the day before.
cd /
own() {
	find etc home/ops usr/local -xdev \( -path 'etc/ssh/ssh_host_*' -o -path etc/hostname -o -path etc/hosts -o -path etc/machine-id \
		-o -path 'etc/*-' -o -path etc/.pwd.lock -o -path etc/mtab \) -prune -o "$@"
}
own -printf '%y %m %u:%g /%p %l\n'
own -type f ! -path etc/shadow ! -path etc/gshadow ! -path etc/hermes/secrets.env -print0 | xargs -0 sha256sum
cut -d : -f 1,2,4- etc/shadow | sed 's/:[0-9]*:/:/; s/^/shadow /'
sed 's/^/gshadow /' etc/gshadow
[ ! -e etc/hermes/secrets.env ] || sed 's/^\(API_SERVER_KEY=\).*/\1some/; s/^/env /' etc/hermes/secrets.env
for dir in opt/hermes home/hermes var/lib/petasos var/log/hermes; do
	[ ! -d "$dir" ] || find "$dir" -maxdepth 1 -printf '%y %m %u:%g /%p %l\n' | grep -v -e history.jsonl
done
[ ! -d opt/hermes/releases ] || find opt/hermes/releases opt/hermes/tools ! -path '*/.git/*' -printf '%y %m %u:%g /%p %l\n'
[ ! -d opt/hermes/releases ] || find opt/hermes/releases opt/hermes/tools -type f ! -path '*/.git/*' ! -name '*.pyc' -print0 | xargs -0 sha256sum
systemctl list-unit-files --state=enabled --no-legend --plain
systemctl list-units --failed --no-legend --plain | sed 's/^/failed /'
nft list tables | sort | while read -r _ family name; do
	nft -s list table "$family" "$name" 2>/dev/null | sed "s/^/$name /"
done
for six in '' 6; do
	"ip${six}tables-save" | sed "/^#/d; s/ *\\[[0-9:]*\\]//; s/^/ip${six}tables /"
done
ls -d run/petasos.* 2>/dev/null || :
