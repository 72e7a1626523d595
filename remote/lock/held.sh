# RUN. Says `held OWNER` where a run that lives, and is another one, has the lock; else `free`.
if other "$1" && counts; then
	printf 'held %s\n' "$owner"
else
	echo free
fi
