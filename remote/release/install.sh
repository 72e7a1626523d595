# Puts one pinned release on the host, as root. Switches nothing: see switch.sh.
#
#   SOURCE TAG COMMIT TREE ARCHIVE_SHA256 UV_LOCK_SHA256 VERSION EXTRAS UV_VERSION LAUNCHER
#   PYTHON [PREFIX]
#
# EXTRAS is a list with spaces between. LAUNCHER is the program that the command `hermes` goes
# through. PYTHON is the name of a build that python.sh has put in place; where it is empty, the
# distribution's Python is taken. PREFIX (for tests) goes before /opt and /var.
# Everything is built and checked beside its place and renamed into it, complete; the manifest is
# written last. A directory without a manifest is not a release.
#
# Exit: 0 in place (now or already) · 40 another run is at work · 42 refused, the content is not
# what the lock says · 43 the source or the tag is not there · 44 dependencies · 45 it does not
# import.
source=$1 tag=$2 commit=$3 tree=$4 archive_sha256=$5 uv_lock_sha256=$6 version=$7 extras=$8 uv_version=$9
shift 9
launcher=$1 own_python=$2 prefix=${3:-}

releases=$prefix/opt/hermes/releases
final=$releases/$version-$(printf %.12s "$commit")
stage=$releases/.staging-$version
uv=$prefix/opt/hermes/tools/uv-$uv_version/bin/uv

umask 022
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
export GIT_TERMINAL_PROMPT=0 GIT_ALLOW_PROTOCOL=https:ssh:file:git:http
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY PYTHONPATH PYTHONHOME VIRTUAL_ENV

# What to do, to whoever listens on descriptor 8 (prelude.sh), else below the error.
hint() { # TEXT
  { printf '%s\n' "$1" >&8; } 2>/dev/null || printf 'hint: %s\n' "$1" >&2
}
die() { # CODE MESSAGE [HINT]
  printf 'error: %s\n' "$2" >&2
  [ -z "${3:-}" ] || hint "$3"
  exit "$1"
}
refuse() { # WHAT WANTED FOUND
  die 42 "refused: $1 of $tag is $3, the lock says $2" 'the running release is unchanged; ask upstream before you pin it again'
}
same() { [ "$2" = "$3" ] || refuse "$1" "$2" "$3"; }
began=$(date +%s)
phase() {
  now=$(date +%s)
  printf 'release %s: %s (%ss)\n' "$version" "$1" "$((now - began))"
  began=$now
}
# The same words as in petasos itself: they shape the bytes of `git archive`.
git() {
  command git -c core.hooksPath=/dev/null -c core.attributesFile=/dev/null -c core.autocrlf=false \
    -c core.eol=lf -c tar.umask=0002 -c gc.auto=0 -c maintenance.auto=false -c advice.detachedHead=false \
    -c http.lowSpeedLimit=1000 -c http.lowSpeedTime=60 "$@"
}
manifest() {
  printf '%s=%s\n' version "$version" tag "$tag" commit "$commit" tree "$tree" \
    archive_sha256 "$archive_sha256" uv_lock_sha256 "$uv_lock_sha256" extras "$extras" uv "$uv_version" launcher "$launcher"
  [ -z "$own_python" ] || printf 'python=%s\n' "$own_python"
}

already() {
  if [ -f "$final/.petasos-release" ] && [ "$(cat "$final/.petasos-release")" = "$(manifest)" ]; then
    phase 'already in place'
    exit 0
  fi
}
already
command -v git >/dev/null || die 1 'there is no git on this host'
mkdir -p "$releases"

# Held by every child too: a run whose connection died may still be at work, and is waited for.
exec 9>"$releases/.lock"
flock -w 60 9 || die 40 'another installation is running on this host'
already
rm -rf "$releases"/.staging-* "$releases"/.trash-*
probe_home='' compiling=''
# ssh keeps 255 for itself, and 127 says nothing.
# shellcheck disable=SC2154 # the trap sets it
trap 'code=$?; [ -z "$compiling" ] || kill "$compiling" 2>/dev/null || :; rm -rf "$stage" "$probe_home"; [ "$code" -lt 126 ] || code=1; exit "$code"' EXIT
trap 'exit 1' HUP INT TERM

# --- the source, and whether it is what was pinned ------------------------------------------------
git init -q --template= "$stage"
cd "$stage"
git fetch -q --depth 1 --no-tags -- "$source" "refs/tags/$tag:refs/tags/$tag" ||
  die 43 "cannot fetch $tag from $source"
same 'the kind of object' tag "$(git cat-file -t "refs/tags/$tag")"
now=$(git rev-parse --verify -q "refs/tags/$tag^{commit}") || now=none
[ "$now" = "$commit" ] ||
  die 42 "refused: MOVED TAG: $tag is commit $now, the lock says $commit" 'the running release is unchanged; ask upstream before you pin it again'
