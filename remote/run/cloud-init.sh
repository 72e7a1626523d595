timeout "$1" cloud-init status --wait >/dev/null 2>&1
sleep 2
