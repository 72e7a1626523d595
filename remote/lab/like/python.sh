# Makes another Python the `python3` of a tree of Debian's packages. Arguments: the tree, its first
# two numbers (3.10), a program of that version of this machine's, or nothing: then Debian's own is
# given that name, and says its own version.
# A wheel of pip's may follow, which is then the one that comes with venv.
set -eu
tree=$1 minor=$2 program=$3 wheel=${4:-}
debian=$(readlink "$tree/usr/bin/python3")
chroot "$tree" dpkg-divert --quiet --local --rename --add /usr/bin/python3
ln -s "python$minor" "$tree/usr/bin/python3"
if [ -z "$program" ]; then
	cp "$tree/usr/bin/$debian" "$tree/usr/bin/python$minor"
else
	prefix=$("$program" -I -c 'import sys; print(sys.base_prefix)')
	cp -L "$prefix/bin/python$minor" "$tree/usr/bin/python$minor"
	mkdir -p "$tree/usr/lib/python$minor"
	tar -C "$prefix/lib/python$minor" --exclude=site-packages --exclude=dist-packages --exclude=test --exclude=__pycache__ -cf - . |
		tar -C "$tree/usr/lib/python$minor" --no-same-owner -xf -
	mkdir -p "$tree/usr/lib/python$minor/site-packages"
	echo /usr/lib/python3/dist-packages >"$tree/usr/lib/python$minor/site-packages/debian.pth"
	for library in "$prefix/lib/libpython$minor.so."*; do
		[ ! -e "$library" ] || cp -L "$library" "$tree/usr/lib/"
	done
fi
if [ -n "$wheel" ] && [ -n "$program" ]; then
	mkdir -p "$tree/usr/share/python$minor-wheels"
	cp "$wheel" "$tree/usr/share/python$minor-wheels/"
	sed -i "s|^_WHEEL_PKG_DIR = .*|_WHEEL_PKG_DIR = '/usr/share/python$minor-wheels'|" "$tree/usr/lib/python$minor/ensurepip/__init__.py"
fi
# The scripts of Debian's packages need Debian's, which has their modules; those of packages that
# come later, too.
mkdir -p "$tree/usr/local/lib/petasos-lab"
cat >"$tree/usr/local/lib/petasos-lab/python" <<END
#!/bin/sh
find /usr/bin /usr/sbin /usr/lib /usr/share -xdev -type f -perm /111 -size -1000k -cnewer /usr/local/lib/petasos-lab/python.done 2>/dev/null |
	while read -r file; do
		sed -i -E '1s|^#! ?/usr/bin/python3( .*)?\$|#!/usr/bin/$debian\1|' "\$file"
	done
touch /usr/local/lib/petasos-lab/python.done
END
chmod 0755 "$tree/usr/local/lib/petasos-lab/python"
touch -d @0 "$tree/usr/local/lib/petasos-lab/python.done"
chroot "$tree" /usr/local/lib/petasos-lab/python
echo 'DPkg::Post-Invoke { "/usr/local/lib/petasos-lab/python"; };' >"$tree/etc/apt/apt.conf.d/90lab-python"
chroot "$tree" /usr/bin/python3 -I -c "import ctypes, hashlib, sqlite3, ssl"
