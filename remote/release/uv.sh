# Puts the pinned uv on the host, as root: /opt/hermes/tools/uv-VERSION/bin/uv.
#
#   VERSION SHA256S [PREFIX]
#
# SHA256S are the digests of its wheels, one for each architecture, with spaces between. pip takes
# the wheel only if its digest is one of these; pip itself is the one that comes with Python's venv.
# Exit: 0 in place · 1 no python3-venv · 44 the wheel cannot be had, or is not the pinned one.
version=$1 digests=$2
shift 2
tools=${1:-}/opt/hermes/tools
final=$tools/uv-$version
stage=$tools/.staging-uv

umask 022
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
export PIP_CERT=/etc/ssl/certs/ca-certificates.crt PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
# Not its option, which pip before 22.1 (Ubuntu 22.04) does not know.
export PIP_ROOT_USER_ACTION=ignore
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV

# What to do, to whoever listens on descriptor 8 (prelude.sh), else below the error.
hint() { # TEXT
  { printf '%s\n' "$1" >&8; } 2>/dev/null || printf 'hint: %s\n' "$1" >&2
}
if [ "$(cat "$final/.petasos-tool" 2>/dev/null)" = "uv=$version" ]; then
  exit 0
fi
mkdir -p "$tools"
rm -rf "$stage"
# ssh keeps 255 for itself, and 127 says nothing.
# shellcheck disable=SC2154 # the trap sets it
trap 'code=$?; rm -rf "$stage"; [ "$code" -lt 126 ] || code=1; exit "$code"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$stage"
# pip runs from its wheel as it is, the way ensurepip does it: an environment for it alone takes 2
# s.
pip=$(python3 -c 'import ensurepip, glob; d = ensurepip._WHEEL_PKG_DIR; print(*glob.glob(f"{d}/pip-*.whl")[:1])' 2>/dev/null) || pip=
if [ -n "$pip" ]; then
  set -- python3 "$pip/pip"
else
  python3 -m venv "$stage/env" || {
    echo 'error: python3 -m venv does not work on this host' >&2
    hint 'the package python3-venv is missing'
    exit 1
  }
  set -- "$stage/env/bin/pip"
fi
{
  printf 'uv==%s' "$version"
  # shellcheck disable=SC2086 # a list of words
  printf ' --hash=sha256:%s' $digests
  echo
} >"$stage/requirements.txt"
"$@" install -q --no-deps --no-compile --no-cache-dir --only-binary :all: --require-hashes \
  --target "$stage/out" -r "$stage/requirements.txt" >&2 || {
  echo "error: uv $version cannot be installed by its pinned digests" >&2
  exit 44
}
"$stage/out/bin/uv" --version >/dev/null
# uv is one static program: what stays is its bin directory, and no environment around it.
mkdir "$stage/uv"
mv "$stage/out/bin" "$stage/uv/bin"
chown -R -h root:root "$stage/uv"
printf 'uv=%s\n' "$version" >"$stage/uv/.petasos-tool"
rm -rf "$final"
mv -T "$stage/uv" "$final"
echo "uv $version in place"
