"""The lexer against real bash, and what it refuses."""

import random
import re
import subprocess
import time
import unittest
from unittest import mock

import bash
import fuzz
from policy import lexer
from policy.lexer import Refused, Segment, join, lex, patterns

# Beside the seed that is always the same, another one each time.
SEED = 20_240_917
COUNT = 60_000


class AgainstBash(unittest.TestCase):
    def test_bash_reads_what_was_judged(self):
        self.assertIsNotNone(bash.BASH, "bash is needed")
        fresh = random.SystemRandom().randrange(2**32)
        for seed in (SEED, fresh):
            began = time.monotonic()
            accepted, wrong = fuzz.run(seed, COUNT)
            took = time.monotonic() - began
            print(f"seed {seed}: {accepted} of {COUNT} accepted, {took:.0f} s")
            self.assertEqual(wrong[:5], [], f"seed {seed}")
            self.assertGreater(accepted, COUNT * 0.4, "the fuzzer tries too little")

    def test_a_lexer_that_accepts_more_is_found(self):
        plain = lexer._PLAIN.pattern
        for more in ("~", "$", "*", "{}", "#", "<", "\\\\", "`", "&", "(", "\\t"):
            wider = re.compile(plain.replace("[A-Z", f"[{more}A-Z"))
            with self.subTest(more), mock.patch.object(lexer, "_PLAIN", wider):
                self.assertTrue(fuzz.run(SEED, 3000)[1])

    def test_a_lexer_that_forgets_a_rule_is_found(self):
        with mock.patch.object(lexer, "_KEYWORDS", frozenset()):
            self.assertTrue(fuzz.run(SEED, 3000)[1])
        anything = re.compile(r"[^'\"]*")
        with mock.patch.object(lexer, "_PROGRAM", anything):
            self.assertTrue(fuzz.run(SEED, 3000)[1])
        with mock.patch.object(lexer, "join", None), mock.patch.object(fuzz, "join", careless):
            self.assertTrue(fuzz.run(SEED, 3000)[1])


def careless(segments: list[Segment]) -> str:
    return " ".join(f"{one.operator} {' '.join(one.argv)}" for one in segments)


class Words(unittest.TestCase):
    def test_what_is_accepted(self):
        for text, words in {
            "git status": ["git", "status"],
            "  git   log\n": ["git", "log"],
            "rg 'a b' \"c d\"": ["rg", "a b", "c d"],
            'rg "a\\"b\\$c\\\\d\\`" \'\'': ["rg", 'a"b$c\\d`', ""],
            "rg 'a'\"b\"c": ["rg", "abc"],
            'rg "foo\\|bar"': ["rg", "foo\\|bar"],
            "stat -c %s --x=y a:b,c@d": ["stat", "-c", "%s", "--x=y", "a:b,c@d"],
            "rg 'größe 日本 हिन्दी 👍'": ["rg", "größe 日本 हिन्दी 👍"],
            "./a.sh": ["./a.sh"],
            "g++ x": ["g++", "x"],
            "printf '%s' -v": ["printf", "%s", "-v"],
            "printf '%d new'": ["printf", "%d new"],
            "test -f x": ["test", "-f", "x"],
        }.items():
            with self.subTest(text):
                self.assertEqual(lex(text), [Segment("", tuple(words))])

    def test_operators(self):
        found = lex("a b&&c||d;e | f")
        self.assertEqual([one.operator for one in found], ["", "&&", "||", ";", "|"])
        self.assertEqual(join(found), "a b && c || d ; e | f")

    def test_what_runs_is_quoted_anew(self):
        self.assertEqual(join(lex("'ls'  \"-l\" 'a b' ''")), "ls -l 'a b' ''")

    def test_what_is_refused_and_why(self):
        for text, why in {
            "": "no command",
            " \n ": "no command",
            "a\\\nb": "backslash",
            "a\\ b": "backslash",
            "a\nb": "more than one line",
            "a\rb": "control character 13",
            "a\tb": "a tab",
            "'a\tb'": "a tab",
            "a\0": "control character 0",
            "'\x1b[31m'": "control character 27",
            "ls ~": "expands",
            "ls a~": "expands",
            "ls $x": "expands",
            'ls "$x"': "expands",
            'ls "`x`"': "backquote",
            "ls `x`": "backquote",
            "ls *": "glob",
            "ls a?": "glob",
            "ls [a]": "glob",
            "ls {a,b}": "brace",
            "ls !!": "recalls",
            'ls "a!b"': "recalls",
            "ls ^a^b": "recalled",
            "ls #x": "comment",
            "ls a#x": "comment",
            "ls >x": "redirection",
            "ls <x": "redirection",
            "ls &": "background",
            "ls |& x": "background",
            "(ls)": "parenthesis",
            "ls;": "empty command",
            "ls;;ls": "empty command",
            "&& ls": "empty command",
            "ls 'a": "not closed",
            'ls "a': "not closed",
            'ls "a\\"': "not closed",
            "ls é": "outside of quotes",
            "ls '\u202e'": "how text is shown",
            "ls '\u200b'": "how text is shown",
            "ls\u00a0x": "outside of quotes",
            "ls '\udcff'": "how text is shown",
            "A=1": "assignment",
            "A=1 ls": "assignment",
            "'A=1' ls": "assignment",
            "a+=1": "assignment",
            "-x": "in the place of a program",
            "%1": "in the place of a program",
            "'' a": "in the place of a program",
            "'a b'": "in the place of a program",
            "[ a ]": "glob",
            "'[' a": "in the place of a program",
            "'{' a": "in the place of a program",
            "if a": "own language",
            "'if' a": "own language",
            'ti"me" a': "own language",
            "eval id": "builtin",
            ". x": "builtin",
            "a && let x": "builtin",
            "alias ls": "builtin",
            "hash -p /x ls": "builtin",
            "env id": "starts other programs",
            "xargs id": "starts other programs",
            "printf -v 'a[$(id)]' x": "option of `printf`",
            "printf -va x": "option of `printf`",
            "printf ab%n PATH": "sets a variable",
            "printf '%-5hn' PATH": "sets a variable",
            "test -v 'a[$(id)]'": "operand of `test`",
            "test x -a -v 'a[$(id)]'": "operand of `test`",
            "x" * 9000: "more than 8192",
        }.items():
            with self.subTest(text), self.assertRaisesRegex(Refused, re.escape(why)):
                lex(text)
        with self.assertRaises(Refused):
            lex(None)

    def test_every_builtin_of_bash_is_known(self):
        # By the word of the bash that is here; what it has newly is to be looked at.
        said = subprocess.run([bash.BASH, "-c", "compgen -b; compgen -k"], capture_output=True)
        harmless = {"cd", "echo", "false", "printf", "pwd", "test", "true"}
        for name in said.stdout.decode().split():
            with self.subTest(name):
                if name in harmless:
                    lex(name)
                else:
                    self.assertRaises(Refused, lexer.check_program, (name,))

    def test_a_refusal_shows_no_control_characters(self):
        for text in ("'\x1b[31m' x", "\x1bx", "a\x07", "'a\u202eb' x"):
            with self.assertRaises(Refused) as no:
                lex(text)
            self.assertTrue(str(no.exception).isprintable())

    def test_rules_may_have_globs_outside_of_quotes(self):
        self.assertEqual(patterns("ls *.py '*' \"[a]\""), ["ls", "*.py", "[*]", "[[]a[]]"])
        for text in ("ls | x", "ls $x", "ls > x", "ls 'a", ""):
            with self.subTest(text), self.assertRaises(Refused):
                patterns(text)


if __name__ == "__main__":
    unittest.main()
