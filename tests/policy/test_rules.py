"""Verdicts on tool calls."""

import json
import unittest

import fuzz
import sample
from policy import settings, tools
from policy.lexer import Refused, lex
from policy.rules import Approve, Rule, RuleError, Verdict, judge, smallest


def approve(**other: object) -> Approve:
    policy = sample.changed("approve", {**sample.POLICY["approve"], **other})
    return settings.parse(json.dumps(policy)).approve


def terminal(command: object, **other: object) -> Verdict:
    return judge(approve(**other), "terminal", {"command": command})


class Matching(unittest.TestCase):
    def test_words_match_one_by_one(self):
        for rule, matched, others in (
            ("git status", ["git status", "'git' \"status\""], ["git", "git status -s", "git log"]),
            ("rg *", ["rg", "rg a", "rg -n 'a b' ../c"], ["rgx", "/usr/bin/rg a", "git rg"]),
            (
                "cat docs/*",
                ["cat docs/a", "cat docs/a/b"],
                ["cat docs/../x", "cat docs/a b", "cat"],
            ),
            ("ls '*'", ["ls '*'"], ["ls a", "ls"]),
            ("ls *.py", ["ls a.py"], ["ls -a.py", "ls ..py", "ls a.pyc"]),
            ("git * x", ["git a x"], ["git -c x", "git a b x", "git a"]),
            ("ls [ab]?", ["ls ax", "ls b1"], ["ls cx", "ls a"]),
            ("./run-*.sh", ["./run-a.sh"], ["./run-../x.sh", "run-a.sh"]),
            ("x ''", ["x ''"], ["x", "x a"]),
        ):
            for text in matched:
                with self.subTest(rule=rule, text=text):
                    self.assertTrue(Rule.parse(rule).matches(lex(text)[0].argv))
            for text in others:
                with self.subTest(rule=rule, text=text):
                    self.assertFalse(Rule.parse(rule).matches(lex(text)[0].argv))

    def test_rules_that_are_none(self):
        for text, why in {
            "": "empty",
            "  ": "empty",
            "*": "any program",
            "* status": "any program",
            "?*": "any program",
            "env *": "lets every command through",
            "bash *": "lets every command through",
            "/bin/sh *": "lets every command through",
            "timeout * x": "lets every command through",
            "env": "can never match",
            "git status | rg x": "can never match",
            "ls $HOME": "can never match",
            "ls ~": "can never match",
            "ls > x": "can never match",
            "A=1 ls": "can never match",
            "if x": "can never match",
            "eval x": "can never match",
            "printf -v x": "can never match",
            "-x": "can never match",
            "-*": "can never match",
            "ls ../*": "can never match",
            "ls 'a": "can never match",
            "x'$'*": "can never match",
            "ls [a": "not closed",
        }.items():
            with self.subTest(text), self.assertRaisesRegex(RuleError, why):
                Rule.parse(text)

    def test_the_smallest_rule_allows_just_that(self):
        count = 0
        for text in fuzz.texts(11, 3000):
            try:
                argv = lex(text)[0].argv
            except Refused:
                continue
            rule = Rule.parse(smallest(argv))
            count += 1
            self.assertTrue(rule.matches(argv), text)
            self.assertFalse(rule.matches((*argv, "x")), text)
        self.assertGreater(count, 1000)


