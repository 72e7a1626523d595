# What the one who runs this may do. As the agent, each line but the first two must be refused; as
# root, each must succeed.
try() {
	name=$1
	shift
	if said=$("$@" 2>&1); then echo "$name: yes"; else echo "$name: no: $(echo "$said" | tr '\n' ' ' | tail -c 160)"; fi
}
# Opened for writing, and left as it is.
open() { ( : >>"$1" ); }
dial() { timeout 5 bash -c "exec 3<>/dev/tcp/$1/$2"; }
echo "user: $(id -un)"
try own-workspace touch /home/hermes/.hermes/workspace/.probe
try https dial openrouter.ai 443
try etc touch /etc/petasos-probe
try code open /opt/hermes/current/gateway/run.py
try program open /opt/hermes/current/venv/bin/hermes-probe
try unit open /etc/systemd/system/hermes.service
try policy open /etc/hermes/config.yaml
try settings open /etc/hermes/.env
try secrets open /etc/hermes/secrets.env
try home touch /home/hermes/petasos-probe
try records ls /var/lib/petasos
try sudoers ls /etc/sudoers.d
try manager systemctl start hermes-probe.target
try address dial 104.18.2.115 443
try ssh dial 203.0.113.25 22
try smtp dial 203.0.113.25 25
try submission dial 203.0.113.25 587
try database dial 203.0.113.25 5432
try metadata dial 169.254.169.254 80
rm -f /etc/petasos-probe /home/hermes/petasos-probe /opt/hermes/current/venv/bin/hermes-probe /home/hermes/.hermes/workspace/.probe 2>/dev/null
