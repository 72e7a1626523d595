# A lab host shares the machine's kernel: the settings outside net belong to the machine and are
# read-only here. `copy` gives this host copies of them that can be written and read back, and that
# change nothing in the kernel. `trim` keeps the first line of each: systemd-sysctl writes over the
# old text without cutting off what is longer.
set -u
copies=/run/lab-sysctl
case $1 in
copy)
	for family in kernel fs vm dev user; do
		mkdir -p "$copies/$family"
		cp -ax "/proc/sys/$family/." "$copies/$family" 2>/dev/null
		mkdir -p "$copies/$family/random"
		# These stay the kernel's: the second tells of its changes, which systemd-resolved waits for.
		if [ "$family" = kernel ]; then
			mount --rbind /proc/sys/kernel/random "$copies/kernel/random"
			mount --bind /proc/sys/kernel/hostname "$copies/kernel/hostname"
		fi
		mount --rbind "$copies/$family" "/proc/sys/$family"
	done
	: >"$copies/made"
	# A machine's kernel makes these by itself; the module of the first is loaded when it is opened.
	[ -e /dev/loop-control ] || mknod -m 0660 /dev/loop-control c 10 237
	for number in $(seq 0 63); do
		[ -e "/dev/loop$number" ] || mknod -m 0660 "/dev/loop$number" b 7 "$number"
	done
	;;
trim)
	find "$copies" -xdev -type f -size +0 -newer "$copies/made" -exec sed -i 1q {} +
	;;
esac
exit 0
