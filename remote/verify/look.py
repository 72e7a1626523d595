

# --- what root sees ------------------------------------------------------------------------------------------------------------
def words_of(*argv, timeout=10):
    """What a program says; nothing where it fails."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def shown(unit, keys):
    lines = words_of("systemctl", "show", unit, *(f"-p{key}" for key in keys)).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def unit_processes(unit):
    """Every process of a unit, by the kernel's word."""
    group = shown(unit, ["ControlGroup"]).get("ControlGroup", "")
    found = []
    for root in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"):
        for place, _, files in os.walk(root + group) if group else ():
            if "cgroup.procs" not in files:
                continue
            with open(f"{place}/cgroup.procs") as file:
                pids = file.read().split()
            for pid in pids:
                try:
                    with open(f"/proc/{pid}/status") as file:
                        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
                except OSError:
                    continue
                found.append({key: status.get(key, "") for key in ("Name", "Uid", "Gid", "Groups", "NoNewPrivs", "Seccomp", "CapEff", "CapBnd")})
        if found:
            break
    return found


def account(name):
    import grp
    import pwd

    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    password = words_of("passwd", "--status", name).split()
    groups = [group.gr_name for group in grp.getgrall() if name in group.gr_mem]
    own = grp.getgrgid(entry.pw_gid).gr_name
    return {
        "uid": entry.pw_uid, "shell": entry.pw_shell, "group": own, "groups": sorted(groups),
        "password": password[1] if len(password) > 1 else "", "sudo": words_of("sudo", "-n", "-l", "-U", name).strip(),
    }


def sshd(users):
    keys = {"passwordauthentication", "kbdinteractiveauthentication", "permitrootlogin", "permitemptypasswords", "pubkeyauthentication", "authenticationmethods", "port"}
    found = {}
    for user in users:
        lines = words_of("sshd", "-T", "-C", f"user={user},host=verify,addr=203.0.113.200").splitlines()
        found[user] = {key: value for key, _, value in (line.partition(" ") for line in lines) if key in keys}
    return found


def doors(argv):
    """The ways in that an SSH server offers to one who has no key."""
    try:
        done = subprocess.run(
            ["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=none",
             "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=5", *argv],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"error: {error}"
    return (done.stderr.strip().splitlines() or [f"let in ({done.returncode})" if done.returncode == 0 else ""])[-1]


def ssh_doors(user, port):
    # From an address of loopback that nobody used before: sshd makes addresses wait that failed.
    source = "127." + ".".join(str(byte % 250 + 2) for byte in os.urandom(3))
    return doors(["-b", source, "-p", str(port), f"{user}@127.0.0.1", "true"])


def open_doors(user):
    """A server that lives for this one connection, on no port, and would take a password: the probe must see that."""
    server = "/usr/sbin/sshd -i -f /dev/null -o PasswordAuthentication=yes -o UsePAM=no -o LogLevel=QUIET -o Port=1"
    return doors(["-o", f"ProxyCommand={server}", f"{user}@one-time", "true"])


def listeners():
    """Who listens, by the kernel's word: protocol, address, port, the user; and the program, which may call itself anything."""
    import re

    names = {ino: name for name, ino in re.findall(r'users:\(\("(.*?)",pid=\d+,fd=\d+\).*?\bino:(\d+)', words_of("ss", "-Hltnupe"), re.S)}
    found = []
    for line in words_of("ss", "-Hltnue").splitlines():
        words = line.split()
        if len(words) < 5:
            continue
        address, _, port = words[4].rpartition(":")
        facts = dict(word.split(":", 1) for word in words[6:] if ":" in word)
        found.append({
            "protocol": words[0], "address": address.strip("[]").partition("%")[0], "port": int(port),
            "program": names.get(facts.get("ino"), ""), "user": owner_of(int(facts.get("uid", 0))),
        })
    return found


def owner_of(uid):
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def strangers(found):
    """Those listeners that are neither the agent's nor its helpers'."""
    mine = {"hermes", "petasos-proxy", "petasos-resolver"}
    own = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
    taken = {
        (own.get(item["address"], item["address"]), item["port"], item["program"] or "somebody")
        for item in found if item["protocol"] == "tcp" and item["user"] not in mine
    }
    return sorted(taken)[:40]


def git_tree(folder):
    """The id that git gives to a checked-out tree, computed from the files as they are; and the files that are no part of it."""
    import hashlib
    import stat

    def name(kind, body):
        return hashlib.sha1(b"%s %d\0" % (kind, len(body)) + body).digest()

    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", folder, "ls-tree", "-r", "-z", "--name-only", "HEAD"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=20).stdout
    paths = [path.decode(errors="surrogateescape") for path in listing.split(b"\0") if path]
    top, known = {}, set(paths)
    for path in paths:
        full = os.path.join(folder, path)
        try:
            mode = os.lstat(full).st_mode
            if stat.S_ISLNK(mode):
                entry = (b"120000", name(b"blob", os.fsencode(os.readlink(full))))
            else:
                with open(full, "rb") as file:
                    entry = (b"100755" if mode & 0o100 else b"100644", name(b"blob", file.read()))
        except OSError:
            continue  # a missing file makes another tree
        place = top
        *folders, last = path.split("/")
        for part in folders:
            place = place.setdefault(part, {})
        place[last] = entry

    def tree(node):
        entries = []
        for key, value in node.items():
            raw = os.fsencode(key)
            if isinstance(value, dict):
                entries.append((raw + b"/", b"40000 " + raw + b"\0" + tree(value)))
            else:
                entries.append((raw, value[0] + b" " + raw + b"\0" + value[1]))
        return name(b"tree", b"".join(body for _, body in sorted(entries)))

    extra = []
    for place, folders, files in os.walk(folder):
        at = os.path.relpath(place, folder)
        folders[:] = [part for part in folders if part != "__pycache__" and not (at == "." and part in (".git", "venv"))]
        extra += [path for path in (os.path.normpath(os.path.join(at, file)) for file in files) if path not in known]
    extra = sorted(path for path in extra if path != ".petasos-release")
    return {"files": len(paths), "tree": tree(top).hex(), "extra": extra[:10]}


# Run by the release's own Python: each installed file against the digest that its package has of
# it, and the versions against uv.lock.
PACKAGES = """
import base64, hashlib, importlib.metadata, json, sys, tomllib
locked = {(item["name"], item.get("version")) for item in tomllib.load(open(sys.argv[1] + "/uv.lock", "rb"))["package"]}
files, changed, other, count = 0, [], [], 0
for package in importlib.metadata.distributions(path=[path for path in sys.path if path.startswith(sys.argv[1] + "/venv/")]):
    count += 1
    name = package.metadata["Name"].lower().replace("_", "-").replace(".", "-")
    if (name, package.version) not in locked:
        other.append(f"{name} {package.version}")
    for file in package.files or []:
        if file.hash is None:
            continue
        files += 1
        try:
            body = file.locate().read_bytes()
        except OSError:
            changed.append(str(file))
            continue
        if base64.urlsafe_b64encode(hashlib.new(file.hash.mode, body).digest()).rstrip(b"=").decode() != file.hash.value:
            changed.append(str(file))
print(json.dumps({"packages": count, "files": files, "changed": changed[:10], "other": other[:10]}))
"""


def release(wanted):
    folder = os.path.realpath("/opt/hermes/current")
    found = {"current": folder}
    if folder != wanted:
        return found
    found.update(git_tree(folder))
    said = words_of(f"{folder}/venv/bin/python", "-I", "-B", "-c", PACKAGES, folder, timeout=30)
    found["packages"] = json.loads(said) if said.startswith("{") else None
    loose = []
    for place, folders, files in os.walk("/opt/hermes"):
        for path in [place, *(os.path.join(place, file) for file in files)]:
            seen = os.lstat(path)
            if seen.st_uid != 0 or (seen.st_mode & 0o022 and not os.path.islink(path)):
                loose.append(path)
    found["loose"] = loose[:10]
    return found


def files(paths):
    found = {}
    for path in paths:
        try:
            seen = os.lstat(path)
            found[path] = f"{owner_of(seen.st_uid)} {seen.st_mode & 0o7777:04o}"
        except OSError:
            found[path] = ""
    return found


def upgrades():
    lines = words_of("apt-config", "dump").splitlines()
    keys = ("APT::Periodic::Update-Package-Lists ", "APT::Periodic::Unattended-Upgrade ")
    timers = {unit: shown(unit, ["ActiveState", "UnitFileState"]) for unit in ("apt-daily.timer", "apt-daily-upgrade.timer")}
    return {
        "settings": {line.split(" ")[0].rsplit("::", 1)[-1]: line.split('"')[1] for line in lines if line.startswith(keys)},
        "origins": sum(line.startswith(("Unattended-Upgrade::Origins-Pattern:: ", "Unattended-Upgrade::Allowed-Origins:: ")) for line in lines),
        "timers": {unit: f"{state.get('ActiveState')} {state.get('UnitFileState')}" for unit, state in timers.items()},
        "installed": words_of("dpkg-query", "-W", "-f${db:Status-Status}", "unattended-upgrades"),
        "reboot": os.path.exists("/run/reboot-required"),
        "clock": "" if os.path.exists("/run/systemd/container") else shown("systemd-timesyncd.service", ["ActiveState"]).get("ActiveState", ""),
        "container": os.path.exists("/run/systemd/container"),
        "journal": os.path.isdir("/var/log/journal"),
    }


def proxied(since):
    """What the proxy says of each connection since a time; it says so when one ends."""
    time.sleep(0.3)
    log = words_of("journalctl", "-q", "--all", "-o", "json", "--output-fields=MESSAGE", f"--since=@{since:.6f}", "_SYSTEMD_UNIT=petasos-proxy.service")
    found = []
    for line in log.splitlines():
        try:
            text = json.loads(line)["MESSAGE"]
            # What is no UTF-8 comes as numbers.
            said = json.loads(text if isinstance(text, str) else bytes(text).decode(errors="replace"))
            found.append({"name": said["name"], "to": said["to"]})
        except (ValueError, KeyError, TypeError):
            pass
    return found


def looked(wanted):
    """All looks side by side: most of their time is the start of programs."""
    unit = wanted["unit"]
    looks = {
        "processes": lambda: unit_processes(unit),
        "unit": lambda: shown(unit, ["ActiveState", "User", "Group", "DropInPaths", "NeedDaemonReload", "FragmentPath"]),
        "account": lambda: account("hermes"),
        "security": lambda: words_of("systemd-analyze", "security", "--no-pager", unit).strip().splitlines()[-1:],
        "sshd": lambda: sshd(wanted["ssh_users"]),
        "doors": lambda: ssh_doors(wanted["ssh_users"][0], wanted["ssh_port"]),
        "open_doors": lambda: open_doors(wanted["ssh_users"][0]),
        "listeners": listeners,
        "ufw": lambda: words_of("ufw", "status", "verbose"),
        "release": lambda: release(wanted["release"]),
        "files": lambda: files(["/etc/hermes", "/etc/hermes/config.yaml", "/etc/hermes/.env"]),
        "upgrades": upgrades,
        "helpers": lambda: {name: shown(name, ["ActiveState"]).get("ActiveState", "") for name in wanted["helpers"]},
    }
    found, errors = {}, {}

    def one(name, look):
        try:
            found[name] = look()
        except Exception as error:  # whatever it is, this one look was not had
            errors[name] = f"{type(error).__name__}: {error}"

    threads = [threading.Thread(target=one, args=item, daemon=True) for item in looks.items()]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 40
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    errors.update({name: "it took too long" for name in looks if name not in found and name not in errors})
    return {"found": dict(found), "errors": errors}
