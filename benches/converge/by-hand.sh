# What a careful person would write to set up the same host by hand, once: the same packages, users,
# files, release and checks of health. Beside it: facts.sh (the pinned release), files.txt (owner,
# group, mode, path) and files/.
# shellcheck disable=SC2154,SC2086 # facts.sh sets them; one is a list of words
cd "$(dirname "$0")"
# shellcheck source=/dev/null
. ./facts.sh
umask 022
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
phase() { echo "== $1"; }

phase packages
apt-get -q update
apt-get -q -y --no-install-recommends install \
  ca-certificates dnsmasq-base git libnginx-mod-stream nftables nginx openssh-server python3 python3-venv sudo ufw unattended-upgrades
systemctl disable -q --now nginx

phase users
useradd -m -s /bin/bash -G sudo ops
install -d -o ops -g ops -m 0700 /home/ops/.ssh
groupadd --system hermes
useradd --system -g hermes -d /home/hermes -s /usr/sbin/nologin hermes
for helper in petasos-resolver petasos-proxy; do
  groupadd --system $helper
  useradd --system -g $helper -d /nonexistent -s /usr/sbin/nologin $helper
done
install -d -o root -g hermes -m 0750 /home/hermes /etc/hermes
install -d -o hermes -g hermes -m 0700 /home/hermes/.hermes
install -d -o hermes -g hermes -m 0750 /var/log/hermes

phase files
while read -r owner group mode path; do
  mkdir -p "$(dirname "$path")"
  install -o "$owner" -g "$group" -m "$mode" "files$path" "$path"
done <files.txt
visudo -cq
sshd -t
umask 077
{
  echo API_SERVER_ENABLED=true
  echo API_SERVER_HOST=127.0.0.1
  echo API_SERVER_PORT=8642
} >/etc/hermes/.env
{
  echo "API_SERVER_KEY=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
  echo "OPENROUTER_API_KEY=$OPENROUTER_API_KEY"
} >/etc/hermes/secrets.env
umask 022
chown root:hermes /etc/hermes/.env
chmod 0640 /etc/hermes/.env

phase system
systemctl daemon-reload
systemctl enable -q --now petasos-egress.service petasos-resolver.service petasos-proxy.service
sysctl -q --system
systemctl restart systemd-journald

phase release
release=/opt/hermes/releases/$version
mkdir -p /opt/hermes/releases
git -c advice.detachedHead=false clone -q --depth 1 --branch "$tag" "$source" "$release"
[ "$(git -C "$release" rev-parse HEAD)" = "$commit" ]

phase uv
python3 -m venv /opt/hermes/uv
{
  printf 'uv==%s' "$uv_version"
  printf ' --hash=sha256:%s' $uv_digests
} >/root/uv.txt
/opt/hermes/uv/bin/pip install -q --require-hashes -r /root/uv.txt

phase dependencies
export UV_SYSTEM_CERTS=1 UV_NO_PROGRESS=1 UV_PYTHON_PREFERENCE=system
cd "$release"
UV_PROJECT_ENVIRONMENT=$release/venv /opt/hermes/uv/bin/uv sync -q --locked --no-dev --no-install-project --no-build \
  --compile-bytecode --extra messaging
echo "$release" >"$(venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/hermes-release.pth"
cd /

phase start
ln -s "$release" /opt/hermes/current
systemctl enable -q --now hermes.service
timeout 120 sh -c "until python3 -c \"import urllib.request as u; u.urlopen('http://127.0.0.1:8642/health')\" 2>/dev/null; do sleep 0.2; done"

phase close
systemctl reload ssh
for port in 22 80 443; do
  ufw allow "$port/tcp" >/dev/null
done
ufw --force enable
