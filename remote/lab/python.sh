# Makes what stands in for a release of python-build-standalone's: Debian's Python, in the same form
# (one folder `python` that runs wherever it lies), and the table that names its digest. Arguments:
# a tree with the package and its libraries, its first two numbers (3.11), patchelf, the folder that
# is github.com's, the table to write.
set -eu
tree=$1 minor=$2 patchelf=$3 github=$4 table=$5
machine=$(uname -m)
python=$tree/python
mkdir -p "$python/bin" "$python/lib"
cp "$tree/usr/bin/python$minor" "$python/bin/"
ln -s "python$minor" "$python/bin/python3"
cp -a "$tree/usr/lib/python$minor" "$python/lib/"
find "$python" -name __pycache__ -prune -exec rm -rf {} +
# What says that apt alone installs here, and what leads into /etc.
rm -rf "$python/lib/python$minor"/EXTERNALLY-MANAGED "$python/lib/python$minor"/sitecustomize.py
# A host of another suite has libraries of other names; its libc is newer, which does.
for name in bz2 crypto expat ffi lzma ncursesw readline sqlite3 ssl tinfo uuid z; do
	for library in "$tree/usr/lib/$machine-linux-gnu/lib$name".so.* "$tree/lib/$machine-linux-gnu/lib$name".so.*; do
		[ ! -e "$library" ] || cp -L "$library" "$python/lib/"
	done
done
# Of the old kind, which counts for what these libraries ask for, too.
"$patchelf" --force-rpath --set-rpath '$ORIGIN/../lib' "$python/bin/python$minor"
version=$("$python/bin/python3" -I -c 'import ctypes, hashlib, platform, sqlite3, ssl, venv; print(platform.python_version())')
place=astral-sh/python-build-standalone/releases/download/lab
name=cpython-$version+lab-$machine-unknown-linux-gnu-install_only_stripped.tar.gz
mkdir -p "$github/$place"
tar -C "$tree" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - python | gzip -n -1 >"$github/$place/.part"
digest=$(sha256sum "$github/$place/.part")
size=$(stat -c %s "$github/$place/.part")
mv "$github/$place/.part" "$github/$place/$name"
cat >"$table" <<END
- version: $version
  builds:
    $machine:
      url: https://github.com/$place/cpython-$version%2Blab-${name#*+lab-}
      sha256: ${digest%% *}
      mebibytes: $(((size + 1048575) / 1048576))
END
