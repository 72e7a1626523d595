"""Secrets do not get through, whatever a program prints them as."""

import base64
import binascii
import json
import re
import subprocess
import time
import unittest
import urllib.parse

from policy.redact import Redactor

SECRET = 'p@ss/w+rd=Größe"x\\y'
PLAIN = "hunter2-hunter2-hunter2"


def redactor(**other: object) -> Redactor:
    given = {"builtin": lambda text: text, "secrets": [SECRET, PLAIN], "patterns": []}
    return Redactor(**{**given, "replacement": "[GONE]", **other})


class Exact(unittest.TestCase):
    def setUp(self):
        self.redact = redactor()

    def test_forms(self):
        for secret in (SECRET, PLAIN):
            data = secret.encode()
            for form in (
                secret,
                json.dumps(secret),
                json.dumps(secret, ensure_ascii=False),
                urllib.parse.quote(secret, safe=""),
                urllib.parse.quote(secret),
                urllib.parse.quote_plus(secret),
                urllib.parse.urlencode({"a": secret}).lower()
                if secret.islower()
                else urllib.parse.urlencode({"a": secret}),
                data.hex(),
                data.hex().upper(),
                binascii.hexlify(data).decode(),
            ):
                with self.subTest(form):
                    self.assertNotIn(form.strip('"'), self.redact.text(f"a {form} b"))
                    self.assertIn("[GONE]", self.redact.text(f"a {form} b"))

    def test_base64_wherever_it_begins(self):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            for before in range(4):
                for after in range(4):
                    data = b"x" * before + PLAIN.encode() + b"y" * after
                    made = self.redact.text(encode(data).decode())
                    self.assertIn("[GONE]", made)
                    left = made.replace("[GONE]", "")
                    self.assertLess(len(left), 12, made)

    def test_base64_as_the_program_breaks_it(self):
        for before in range(0, 120, 7):
            data = b"a" * before + PLAIN.encode() + b"b" * 200
            said = subprocess.run(["base64"], input=data, capture_output=True).stdout.decode()
            made = self.redact.text(said)
            self.assertIn("[GONE]", made)
            left = re.sub(r"\s", "", made)
            for offset in range(3):
                whole = base64.b64encode(b"a" * offset + PLAIN.encode()).decode()
                self.assertNotIn(whole[4:-4], left)

    def test_each_line_of_a_key(self):
        key = "-----BEGIN X-----\n" + "A" * 64 + "\n" + "B" * 64 + "\n-----END X-----\n"
        redact = redactor(secrets=[key])
        for text in (key, "x " + "B" * 64):
            self.assertNotIn("B" * 64, redact.text(text))

    def test_short_ones_are_counted_and_left(self):
        redact = redactor(secrets=["", "abc", "12345678"])
        self.assertEqual(redact.too_short, 1)
        self.assertEqual(redact.text("abc 12345678"), "abc [GONE]")

    def test_one_that_holds_another(self):
        redact = redactor(secrets=["12345678", "12345678-longer"])
        self.assertEqual(redact.text("12345678-longer 12345678"), "[GONE] [GONE]")


class Values(unittest.TestCase):
    def setUp(self):
        self.redact = redactor(patterns=[re.compile("ACME-[0-9]+")])

    def test_keys_values_and_lists(self):
        made = self.redact.value({PLAIN: [1, None, ("ACME-1", {"a": SECRET})], "b": True})
        self.assertEqual(made, {"[GONE]": [1, None, ("[GONE]", {"a": "[GONE]"})], "b": True})

    def test_keys_that_become_the_same_stay_two(self):
        made = self.redact.value({"ACME-1": 1, "ACME-2": 2, "ACME-3": 3})
        self.assertEqual(made, {"[GONE]": 1, "[GONE] 2": 2, "[GONE] 3": 3})

    def test_json_in_a_text_is_read(self):
        text = json.dumps({"output": json.dumps({"a": f"x {SECRET} y", "n": 1.50})})
        made = self.redact.value(text)
        self.assertEqual(json.loads(json.loads(made)["output"]), {"a": "x [GONE] y", "n": 1.5})

    def test_letters_written_as_numbers_are_read(self):
        text = '{"a": "' + "".join(f"\\u{ord(c):04x}" for c in PLAIN) + '"}'
        self.assertEqual(self.redact.value(text), '{"a": "[GONE]"}')

    def test_a_key_that_stands_there_twice_hides_nothing(self):
        hidden = "".join(f"\\u{ord(c):04x}" for c in PLAIN)
        made = self.redact.value(f'{{"a": "{hidden}", "a": "x"}}')
        self.assertEqual(made, '{"a": "x"}')

    def test_what_has_no_secret_stays_as_it_is(self):
        for text in ('{ "a" :1.0 }', "[1,2", "{", "text", "", '{"a":1}\n', "[" * 5000, "\ud800"):
            self.assertEqual(self.redact.value(text), text)

    def test_what_is_no_json_is_read_as_text(self):
        self.assertEqual(self.redact.value(f"[x {PLAIN}"), "[x [GONE]")
        self.assertEqual(self.redact.value("[" * 5000 + PLAIN), "[" * 5000 + "[GONE]")
        self.assertEqual(self.redact.value(f"a {PLAIN}".encode()), b"a [GONE]")


class Patterns(unittest.TestCase):
    def test_the_replacement_is_text(self):
        redact = redactor(patterns=[re.compile("(A)CME")], replacement=r"\1<\g<0>>")
        self.assertEqual(redact.text("ACME"), r"\1<\g<0>>")

    def test_the_builtin_families_come_last_and_see_the_rest(self):
        seen = []
        redact = redactor(builtin=lambda text: seen.append(text) or text.replace("family", "F"))
        self.assertEqual(redact.text(f"{PLAIN} family"), "[GONE] F")
        self.assertEqual(seen, ["[GONE] family"])

    def test_what_is_clean_is_remembered_and_what_is_not_is_not(self):
        calls = []
        redact = redactor(builtin=lambda text: calls.append(text) or text.replace("x", ""))
        for _ in range(3):
            self.assertEqual((redact.text("abc"), redact.text("axc")), ("abc", "ac"))
        self.assertEqual(calls.count("abc"), 1)
        self.assertEqual(calls.count("axc"), 3)

    def test_an_image_is_not_read_as_text_but_for_the_exact_values(self):
        redact = redactor(builtin=lambda text: "read")
        image = "data:image/png;base64," + "QUJD" * 2000
        self.assertEqual(redact.text(image), image)
        self.assertEqual(redact.text(image + " and text"), "read")
        redact = redactor()
        self.assertIn("[GONE]", redact.text(image + base64.b64encode(PLAIN.encode()).decode()))

    def test_an_error_is_no_text(self):
        def fails(_: str) -> str:
            raise ValueError

        self.assertRaises(ValueError, redactor(builtin=fails).value, {"a": "b"})


class Cost(unittest.TestCase):
    def test_much_text_takes_little_time(self):
        secrets = [f"secret-number-{number}-{'x' * number}" for number in range(12)]
        redact = redactor(secrets=secrets, patterns=[re.compile("ACME-[0-9]{6}")])
        best = 1.0
        for at in range(5):
            text = f"{at}" + "The quick brown fox; 0123456789 abcdef\n" * 5000
            began = time.process_time()
            redact.text(text)
            best = min(best, time.process_time() - began)
        print(f"{len(text) // 1000} kB with {len(secrets)} secrets: {best * 1000:.1f} ms")
        self.assertLess(best, 0.03)


if __name__ == "__main__":
    unittest.main()
