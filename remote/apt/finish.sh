finish
if interrupted; then
	printf 'dpkg cannot be brought to its end:\n%s\nhint: mend it on the host (`dpkg --audit`), then run `petasos up` again\n' "$(dpkg --audit)" >&2
	return 1
fi