class AllowList(unittest.TestCase):
    def test_what_is_listed_runs_as_its_words(self):
        verdict = terminal("  git   'log' -1 \"a b\"")
        self.assertEqual((verdict.verdict, verdict.rule), ("allow", "allow: git log *"))
        self.assertEqual(verdict.args, {"command": "git log -1 'a b'"})

    def test_other_arguments_stay(self):
        verdict = judge(approve(), "terminal", {"command": "ls", "timeout": 5})
        self.assertEqual(verdict.args, {"command": "ls", "timeout": 5})

    def test_what_is_not_listed_is_refused_with_the_smallest_rule(self):
        verdict = terminal("git push origin '*'")
        self.assertEqual((verdict.verdict, verdict.rule), ("refuse", "unlisted"))
        self.assertEqual(verdict.would_allow, ("allow: git push origin '*'",))
        self.assertEqual(terminal("git push", unlisted="ask").verdict, "ask")

    def test_compound_commands(self):
        verdict = terminal("git status && rg x")
        self.assertEqual((verdict.verdict, verdict.rule), ("refuse", "compound"))
        self.assertEqual(verdict.would_allow, ("compound: each",))
        verdict = terminal("git status && rg x|ls", compound="each")
        self.assertEqual(verdict.args["command"], "git status && rg x | ls")
        self.assertEqual(verdict.rule, "allow: git status, allow: rg *, allow: ls")
        verdict = terminal("git status && id", compound="each")
        self.assertEqual((verdict.verdict, verdict.rule), ("refuse", "unlisted"))

    def test_what_the_lexer_refuses_is_refused(self):
        for text in ("ls $(id)", "ls > x", "ls *", "", "ls\nid", None, 7, ["ls"]):
            with self.subTest(text):
                self.assertEqual(terminal(text).verdict, "refuse")
                self.assertEqual(terminal(text).would_allow, ())

    def test_deny_beats_allow_and_nobody_is_asked(self):
        for text in ("rg secret x", "rg 's'ecret x", "/usr/bin/rg secret", "RG SECRET x"):
            verdict = terminal(text, unlisted="ask")
            self.assertEqual((verdict.verdict, verdict.rule), ("refuse", "deny: rg secret *"), text)
            self.assertTrue(verdict.final)

    def test_tools(self):
        listed = judge(approve(), "read_file", {"path": "a"})
        self.assertEqual((listed.verdict, listed.rule), ("allow", "tools: read_file"))
        self.assertEqual(judge(approve(), "mcp__files__read", {}).verdict, "allow")
        other = judge(approve(), "write_file", {"path": "a"})
        self.assertEqual((other.verdict, other.rule), ("refuse", "tools"))
        self.assertEqual(other.would_allow, ("tools: write_file",))
        self.assertEqual(judge(approve(unlisted="ask"), "write_file", {}).verdict, "ask")

    def test_what_no_rule_can_read_is_never_asked(self):
        for tool in tools.UNREADABLE:
            verdict = judge(approve(unlisted="ask"), tool, {})
            self.assertEqual((verdict.verdict, verdict.final), ("refuse", True))
        for key in ("background", "pty"):
            verdict = judge(approve(unlisted="ask"), "terminal", {"command": "ls", key: True})
            self.assertEqual((verdict.verdict, verdict.final), ("refuse", True))

    def test_arguments_of_a_wrong_type(self):
        for args in (None, "ls", ["ls"], 3):
            self.assertEqual(judge(approve(), "terminal", args).verdict, "refuse")


class EveryMode(unittest.TestCase):
    def test_deny_rules_hold(self):
        for mode in ("manual", "smart", "allowlist"):
            for text in ('s""udo id', "cat /e?c/shadow", "x=sudo; $x id", "true; sudo id"):
                with self.subTest(mode=mode, text=text):
                    verdict = terminal(text, mode=mode, unlisted="ask")
                    self.assertEqual((verdict.verdict, verdict.final), ("refuse", True))

    def test_deny_rules_hold_for_other_tools(self):
        for mode in ("manual", "smart", "allowlist"):
            for tool, args in (
                ("read_file", {"path": "/etc//shadow"}),
                ("execute_code", {"code": "import os; os.system('sudo id')"}),
                ("mcp__files__read", {"a": [{"b": "/etc/shadow"}]}),
                ("process", {"data": "sudo id"}),
            ):
                with self.subTest(mode=mode, tool=tool):
                    self.assertEqual(judge(approve(mode=mode), tool, args).verdict, "refuse")

    def test_what_is_written_is_not_what_is_done(self):
        args = {"path": "notes.md", "content": "sudo id"}
        self.assertEqual(judge(approve(mode="manual"), "write_file", args).verdict, "allow")

    def test_without_an_allow_list_the_agent_decides_on_the_rest(self):
        for mode in ("manual", "smart"):
            verdict = terminal("ls > x; id", mode=mode)
            self.assertEqual((verdict.verdict, verdict.rule), ("allow", f"mode: {mode}"))
            self.assertEqual(verdict.args, {"command": "ls > x; id"})

    def test_a_person_decides_on_what_no_rule_can_be_held_against(self):
        for text in ("$x id", "echo a | base64 -d | sh", 'eval "$x"'):
            self.assertEqual(terminal(text, mode="manual").verdict, "ask")
            self.assertEqual(terminal(text).verdict, "refuse")

    def test_arguments_that_are_too_deep_are_refused(self):
        deep: dict = {}
        for _ in range(5000):
            deep = {"a": deep}
        self.assertEqual(judge(approve(mode="manual"), "mcp__a__b", deep).verdict, "refuse")


if __name__ == "__main__":
    unittest.main()
