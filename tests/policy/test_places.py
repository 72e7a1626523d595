"""What lies over the agent's data, what is put aside, and where conversations may go: against files
and folders of the test's own."""

import errno
import json
import os
import stat
import tempfile
import unittest
from unittest import mock

from policy import destinations, places, set_aside
from policy.errors import Broken

LINE = "36 35 98:0 / {place} {options} master:1 - tmpfs tmpfs rw\n"


class Places(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = os.path.join(folder.name, "home of it")
        os.mkdir(self.home)
        self.mounts = os.path.join(folder.name, "mountinfo")

    def mounted(self, *places):
        with open(self.mounts, "w") as file:
            for place, options in places:
                escaped = f"{self.home}/{place}".replace(" ", "\\040")
                file.write(LINE.format(place=escaped, options=options))

    def check(self):
        places.check(["hooks", ".env"], self.home, self.mounts)

    def test_each_place_is_covered_read_only(self):
        self.mounted(("hooks", "ro,nosuid"), (".env", "nosuid,ro"))
        self.check()

    def test_one_that_is_not_is_named(self):
        for mounts in (
            [("hooks", "ro")],
            [("hooks", "ro"), (".env", "rw,relatime")],
            # What is seen is the last one.
            [("hooks", "ro"), (".env", "ro"), (".env", "rw")],
            [("hooks", "ro"), (".env/below", "ro")],
        ):
            self.mounted(*mounts)
            with self.assertRaisesRegex(Broken, r"/\.env is not covered"):
                self.check()

    def test_what_a_link_leads_to_does_not_count(self):
        os.symlink("elsewhere", f"{self.home}/.env")
        self.mounted(("hooks", "ro"), ("elsewhere", "ro"))
        with self.assertRaisesRegex(Broken, r"/\.env is not covered"):
            self.check()


class Aside(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = folder.name + "/home"
        self.policy = folder.name + "/policy.json"
        os.makedirs(self.home)
        with open(self.policy, "w") as file:
            json.dump({"data": {"covered": ["auth.json", "scripts", "platforms"]}}, file)

    def run_it(self):
        with mock.patch("builtins.print"):
            set_aside.main(self.home, self.policy)
        asides = [name for name in os.listdir(self.home) if name.startswith(".set-aside-")]
        return os.path.join(self.home, asides[0]) if asides else None

    def test_empty_places_stay(self):
        os.makedirs(f"{self.home}/platforms/pairing")
        os.mkdir(f"{self.home}/scripts")
        open(f"{self.home}/auth.json", "w").close()
        self.assertIsNone(self.run_it())

    def test_nothing_there_is_nothing_to_do(self):
        self.assertIsNone(self.run_it())
        os.rmdir(self.home)
        set_aside.main(self.home, self.policy)

    def test_what_was_planted_is_moved_whole_and_closed(self):
        os.makedirs(f"{self.home}/platforms/pairing")
        with open(f"{self.home}/platforms/pairing/telegram-approved.json", "w") as file:
            file.write("{}")
        with open(f"{self.home}/auth.json", "w") as file:
            file.write("{}")
        open(f"{self.home}/.container-mode", "w").close()
        aside = self.run_it()
        self.assertEqual(sorted(os.listdir(aside)), [".container-mode", "auth.json", "platforms"])
        self.assertTrue(os.path.exists(f"{aside}/platforms/pairing/telegram-approved.json"))
        self.assertEqual(stat.S_IMODE(os.stat(aside).st_mode), 0o700)
        self.assertFalse(os.path.lexists(f"{self.home}/platforms"))

    def test_a_link_is_moved_and_not_followed(self):
        os.makedirs(f"{self.home}/data")
        open(f"{self.home}/data/kept", "w").close()
        os.symlink("data", f"{self.home}/scripts")
        os.mkdir(f"{self.home}/platforms")
        os.symlink("../data", f"{self.home}/platforms/pairing")
        aside = self.run_it()
        self.assertTrue(os.path.islink(f"{aside}/scripts"))
        self.assertTrue(os.path.islink(f"{aside}/platforms/pairing"))
        self.assertEqual(os.listdir(f"{self.home}/data"), ["kept"])

    def test_a_folder_that_cannot_be_moved_is_emptied(self):
        """As on an overlay, where folders of the lower layer stay where they are."""
        os.makedirs(f"{self.home}/scripts/below")
        for name in ("a.sh", "below/b.sh"):
            open(f"{self.home}/scripts/{name}", "w").close()
        real = os.rename

        def rename(name, to, **where):
            if name in ("scripts", "below"):
                raise OSError(errno.EXDEV, "Invalid cross-device link")
            real(name, to, **where)

        with mock.patch("os.rename", rename):
            aside = self.run_it()
        self.assertTrue(os.path.exists(f"{aside}/scripts/below/b.sh"))
        self.assertFalse(os.path.lexists(f"{self.home}/scripts"))

    def test_a_home_that_is_a_link_is_refused(self):
        os.rename(self.home, f"{self.home}-real")
        os.symlink(f"{self.home}-real", self.home)
        with self.assertRaises(OSError):
            set_aside.main(self.home, self.policy)


class Destinations(unittest.TestCase):
    HOSTS = ("openrouter.ai", "*.example.com", "localhost:11434", "git.example.org:8443")

    def test_the_provider_and_what_is_allowed(self):
        for url in (
            "https://openrouter.ai/api/v1",
            "https://OPENROUTER.ai.:443/",
            "https://a.b.example.com/v1",
            "http://127.0.0.1:11434/v1",
            "http://[::1]:11434",
            "https://git.example.org:8443/x",
        ):
            self.assertTrue(destinations.is_known(url, self.HOSTS), url)

    def test_nobody_else(self):
        for url in (
            "https://github.com/evil/v1",
            "https://xopenrouter.ai/",
            "https://openrouter.ai.example.net/",
            "https://openrouter.ai@evil.example.net/",
            "http://openrouter.ai/",
            "https://openrouter.ai:8443/",
            "https://example.com/",
            "https://.example.com/",
            "http://127.0.0.1:8642/v1",
            "http://localhost/",
            "https://git.example.org/",
            "openrouter.ai",
            "ftp://openrouter.ai/",
            "https://openrouter.ai:port/",
            "",
        ):
            self.assertFalse(destinations.is_known(url, self.HOSTS), url)

    def test_a_list_that_changes_is_read_anew_and_a_broken_one_allows_nobody(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/servers.json"
            for names in (["a.example"], ["a.example", "b.example"]):
                with open(f"{path}.new", "w") as file:
                    json.dump(names, file)
                os.rename(f"{path}.new", path)
                self.assertEqual(list(destinations.servers(path)), names)
            for text in ("{}", "[1]", "[", ""):
                with open(path, "w") as file:
                    file.write(text)
                os.utime(path, ns=(0, 0))
                with self.assertRaises(Broken):
                    destinations.servers(path)
            os.unlink(path)
            with self.assertRaises(Broken):
                destinations.servers(path)


if __name__ == "__main__":
    unittest.main()
