# Makes one release in place the current one, as root, and rolls it back when it is not healthy.
#
#   RELEASE_DIR UNIT HEALTH_URL SECONDS PROGRAM [PREFIX]
#
# HEALTH_URL is http on loopback; PROGRAM (health.py) asks it. PREFIX (for tests) goes before /opt,
# and PREFIX/bin before PATH. A unit that is neither active nor enabled is left alone: then the link
# is all there is to switch. The mark .switching names the release before; it outlives a killed run,
# and the next run goes on. Exit: 0 current, and healthy if it runs · 1 no such release · 41
# unhealthy, switched back.
new=$1 unit=$2 url=$3 seconds=$4 program=$5
shift 5
prefix=${1:-}
opt=$prefix/opt/hermes
policies=$prefix/etc/hermes/policies
mark=$opt/.switching

umask 022
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
[ -z "$prefix" ] || PATH=$prefix/bin:$PATH
# ssh keeps 255 for itself, and 127 says nothing.
# shellcheck disable=SC2154 # the trap sets it
trap 'code=$?; [ "$code" -lt 126 ] || code=1; exit "$code"' EXIT
trap 'exit 1' HUP INT TERM

# What to do, to whoever listens on descriptor 8 (prelude.sh), else below the error.
hint() { # TEXT
  { printf '%s\n' "$1" >&8; } 2>/dev/null || printf 'hint: %s\n' "$1" >&2
}
link() { # TARGET, or nothing
  if [ -n "$1" ]; then
    ln -sfn "$1" "$opt/.current"
    mv -fT "$opt/.current" "$opt/current"
    # A policy is for one version: it goes forth and back with it. DIRECTORY is VERSION-COMMIT.
    version=${1##*/}
    version=${version%-*}
    if [ -f "$policies/$version.json" ]; then
      ln -sfn "/etc/hermes/policies/$version.json" "$policies/.current"
      mv -fT "$policies/.current" "$prefix/etc/hermes/policy.json"
    fi
  else
    rm -f "$opt/current"
  fi
}
runs() {
  [ "$(systemctl show -p LoadState --value "$unit")" = loaded ] || return 1
  systemctl -q is-active "$unit" || systemctl -q is-enabled "$unit" 2>/dev/null
}
# Healthy: one and the same process of the unit answers 200 twice, a second apart. A unit that
# failed, or was restarted by systemd, needs no more waiting. Says why on stderr when it is not.
healthy() {
  python3 -I -c "$program" "$unit" "$url" "$seconds"
}

[ -f "$new/.petasos-release" ] || {
  echo "error: $new is not a complete release" >&2
  exit 1
}
current=$(readlink "$opt/current") || current=
if [ -f "$mark" ]; then
  before=$(cat "$mark")
elif [ "$current" = "$new" ]; then
  exit 0
else
  before=$current
  printf '%s\n' "$before" >"$mark.new"
  mv -f "$mark.new" "$mark"
fi
# A mark that names the wanted release itself: the run before was on its way back to it, or to
# another.
[ "$before" != "$new" ] || before=
link "$new"
if ! runs; then
  rm -f "$mark"
  echo "current is $new; $unit does not run yet"
  exit 0
fi
systemctl reset-failed "$unit" 2>/dev/null || :
if systemctl restart "$unit" && healthy; then
  rm -f "$mark"
  echo "current is $new; $unit is healthy"
  exit 0
fi

link "$before"
if [ -z "$before" ]; then
  systemctl stop "$unit" || :
  rm -f "$mark"
  echo "error: $new is not healthy; there was no release before it, so $unit is stopped" >&2
  hint "journalctl -u $unit"
  exit 41
fi
systemctl reset-failed "$unit" 2>/dev/null || :
if systemctl restart "$unit" && healthy; then
  echo "error: $new is not healthy; switched back to $before, which answers" >&2
else
  echo "error: $new is not healthy; switched back to $before, which does NOT answer either" >&2
fi
rm -f "$mark"
hint "journalctl -u $unit"
exit 41
