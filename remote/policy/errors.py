"""The two ways in which the policy says no."""


class Refused(Exception):
    """A rule said no. Its text is for the model and for the person who asked."""

    def __init__(self, reason, rule=""):
        super().__init__(reason)
        self.reason, self.rule = reason, rule


class Broken(Exception):
    """The policy cannot do its work. Nothing goes on: at the start this ends in exit code 78."""

    # Where it ends a model call the agent takes it for an answer that no retry will change.
    status_code = 422


class Late(Broken):
    """Whom the policy asks did not answer in time, as on a host that is just starting. At the start
    this ends in exit code 75: the unit tries again."""
