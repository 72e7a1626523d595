grep -sH '' "$@" /dev/null || :
