"""Sliding windows: what the writer lets through, and that a restart forgets nothing."""

import copy
import json
import os
import random
import time
import unittest

import bench
from audit.lines import Refused

from audit import counters

HOUR = {"count": 30, "seconds": 3600}


class Counting(bench.WithWriter):
    def test_the_31st_message_is_refused_also_after_restarts(self):
        options = ("--size", "4000", "--keep", "100")
        self.start(*options)

        def message(user, **more):
            return self.client().ask("message", platform="telegram", user=user, **more)

        for number in range(30):
            answer = message(1)
            self.assertEqual((answer["ok"], answer["used"]), (True, number + 1))
            if number % 10 == 9:
                self.stop(bench.signal.SIGKILL if number == 9 else bench.signal.SIGTERM)
                self.start(*options)
        self.assertGreater(len(self.files()), 2, "it reads more than one file again")
        refused = message(1)
        self.assertFalse(refused["ok"])
        self.assertTrue(3500 < refused["retry"] <= 3600, refused)
        self.assertTrue(message("1", key="other")["ok"], "a key counts in place of the user")
        self.assertTrue(message(2)["ok"])
        self.assertFalse(message("1")["ok"], "a number and its digits are one user")
        discord = self.client().ask("message", platform="discord", user=1)
        self.assertTrue(discord["ok"])
        self.assert_sound()

    def test_the_window_slides(self):
        self.rates(webhook_route=(2, 2))
        self.start()
        client = self.client()

        def ask():
            return client.ask("message", platform="webhook", key="route/a")

        began = time.monotonic()
        self.assertEqual([ask()["ok"], ask()["ok"]], [True, True])
        refused = ask()
        self.assertEqual((refused["ok"], refused["retry"]), (False, 2))
        self.until(lambda: ask()["ok"], "it never lets the next through")
        self.assertGreater(time.monotonic() - began, 1.9)

    def test_a_budget_is_one_for_the_host(self):
        self.rates(model_calls=(3, 2592000))
        self.start()
        client = self.client()
        said = [client.ask("budget", key="model_calls", platform=p)["ok"] for p in "abcd"]
        self.assertEqual(said, [True, True, True, False])
        self.stop()
        self.start()
        self.assertFalse(self.client().ask("budget", key="model_calls")["ok"])

    def test_no_limit_lets_all_through_and_a_bad_one_none(self):
        self.rates(p=None)
        self.start()
        client = self.client()
        self.assertEqual(client.ask("message", platform="p", user="u"), {"ok": True, "seq": 2})
        bad = [
            0,
            {},
            {"count": 0, "seconds": 1},
            {"count": True, "seconds": 1},
            {"count": 1},
            "30/hour",
        ]
        bad += [
            {"count": 1, "seconds": 10**9},
            {"count": 10**9, "seconds": 1},
            {"count": 1.5, "seconds": 1},
        ]
        for limit in bad:
            rate = {"default": None, "webhook_route": None, "model_calls": None}
            self.write_policy(json.dumps({"rate": {**rate, "platforms": {"p": limit}}}))
            self.assertIn("error", client.ask("message", platform="p", user="u"), limit)
        for text in ("", "[]", "{", "{}", '{"rate": {}}', '{"rate": 5}'):
            self.write_policy(text)
            self.assertIn("error", client.ask("message", platform="p", user="u"), text)
        self.rates(p=None)
        os.chmod(self.policy, 0o664)
        self.assertIn("error", client.ask("message", platform="p", user="u"), "others may write it")
        os.unlink(self.policy)
        self.assertIn("error", client.ask("message", platform="p", user="u"), "it is gone")
        self.rates(p=None)
        self.assertIn("error", client.ask("budget", key="another"), "no such budget")
        for who in (
            {},
            {"platform": "p"},
            {"platform": "p", "user": ""},
            {"platform": "p", "user": ["u"]},
        ):
            self.assertIn("error", client.ask("message", **who), who)
        self.assertIn("error", client.ask("message", platform="p", user="u" * 257))
        self.assertEqual(len(self.lines()), 2)

    def test_a_client_cannot_raise_its_limit(self):
        self.rates(telegram=(1, 600))
        self.start()
        client = self.client()

        def ask(limit):
            return client.ask("message", platform="telegram", user=1, limit=limit)["ok"]

        self.assertEqual([ask(limit) for limit in (None, HOUR, None)], [True, False, False])
        self.assertEqual(self.records()[1]["limit"], {"count": 1, "seconds": 600})
        self.rates(telegram=(3, 600))
        self.assertTrue(ask(None), "what root changes is in force at once")

    def test_the_self_test_has_a_share_of_its_own(self):
        self.start()
        said = [self.client().ask("message", platform="petasos_selftest", user=1) for _ in "ab"]
        self.assertEqual([answer["ok"] for answer in said], [True, False])


