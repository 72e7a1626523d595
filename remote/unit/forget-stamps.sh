for stamp in $(grep -slF -- "  $1" /var/lib/petasos/stamps/*); do
	if cut -d ' ' -f 3- "$stamp" | grep -qxF -- "$1"; then rm -f "$stamp"; fi
done
