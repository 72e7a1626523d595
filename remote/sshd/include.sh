sed -i "1i $2" "$1"
sshd -t