class Windows(unittest.TestCase):
    def test_it_is_what_a_list_of_all_times_says(self):
        rng, kept, all_of = random.Random(9), counters.Counters(), {}
        now = 1_800_000_000.0
        for _ in range(3000):
            now += rng.choice((0, 0.5, 7, 400))
            key = rng.choice("abc")
            limit = (rng.randrange(1, 6), 60 if key == "a" else 3600)
            recent = [then for then in all_of.get(key, []) if then > now - limit[1]]
            ok, used, retry = kept.ask(key, limit, now)
            self.assertEqual(ok, len(recent) < limit[0])
            if ok:
                self.assertEqual(used, len(recent) + 1)
                kept.add(key, limit[1], now)
                all_of.setdefault(key, []).append(now)
            else:
                # Right after that time it is let through, and not a second before.
                later = copy.deepcopy(kept)
                self.assertTrue(later.ask(key, limit, now + retry + 0.001)[0])
                self.assertFalse(
                    len([t for t in recent if t > now + retry - 1.001 - limit[1]]) < limit[0]
                )

    def test_a_clock_that_was_ahead_keeps_nobody_out(self):
        kept, now = counters.Counters(), 1_800_000_000.0
        for _ in range(2):
            kept.add("a", 60, now + 10**7)
        self.assertEqual(kept.ask("a", (2, 60), now), (False, 2, 60))
        self.assertEqual(kept.ask("a", (2, 60), now + 61), (True, 1, 0))

    def test_its_memory_is_bounded(self):
        kept, now = counters.Counters(), 1_800_000_000.0
        for number in range(counters.KEYS):
            kept.add(number, 60, now)
        self.assertFalse(kept.ask(5, (1, 60), now)[0], "who is counted is counted on")
        with self.assertRaises(Refused):
            kept.ask("one more", (1, 60), now)
        self.assertTrue(kept.ask("one more", (1, 60), now + 61)[0], "what is over makes room")
        self.assertEqual((len(kept.windows), kept.stamps), (0, 0))


@unittest.skipUnless(os.environ.get("PETASOS_AUDIT_LARGE"), "makes a log of 512 MiB")
class Large(bench.WithWriter):
    def test_a_large_log_is_read_again_in_time(self):
        from audit import lines

        prev, seq = lines.NOTHING, 0
        for _ in range(8):
            with open(os.path.join(self.log, f"audit-{seq + 1:012}.jsonl"), "wb") as file:
                while file.tell() < 64 << 20:
                    seq += 1
                    fields = {"platform": "telegram", "user": seq % 50, "command": "x" * 300}
                    event = "message" if seq % 20 == 0 else "tool_call"
                    if event == "message":
                        fields.update(limit=HOUR, verdict="allow", used=1)
                    line = lines.line(seq, time.time(), event, 1, 2, fields, prev)
                    prev = lines.digest(line)
                    file.write(line)
        began = time.monotonic()
        self.start("--keep", "16")
        self.assertEqual(self.client().ask("tool_call")["seq"], seq + 2)
        print(f"{seq} lines in {time.monotonic() - began:.2f} s")


if __name__ == "__main__":
    unittest.main()
