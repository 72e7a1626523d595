finish
if interrupted; then
	printf 'dpkg cannot be brought to its end:\n%s\n' "$(dpkg --audit)" >&2
	hint 'mend it on the host (`dpkg --audit`), then run `petasos up` again'
	return 1
fi
