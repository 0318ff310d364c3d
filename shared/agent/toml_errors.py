"""What is wrong with a file that is not TOML."""

import re
import tomllib

from shared.agent.errors import Mistake

_REMEDIES = {
    "overwrite": "name each key once",
    "twice": "name each table once",
    "duplicate": "name each key once",
    "mutate": "name each key once",
    "unterminated": "end the text with the quotes it begins with",
    "illegal character": 'end the text on its line, or write it between """ and """',
    "unclosed array": "end the list with ]",
    "unclosed inline table": "end the table with }",
    "escape": "write \\\\ for a backslash, or put the text between ' and '",
    "unescaped": "write \\\\ for a backslash, or put the text between ' and '",
}
"""A word of tomllib's message → what would be right."""


def not_toml(name: str, text: str, wrong: tomllib.TOMLDecodeError) -> Mistake:
    """tomllib's own words name what it met; its place is in parentheses at the end."""
    at = re.search(r"at line (\d+)", str(wrong))
    said = re.sub(r" \(at .*\)$", "", str(wrong))
    said = said[:1].lower() + said[1:]
    remedy = next(
        (remedy for word, remedy in _REMEDIES.items() if word in said),
        'write name = value, with text in quotes: name = "value"',
    )
    line = int(at[1]) if at else len(text.splitlines())
    return Mistake(name, line, f"is not TOML: {said}", remedy)
