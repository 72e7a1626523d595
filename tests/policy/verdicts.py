"""Prints which rules and tools the policy takes, for the test that petasos takes the same."""

import json

import fuzz
from policy import settings, tools
from policy.rules import Rule, RuleError

GLOBS = ["*", "?", "[a]", "[", "]", "[!a]", "*.py", "..*", "../a", "'*'", "[]", "[]a]", "a[b-c]*"]


def takes(parse, text: str) -> bool:
    try:
        parse(text)
    except RuleError:
        return False
    return True


def main() -> None:
    texts = ["", " ", "*", "* *", "?", "sudo *", "bash *", "env *", "env ls *", "timeout 5 ls *"]
    texts += [f"{program} *" for program in fuzz.PROGRAMS + fuzz.NO_PROGRAMS]
    for at, text in enumerate(fuzz.texts(3, 4000)):
        texts += [text, f"{text} {GLOBS[at % len(GLOBS)]}", f"{GLOBS[at % len(GLOBS)]}{text}"]
    rows = [["allow", text, takes(Rule.parse, text)] for text in texts if "\0" not in text]
    rows += [
        ["deny", text, takes(settings.deny_rule, text)]
        for text in texts[:100]
        if text.isprintable()
    ]
    for name in [*tools.KNOWN, *tools.UNREADABLE, "mcp__", "mcp__a__b", "terminl", "", "Terminal"]:
        rows.append(["tool", name, tools.known(name) and name not in tools.UNREADABLE])
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
