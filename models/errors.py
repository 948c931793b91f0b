"""The one error of the models; the command line reports it as one line with exit code 5."""


class ModelError(Exception):
    """A model cannot be used here: unknown, altered, unsupported or computed differently.

    A message is one line: what went wrong, where, and what to do about it.
    """
