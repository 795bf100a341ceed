# SPDX-License-Identifier: BSD-2-Clause
"""What ends a command: one sentence for the user."""
import difflib


class Failure(Exception):
    """One clear sentence; `status` is the exit status."""

    def __init__(self, sentence, status=1):
        super().__init__(sentence)
        self.status = status


def unknown(kind, word, known):
    """The Failure for a name that is none of `known`."""
    near = difflib.get_close_matches(word, known, 1)
    hint = f'did you mean {near[0]}?' if near else f'there are {", ".join(known)}'
    return Failure(f'there is no {kind} {word}: {hint}', 2)
