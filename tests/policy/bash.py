"""What real bash makes of a text: which programs it would start, with which words.

Each program is a function that writes its words down. It returns what lets the next command after
`&&` or `||` run. Nothing is found by PATH, and nothing can be changed: what bash expands, it
expands in an empty folder of its own.
"""

import pathlib
import shlex
import shutil
import subprocess
import tempfile

from policy.lexer import Segment

BASH = shutil.which("bash")

# Words go to the file as `count NUL word NUL …`; one write, so that the parts of a pipe do not mix.
# The functions have names that no text has, or what they call would be one of them.
STUB = r"""
declare -A __status
__note() { builtin printf '%s\0' "$#" "$@" >&3; builtin return "${__status["$*"]:-0}"; }
__case() { builtin printf 'case\0' >&3; builtin eval "$1"; }
command_not_found_handle() { __note "unknown" "$@"; }
shopt -u sourcepath
"""


def plan(segments: list[Segment]):
    """The status that each command has to return so that all run, where there is such a status, and
    the groups that run: the commands of one pipe come in any order."""
    status: dict[str, int] = {}
    pipes: list[list[tuple[str, ...]]] = []
    for at, segment in enumerate(segments):
        if segment.operator == "|":
            pipes[-1].append(segment.argv)
        else:
            pipes.append([segment.argv])
        following = segments[at + 1].operator if at + 1 < len(segments) else ";"
        status.setdefault(" ".join(segment.argv), int(following == "||"))
    operators = [segment.operator for segment in segments if segment.operator != "|"]
    ran, last = [], 0
    for operator, pipe in zip(operators, pipes, strict=True):
        if operator == "&&" and last or operator == "||" and not last:
            continue
        ran.append(sorted(pipe))
        last = status[" ".join(pipe[-1])]
    return status, ran


class Bash:
    """Runs many texts in one bash."""

    def __init__(self) -> None:
        self.script = [STUB]
        self.expected: list[tuple[str, str, list]] = []
        self.defined: set[str] = set()

    def add(self, name: str, text: str, segments: list[Segment]) -> None:
        status, ran = plan(segments)
        for program in {segment.argv[0] for segment in segments} - self.defined:
            self.defined.add(program)
            self.script.append(f'{program}() {{ __note {shlex.quote(program)} "$@"; }}')
        table = " ".join(f"[{shlex.quote(words)}]={code}" for words, code in status.items() if code)
        self.script.append(f"__status=({table}); __case {shlex.quote(text)}")
        self.expected.append((name, text, ran))

    def differences(self) -> list[str]:
        """One line for each text that bash reads otherwise."""
        with tempfile.TemporaryDirectory() as folder:
            place = pathlib.Path(folder)
            for name in ("work", "empty"):
                (place / name).mkdir()
            # What a glob would find.
            for name in ("a", "b", "ab", "ls", "-x", "x.txt"):
                (place / "work" / name).touch()
            script = place / "script"
            # No command may end the script or read it.
            script.write_text("\n".join(self.script) + "\n", "utf-8", "surrogateescape")
            out = place / "out"
            words = [BASH, "--norc", "--noprofile", "-c", '. "$1" 3>>"$2" </dev/null', "x"]
            subprocess.run(
                [*words, script, out],
                cwd=place / "work",
                env={"PATH": str(place / "empty"), "HOME": "/home/of", "LC_ALL": "C.UTF-8"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
                timeout=300,
            )
            fields = out.read_bytes().decode("utf-8", "surrogateescape").split("\0")
        return self._compare(fields[:-1])

    def _compare(self, fields: list[str]) -> list[str]:
        wrong, at = [], 0
        for name, text, ran in self.expected:
            if fields[at : at + 1] != ["case"]:
                return [*wrong, f"{name}: {text!r}: bash did not get here"]
            at += 1
            calls: list[tuple[str, ...]] = []
            while at < len(fields) and fields[at] != "case":
                count = int(fields[at])
                calls.append(tuple(fields[at + 1 : at + 1 + count]))
                at += 1 + count
            groups, left = [], calls
            for pipe in ran:
                groups.append(sorted(left[: len(pipe)]))
                left = left[len(pipe) :]
            if groups != ran or left:
                wrong.append(f"{name}: {text!r}: judged {ran}, bash ran {calls}")
        return wrong
