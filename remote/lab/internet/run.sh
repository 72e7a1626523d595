# The services of the lab's internet. When one of them ends, all end, and the next `lab up` starts
# them again.
set -eu
mkdir -p /run/nginx /var/log/internet
# A kernel without IPv6 has nothing that could listen there.
[ -e /proc/net/if_inet6 ] || sed -i '/listen \[::\]/d' /srv/lab/nginx.conf
python3 /srv/lab/stub.py 8000 /var/log/internet/requests.jsonl /srv/lab/hosts &
python3 /srv/lab/telegram.py 8001 /var/log/internet/telegram.jsonl &
python3 /srv/lab/sinks.py 203.0.113.25 2001:db8:4::cb00:7119 &
fcgiwrap -c 8 -s unix:/run/fcgiwrap.sock &
dnsmasq --keep-in-foreground --conf-file=/srv/lab/dnsmasq.conf &
while [ ! -S /run/fcgiwrap.sock ]; do sleep 0.02; done
nginx -c /srv/lab/nginx.conf -g 'daemon off;' &
wait -n || true
echo "a service of the lab's internet ended" >&2
exit 1
