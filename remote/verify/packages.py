"""Each installed file against the digest that its package has of it, and the versions against
uv.lock. Run by the release's own Python, with the release's folder as argument."""

import base64
import hashlib
import importlib.metadata
import json
import sys

folder = sys.argv[1]
site = [path for path in sys.path if path.startswith(f"{folder}/venv/")]


def locked_versions():
    import tomllib  # the release has it, the host's own Python may not

    with open(f"{folder}/uv.lock", "rb") as lock:
        return {(item["name"], item.get("version")) for item in tomllib.load(lock)["package"]}


def differs(file):
    try:
        digest = hashlib.new(file.hash.mode, file.locate().read_bytes()).digest()
    except OSError:
        return True
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value


locked = locked_versions()
count, files, changed, other = 0, 0, [], []
for package in importlib.metadata.distributions(path=site):
    count += 1
    name = package.metadata["Name"].lower().replace("_", "-").replace(".", "-")
    if (name, package.version) not in locked:
        other.append(f"{name} {package.version}")
    hashed = [file for file in package.files or [] if file.hash is not None]
    files += len(hashed)
    changed += [str(file) for file in hashed if differs(file)]
print(json.dumps({"packages": count, "files": files, "changed": changed[:10], "other": other[:10]}))
