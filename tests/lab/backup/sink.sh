# PROGRAM: a webhook's server and a mail server of this host's own, whose certificate it trusts.
mkdir -p /srv/sink
cd /srv/sink || exit
printf '%s' "$1" >sink.py
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null
cp cert.pem /usr/local/share/ca-certificates/sink.crt
update-ca-certificates >/dev/null 2>&1
systemd-run -q --unit sink python3 /srv/sink/sink.py /srv/sink
curl -so /dev/null --retry 50 --retry-connrefused --retry-delay 1 --retry-max-time 20 https://localhost:8443/
