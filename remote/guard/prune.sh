# What the last five runs replaced is kept.
cd /var/lib/petasos/runs
# shellcheck disable=SC2012 # by age; the names are ours
ls -1t | tail -n +6 | while IFS= read -r run; do
	rm -rf "./$run"
done
