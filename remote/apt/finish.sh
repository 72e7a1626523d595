finish
if interrupted; then
	printf 'dpkg cannot be finished:\n%s\n' "$(dpkg --audit)" >&2
	hint 'repair it on the host (`dpkg --audit`), then run `petasos up` again'
	return 1
fi
