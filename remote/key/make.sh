# KIND PATH OWNER GROUP MODE COMMENT: a key that was not there; whole or not at all, and nothing
# else in its place. Of an SSH key the public part comes first: without the other it counts for
# nothing.
kind=$1 path=$2 new=$2.petasos-new
umask 077
rm -f "$new" "$new.pub"
case $kind in
ssh)
	ssh-keygen -q -t ed25519 -N '' -C "$6" -f "$new"
	chmod 644 "$new.pub"
	mv -fT "$new.pub" "$path.pub"
	;;
random) od -An -vtx1 -N32 /dev/urandom | tr -d ' \n' >"$new" ;;
esac
chown "$3:$4" "$new"
chmod "$5" "$new"
sync "$new"
mv -fT "$new" "$path"
