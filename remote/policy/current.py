"""What is in force in this process. Set once by `arm`, read by everything else.

Until it is set nothing here can say yes: whoever asks gets `Broken`.
"""

from .errors import Broken

policy = None
audit = None
redactor = None
home = ""  # The agent's data directory.
gateway = False  # Whether other people than the one at the command line are served here.


def the_policy():
    if policy is None:
        raise Broken("no policy is in force")
    return policy


def sandboxed():
    return bool(the_policy().sandbox.enabled)


def clean(value):
    """The value as it may leave: redacted, or an error. There is no third way."""
    if redactor is None:
        raise Broken("no redaction is in force")
    return redactor.value(value)


def clean_text(text):
    if redactor is None:
        raise Broken("no redaction is in force")
    return redactor.text(text)


def say(event, **fields):
    """One line in the audit log. Returns the writer's answer, or raises `Broken`."""
    if audit is None:
        raise Broken("no audit writer")
    return audit.say(event, **fields)


def tell(event, **fields):
    """The same for what is over already: nobody waits for the answer."""
    if audit is None:
        raise Broken("no audit writer")
    audit.tell(event, **fields)
