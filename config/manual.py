#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes tandem.conf(5): manual.py TANDEMCTL TEMPLATE EXAMPLE.

The words come from `tandemctl config schema -j`, so that the manual cannot differ from the reader.
"""

import json
import subprocess
import sys


def roff(text):
    """Plain text as mdoc input: backslashes, and dots and quotes at the beginning of a line, are escaped."""
    text = text.replace("\\", "\\e")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def sentence(text):
    """With a capital, unless it begins with a word of the configuration and a colon."""
    return (text if ":" in text.split(" ")[0] else text[:1].upper() + text[1:]) + "."


def number(key, which):
    unit = key["unit"]
    return f"{key[which]}{unit if unit in ('ms', '%') else ''}"


def wanted(key):
    """What may stand as the value."""
    if key["values"] and key["names"]:
        return ", ".join(f'"{v}"' for v in key["values"]) + f", or the name of a {key['names']}"
    if key["values"]:
        return "One of " + ", ".join(f'"{v}"' for v in key["values"])
    if key["type"] == "reference":
        article = "an" if key["names"][0] in "aeio" else "a"
        return f"Name of {article} {key['names'].replace('health', 'health check')}"
    if key["minimum"] is not None:
        return f"{key['type'].capitalize()} from {number(key, 'minimum')} to {number(key, 'maximum')}"
    return key["type"].capitalize()


def remarks(key):
    if key["required"]:
        yield "required"
    elif key["without"]:
        yield f"without it: {key['without']}"
    elif key["default"]:
        yield f"default {key['default']}"
    if key["only_with_type"]:
        yield f"with type \"{key['only_with_type']}\" only"
    if key["not_with_forward"]:
        yield f"not with forward \"{key['not_with_forward']}\""
    if not key["reloadable"]:
        yield "read at the start only"


def group(key):
    """A heading; an example where objects are to be named."""
    yield f".Ss {roff(key['path'])}"
    yield roff(sentence(key["help"]))
    if key["example"]:
        yield from (".Pp", ".Dl " + roff(key["example"]).replace('"', "\\(dq"))


def value(key):
    yield f".It Cm {roff(key['path'].rpartition('.')[2])}"
    yield roff("; ".join((wanted(key), *remarks(key))) + ".")
    yield roff(sentence(key["help"]))


def reference(keys):
    """Groups become sections, in the schema's order; the words of each follow its heading."""
    groups = {"": {"path": "The file itself", "help": "words outside of any group", "example": None}}
    words = {}
    for key in keys:
        if key["type"] in ("group", "named groups"):
            groups[key["path"]] = key
        else:
            owner = key["path"].rpartition(".")[0]
            words.setdefault(owner.removesuffix(".*"), []).append(key)
    yield ".Sh WORDS"
    for path, key in groups.items():
        yield from group(key)
        if path in words:
            yield ".Bl -tag -width Ds"
            for word in words[path]:
                yield from value(word)
            yield ".El"


def main():
    tandemctl, template, example = sys.argv[1:]
    schema = json.loads(subprocess.run([tandemctl, "config", "schema", "-j"], check=True, capture_output=True).stdout)
    with open(template, encoding="utf-8") as f:
        page = f.read()
    with open(example, encoding="utf-8") as f:
        text = f.read()
    page = page.replace("@SCHEMA@", "\n".join(reference(schema["keys"])))
    sys.stdout.write(page.replace("@EXAMPLE@", roff(text.rstrip("\n"))))


if __name__ == "__main__":
    main()
