# SPDX-License-Identifier: MIT
"""The cutter: every stage of the course from the finished tree and from labs/. tools/cut is the command.

    source.py    finds and replaces functions in C
    stage.py     the files of one stage
    history.py   stages as git repositories
"""


class CutError(Exception):
    """Something a person can put right; the text is one line: file, place, remedy."""
