"""The tables in README.md that commands here write."""

import pathlib

README = pathlib.Path(__file__).resolve().parent.parent.parent / "README.md"


def keep(name, command, text):
    """Puts the text between the two marks of the table of that name."""
    start, end = f"<!-- {name} table: written by {command} --update-readme -->", f"<!-- end of {name} table -->"
    before, rest = README.read_text().split(start, 1)
    README.write_text(before + start + "\n" + text + end + rest.split(end, 1)[1])
