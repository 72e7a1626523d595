# What the last five runs replaced is kept.
cd /var/lib/petasos/runs
ls -1t | tail -n +6 | while IFS= read -r run; do
	rm -rf "./$run"
done
