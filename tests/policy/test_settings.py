"""policy.json: what is wrong is one error that names its key."""

import json
import pathlib
import tempfile
import unittest

import sample
from policy import settings
from policy.settings import Limit, SettingsError


def parse(policy: object) -> settings.Policy:
    return settings.parse(json.dumps(policy))


class Settings(unittest.TestCase):
    def test_a_policy_that_is_as_it_should_be(self):
        policy = parse(sample.POLICY)
        self.assertEqual(policy.rate.platforms, {"telegram": Limit(30, 3600), "api_server": None})
        self.assertEqual((policy.rate.webhook_route, policy.sandbox.timeout), (None, 180))
        self.assertEqual(policy.audit_socket, "/run/petasos-agent/audit.sock")
        self.assertEqual(policy.release.files, {"model_tools": "0" * 64})

    def test_each_key_is_needed_and_no_other_is_known(self):
        def keys(value: object, name: str):
            if isinstance(value, dict) and name not in ("release.files", "rate.platforms"):
                for key, inner in value.items():
                    yield from keys(inner, f"{name}.{key}" if name else key)
                yield name, True
            if name:
                yield name, False

        count = 0
        for name, is_object in keys(sample.POLICY, ""):
            count += 1
            if not is_object:
                if name not in ("data", "models"):
                    with self.assertRaisesRegex(SettingsError, f"`{name}`: missing"):
                        parse(sample.without(name))
                with self.assertRaisesRegex(SettingsError, f"`{name}"):
                    parse(sample.changed(name, [[]]))
                with self.assertRaisesRegex(SettingsError, f"`{name}"):
                    parse(sample.changed(name, True if "enabled" not in name else 1))
            other = f"{name}.other" if name else "other"
            if is_object:
                with self.assertRaisesRegex(SettingsError, f"`{other}`: unknown"):
                    parse(sample.changed(other, 1))
        self.assertGreater(count, 25)

    def test_an_older_policy_has_no_word_on_data_and_servers(self):
        older = sample.without("data")
        del older["models"]
        read = parse(older)
        self.assertEqual((read.covered, read.servers), ((), "/etc/hermes/servers.json"))

    def test_values_that_cannot_be(self):
        for key, value, why in (
            ("version", 2, "`version`: not 1"),
            ("version", True, "`version`: no number"),
            ("release.files.x", "0" * 63, "`release.files.x`: no SHA-256"),
            ("approve.mode", "off", "`approve.mode`: 'off' is none of manual, smart, allowlist"),
            ("approve.unlisted", "allow", "`approve.unlisted`"),
            ("approve.compound", "all", "`approve.compound`"),
            ("approve.allow", ["ls", 1], "`approve.allow.1`: no text"),
            ("approve.allow", ["ls", ""], "`approve.allow.1`: '' an empty rule"),
            ("approve.allow", ["*"], "`approve.allow.0`: '\\*' stands for any program"),
            ("approve.allow", ["ls | x"], "`approve.allow.0`: .* can never match"),
            ("approve.allow", ["sudo id"], "`approve.allow.0`: can never match: the deny rule"),
            ("approve.allow", ["rg secret *"], "`approve.allow.0`: can never match: the deny rule"),
            ("approve.allow", ["sudo *"], "`approve.allow.0`: 'sudo \\*' lets every command"),
            (
                "approve.allow",
                ["/bin/sudo i*"],
                "`approve.allow.0`: can never match: the deny rule",
            ),
            ("approve.deny", [" "], "`approve.deny.0`: ' ' is an empty rule"),
            ("approve.deny", ["* *"], "`approve.deny.0`: .* every command"),
            ("approve.tools", ["terminl"], "`approve.tools.0`: 'terminl' is no tool"),
            ("approve.tools", ["mcp__"], "`approve.tools.0`"),
            ("approve.tools", ["execute_code"], "`approve.tools.0`: `execute_code` does what"),
            ("redact.patterns", ["("], "`redact.patterns.0`: no regular expression"),
            ("redact.patterns", ["a", "b*"], "`redact.patterns.1`: matches the empty text"),
            ("redact.patterns", ["$"], "`redact.patterns.0`: matches the empty text"),
            ("rate.platforms.x", {"count": 0, "seconds": 1}, "`rate.platforms.x.count`: less than"),
            ("rate.default", {"count": 1}, "`rate.default.seconds`: missing"),
            ("rate.default", {"count": 1, "seconds": 1, "x": 1}, "`rate.default.x`: unknown"),
            ("sandbox.enabled", 1, "`sandbox.enabled`: neither true nor false"),
            ("sandbox.timeout", 0, "`sandbox.timeout`: less than 1"),
            ("sandbox.socket", "run/x", "`sandbox.socket`: no absolute path"),
            ("sandbox.network", "all", "`sandbox.network`"),
        ):
            with self.subTest(key=key, value=value), self.assertRaisesRegex(SettingsError, why):
                parse(sample.changed(key, value))

    def test_what_can_still_match_is_no_error(self):
        for allow, deny in (
            (["rm *"], ["rm -rf *"]),
            (["git *"], ["git push *"]),
            (["cat *"], ["*/etc/shadow*"]),
            (["git p*"], ["git push"]),
            (["ls '*'"], ["ls ?"]),
        ):
            policy = sample.changed("approve.allow", allow)
            policy["approve"]["deny"] = deny
            parse(policy)

    def test_code_without_an_allow_list_may_be_listed(self):
        policy = sample.changed("approve.tools", ["execute_code"])
        policy["approve"]["mode"] = "manual"
        parse(policy)

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "policy.json")
            with self.assertRaisesRegex(SettingsError, f"{path}: No such file"):
                settings.load(path)
            for text in ("", "{", "[]", "null", '{"version": 1, "version": 1}', "[" * 100000):
                path.write_text(text)
                with self.subTest(text[:20]), self.assertRaisesRegex(SettingsError, str(path)):
                    settings.load(path)
            path.write_text(json.dumps(sample.POLICY)[:-1] + ', "version": 1}')
            with self.assertRaisesRegex(SettingsError, "`version`: written twice"):
                settings.load(path)
            path.write_bytes(b'{"version": "\xff"}')
            self.assertRaises(SettingsError, settings.load, path)
            path.write_text(json.dumps(sample.POLICY))
            settings.load(path)


if __name__ == "__main__":
    unittest.main()
