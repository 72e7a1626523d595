# Puts a pinned build of Python on the host, as root: /opt/hermes/python/NAME.
#
#   NAME VERSION URL SHA256 PROGRAM [PREFIX]
#
# The archive has one folder `python`, as those of python-build-standalone do. PROGRAM (fetch.py)
# downloads it and says its digest: nothing of another one is unpacked.
# Exit: 0 in place · 42 refused, it is not the pinned one · 43 it cannot be downloaded · 44 it does
# not run here.
name=$1 version=$2 url=$3 sha256=$4 program=$5
shift 5
pythons=${1:-}/opt/hermes/python
final=$pythons/$name
stage=$pythons/.staging

umask 022
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
unset SSL_CERT_DIR PYTHONPATH PYTHONHOME VIRTUAL_ENV

# What to do, to whoever listens on descriptor 8 (prelude.sh), else below the error.
hint() { # TEXT
  { printf '%s\n' "$1" >&8; } 2>/dev/null || printf 'hint: %s\n' "$1" >&2
}
die() { # CODE MESSAGE [HINT]
  printf 'error: %s\n' "$2" >&2
  [ -z "${3:-}" ] || hint "$3"
  exit "$1"
}
mark() {
  printf 'version=%s\nsha256=%s\n' "$version" "$sha256"
}
if [ "$(cat "$final/.petasos-python" 2>/dev/null)" = "$(mark)" ]; then
  exit 0
fi
mkdir -p "$pythons"
# Of an older petasos' uv, which left it writable by everybody.
rm -f "$pythons/.lock"
rm -rf "$stage"
# ssh keeps 255 for itself, and 127 says nothing.
# shellcheck disable=SC2154 # the trap sets it
trap 'code=$?; rm -rf "$stage"; [ "$code" -lt 126 ] || code=1; exit "$code"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$stage"
found=$(python3 -I -c "$program" "$url" "$stage/archive") ||
  die 43 "Python $version cannot be downloaded" "the host must reach ${url%%/releases/*}, and where that leads to, over HTTPS"
[ "$found" = "$sha256" ] ||
  die 42 "refused: the archive of Python $version has the digest $found, the lock says $sha256" \
    "nothing of it was unpacked; ask who serves ${url%%/releases/*} to the host"
tar -x -z -f "$stage/archive" -C "$stage" --no-same-owner --no-same-permissions python ||
  die 44 "the archive of Python $version cannot be unpacked"
now=$("$stage/python/bin/python3" -I -c 'import ctypes, hashlib, platform, sqlite3, ssl, venv; print(platform.python_version())') || now=nothing
[ "$now" = "$version" ] || die 44 "Python $version does not run on this host: it says $now"
chown -R -h root:root "$stage/python"
chmod -R go-w "$stage/python"
mark >"$stage/python/.petasos-python"
sync -f "$stage/python/.petasos-python"
rm -rf "$final"
mv -T "$stage/python" "$final"
echo "Python $version in place at $final"
