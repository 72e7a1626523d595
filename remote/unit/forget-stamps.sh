grep -slF -- "  $1" /var/lib/petasos/stamps/* | while IFS= read -r stamp; do
	if cut -d ' ' -f 3- "$stamp" | grep -qxF -- "$1"; then rm -f "$stamp"; fi
done
