# PATH: the public part of an SSH key, beside it.
ssh-keygen -y -f "$1" >"$1.pub.petasos-new"
chmod 644 "$1.pub.petasos-new"
mv -fT "$1.pub.petasos-new" "$1.pub"