same 'the tree' "$tree" "$(git rev-parse "$commit^{tree}")"
same 'the archive digest' "$archive_sha256" "$(git archive --format=tar "$commit" | sha256sum | cut -d' ' -f1)"
found=$(git cat-file blob "$commit:uv.lock" 2>/dev/null | sha256sum | cut -d' ' -f1)
same 'the digest of uv.lock' "$uv_lock_sha256" "$found"
git checkout -q --detach "$commit"
[ -z "$(git status --porcelain --untracked-files=no)" ] || refuse 'the checkout' clean changed
phase 'source fetched and verified'

# --- its dependencies: from its own uv.lock, by hash, wheels only ---------------------------------
# No build: not one line of a dependency, or of the release itself, runs as root here. The release
# is found by a path file and not installed, because a wheel of it lacks its skills.
export UV_CACHE_DIR="$prefix/var/cache/petasos/uv" UV_PYTHON_DOWNLOADS=never
export UV_PYTHON_PREFERENCE=only-system UV_SYSTEM_CERTS=1 UV_NO_PROGRESS=1 UV_LINK_MODE=copy
# A slow index, or one lost connection among a hundred wheels, is no reason to give up.
export UV_HTTP_RETRIES=5 UV_CONCURRENT_DOWNLOADS=16
export UV_PROJECT_ENVIRONMENT="$stage/venv" SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
unset SSL_CERT_DIR
export UV_PYTHON=/usr/bin/python3
[ -z "$own_python" ] || UV_PYTHON=$prefix/opt/hermes/python/$own_python/bin/python3
"$uv" venv -q --relocatable --python "$UV_PYTHON" --prompt "hermes-$version" "$stage/venv" ||
  die 44 "no Python that fits release $version" 'the release names what it needs under requires-python'
python=$stage/venv/bin/python
# Asked while nobody else's `.pth` file is there: Python runs what stands in those.
site=$("$python" -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
# The agent cannot write beside its code, so bytecode is made now: of the release while the
# dependencies come down, then of those.
set --
for item in "$stage"/*; do
  case ${item##*/} in
    venv | tests | website | apps | docs | skills | optional-skills) ;;
    *.py) set -- "$@" "$item" ;;
    *) [ ! -d "$item" ] || set -- "$@" "$item" ;;
  esac
done
"$python" -m compileall -q -j 2 "$@" >/dev/null 2>&1 &
compiling=$!
set -- --locked --no-dev --no-install-project --no-build
for extra in $extras; do
  set -- "$@" --extra "$extra"
done
# The second try finds in uv's cache what the first one got, and speaks for both.
"$uv" sync -q "$@" 2>/dev/null || "$uv" sync -q "$@" ||
  die 44 "the dependencies of $version cannot be installed from its uv.lock" 'there is no unhashed fallback'
# Without site (`-S`), so without their `.pth` files.
"$python" -I -S -m compileall -q -j 2 "$site" >/dev/null 2>&1 || :
wait "$compiling" || :
compiling=
printf '%s\n' "$final" >"$site/petasos-release.pth"
# The command that an installed package would have had; the agent's own dispatcher calls it too.
# Like the unit it goes through the launcher, which puts the policy in force or ends.
cat >"$stage/venv/bin/hermes" <<COMMAND
#!/bin/sh
exec "\$(dirname "\$(readlink -f "\$0")")/python" -P -B $launcher "\$@"
COMMAND
chmod 0755 "$stage/venv/bin/hermes"
phase 'dependencies installed, bytecode made'

# --- it must import, for a user without any rights ------------------------------------------------
cd /
probe='import aiohttp, hermes_cli.main, gateway.run, tools.terminal_tool'
probe_home=$(mktemp -d)
chown 65534:65534 "$probe_home"
# The host's own policy is not for this user to read, and an unreadable one is fatal to the agent.
HOME=/nonexistent HERMES_HOME="$probe_home" HERMES_MANAGED_DIR=/nonexistent PYTHONPATH="$stage" setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs \
  "$python" -B -c "$probe" >/dev/null 8>&- || die 45 "release $version does not import"
phase 'import-checked'

# --- into its place -------------------------------------------------------------------------------
chown -R -h root:root "$stage"
# uv leaves a lock that everybody may write.
chmod -R go-w "$stage"
manifest >"$stage/.petasos-release"
sync -f "$stage/.petasos-release"
if [ -e "$final" ]; then
  mv -T "$final" "$releases/.trash-$version"
fi
mv -T "$stage" "$final"
rm -rf "$releases"/.trash-*
phase "in place at $final"
