exec /usr/bin/python3 -I -c 'import json, sys
SPEC, SOURCE = sys.stdin.read().split("\n", 1)
SPEC = json.loads(SPEC)
exec(compile(SOURCE, "verify", "exec"))'
