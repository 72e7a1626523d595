systemctl reset-failed -- "$1" 2>/dev/null || :
