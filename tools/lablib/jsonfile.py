# SPDX-License-Identifier: BSD-2-Clause
"""Small files of JSON that are there whole or not at all."""
import json
import os


def write(path, value):
    with open(path + '.new', 'w', encoding='utf-8') as file:
        json.dump(value, file)
    os.rename(path + '.new', path)


def read(path):
    """None when there is no such file."""
    try:
        with open(path, encoding='utf-8') as file:
            return json.load(file)
    except FileNotFoundError:
        return None
