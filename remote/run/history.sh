cat /var/lib/petasos/history.jsonl 2>/dev/null
echo '== kept'
ls -1 /var/lib/petasos/runs 2>/dev/null
:
