

# --- the run -------------------------------------------------------------------------------------------------------------------
CALLS = {
    call.__name__: call
    for call in (
        create, change, read, any_of, others_homes, rewrite, anywhere, setuid_file, run, capabilities, processes, kill, system, trace,
        writable_code, family, daemon, scope, tcp, udp, unix, each_unix, ping, dns, lookup, tls, speak, others, neighbour,
    )
}
# No attack may take longer than this, and all of them together not much longer.
LONGEST = 30


def tried(attack, places):
    began = time.monotonic()
    name, *arguments = [places.get(word, word) if isinstance(word, str) else word for word in attack["call"]]
    try:
        outcome, words = CALLS[name](*arguments)
    except TimeoutError:
        outcome, words = "silent", "no answer, and nobody said no"
    except socket.timeout:
        outcome, words = "silent", "no answer, and nobody said no"
    except OSError as error:
        outcome, words = ("silent", "no answer, and nobody said no") if error.errno == errno.ETIMEDOUT else said(error)
    except Exception as error:  # a probe that breaks proves nothing
        outcome, words = "error", f"{type(error).__name__}: {error}"
    return {"id": attack["id"], "outcome": outcome, "detail": words[:4000], "seconds": round(time.monotonic() - began, 3)}


def attack_all(attacks, places):
    """Side by side; each answer is a line as soon as it is there."""
    lock = threading.Lock()

    def one(attack):
        line = json.dumps(tried(attack, places))
        with lock:
            print(line, flush=True)

    threads = [threading.Thread(target=one, args=(attack,), daemon=True) for attack in attacks]
    for thread in threads:
        thread.start()
    end = time.monotonic() + LONGEST
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    with lock:
        sys.stdout.flush()
        # What still hangs must not hold the end up.
        os._exit(0)


# What says how the agent is started and stopped, and not what it may do.
NOT_A_LIMIT = (
    "Exec", "Restart", "Type", "Kill", "Timeout", "SuccessExitStatus", "PIDFile", "Notify", "Watchdog", "Standard", "Success", "RemainAfterExit",
    "FileDescriptorStoreMax", "BusName", "GuessMainPID", "StartLimit", "SendSIG", "FinalKillSignal", "Sockets", "LogRateLimit",
)
# The names that unit files have for networks; systemd-run knows only one of them.
NETWORKS = {
    "localhost": "127.0.0.0/8 ::1/128", "link-local": "169.254.0.0/16 fe80::/64", "multicast": "224.0.0.0/4 ff00::/8",
}


# Lists that an empty value takes back.
TAKEN_BACK = {
    "RestrictAddressFamilies", "SystemCallFilter", "IPAddressAllow", "IPAddressDeny", "BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem",
    "ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "Environment",
}


def settings_of(unit):
    """Every line of a unit's [Service], drop-ins and all, in systemd's own order."""
    text = words_of("systemctl", "cat", unit).replace("\\\n", " ")
    section, lines = "", []
    for line in (line.strip() for line in text.splitlines()):
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and line[0] not in "#;":
            key, _, value = line.partition("=")
            if key.startswith("IPAddress"):
                value = " ".join(NETWORKS.get(word, word) for word in value.split())
            if key in TAKEN_BACK and not value:
                # Nothing said takes back what was said; to systemd-run it would mean that nothing
                # is allowed.
                lines = [line for line in lines if line[0] != key]
            elif not key.startswith(NOT_A_LIMIT):
                lines.append((key.strip(), value.strip()))
    return lines


def child(role, extra):
    """The same program in another role: its text comes by standard input."""
    text = f"import sys\nimport json\nSPEC = json.loads({json.dumps(json.dumps(extra))})\n" + SOURCE
    return text, ["/usr/bin/python3", "-I", "-", role, TOKEN]


def lines_of(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def as_root(attacks, found):
    text, argv = child("root", {**SPEC, "attacks": attacks, "proofs": []})
    try:
        done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=LONGEST + 10, cwd="/")
        found["root"] = lines_of(done.stdout)
        found["root_said"] = done.stderr[-2000:]
    except subprocess.TimeoutExpired:
        found["root_said"] = "it took too long"


def as_agent(attacks, settings, found):
    name = f"petasos-verify-{TOKEN[-8:]}.service"
    text, argv = child("agent", {**SPEC, "attacks": attacks, "proofs": []})
    words = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", f"--unit={name}"]
    for key, value in settings:
        words += ["-p", f"{key}={value}"]
    unit = subprocess.Popen([*words, *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/")
    watchdog = threading.Timer(LONGEST + 10, lambda: subprocess.run(["systemctl", "kill", "-s", "KILL", name], capture_output=True))
    watchdog.daemon = True
    watchdog.start()
    complaints = []
    listener = threading.Thread(target=lambda: complaints.append(unit.stderr.read()), daemon=True)
    listener.start()
    try:
        unit.stdin.write(text)
        unit.stdin.close()
    except BrokenPipeError:
        pass
    said = []
    for line in unit.stdout:
        if line.startswith("ready"):
            # While it runs: afterwards systemd has forgotten it.
            keys = sorted({key for key, _ in settings})
            mine, real = shown(name, keys), shown(SPEC["look"]["unit"], keys)
            found["unit"] = {"keys": len(keys), "compared": len(real), "differ": {key: [real[key], mine.get(key, "")] for key in real if sorted(mine.get(key, "").split()) != sorted(real[key].split())}}
        said.append(line)
    unit.wait()
    watchdog.cancel()
    listener.join(2)
    found["agent"] = lines_of("".join(said))
    found["agent_said"] = "".join(complaints)[-2000:]


def left_behind():
    """The processes of this run that outlived what they ran in."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
            if TOKEN.encode() in words and int(name) != os.getpid():
                found.append((int(name), os.stat(f"/proc/{name}").st_uid))
        except OSError:
            pass
    return found


def launch():
    began, started, found = time.monotonic(), time.time(), {}
    settings = settings_of(SPEC["look"]["unit"])
    found_here = {"@others": strangers(listeners()), **plant()}
    for attack in SPEC["attacks"] + SPEC["proofs"]:
        attack["call"] = [found_here.get(word, word) if isinstance(word, str) else word for word in attack["call"]]
    by_root = [proof for proof in SPEC["proofs"] if proof["by"] == "root"]
    by_agent = [proof for proof in SPEC["proofs"] if proof["by"] == "agent"]
    parts = [
        threading.Thread(target=as_agent, args=(SPEC["attacks"] + by_agent, settings, found)),
        threading.Thread(target=as_root, args=(by_root, found)),
        threading.Thread(target=lambda: found.update(look=looked(SPEC["look"]))),
    ]
    for part in parts:
        part.start()
    for part in parts:
        part.join()
    # Root's own child is the control: it lives on, so the search sees what lives on.
    survivors = left_behind()
    for pid, _ in survivors:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    if "petasos-proxy.service" in SPEC["look"]["helpers"]:
        found["proxied"] = proxied(started)
    found["survivors"] = {"root": sum(uid == 0 for _, uid in survivors), "agent": sum(uid != 0 for _, uid in survivors)}
    found["seconds"] = round(time.monotonic() - began, 3)
    print(json.dumps(found))


def main():
    if ROLE == "launch":
        launch()
        return
    places = bench()
    print("ready", flush=True)
    attack_all(SPEC["attacks"], places)


main()
