# Packs a host's own files before the image's initrd; the kernel unpacks one archive after the
# other. Arguments: the host's directory, the image's initrd.
set -eu
dir=$1 initrd=$2
cd "$dir"
# What overlayfs takes for a removed file is removed on the disk.
find upper -type c -printf '%P\n' >seed.gone
tar --create --file=seed.tar --directory=upper --owner=0 --group=0 --numeric-owner --exclude-from=seed.gone .
printf '%s\n' seed.id seed.gone seed.tar | cpio --quiet --create --format=newc --owner=0:0 >seed.cpio
# shellcheck disable=SC2094 # another file than the image's
cat seed.cpio "$initrd" >initrd
rm seed.id seed.gone seed.tar seed.cpio
