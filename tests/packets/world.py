# SPDX-License-Identifier: BSD-2-Clause
"""Reads a world file (README.md): the configuration, and what a kernel would say."""
import ipaddress
import re

TOKEN = re.compile(r'\s*(?:#[^\n]*)?(?:([A-Za-z*][-A-Za-z0-9_*]*)|"([^"]*)"|(-?\d+)|([][{}:=;,]))')


def read_config(text):
    """The subset of libconfig that worlds use: groups, arrays of strings, strings, integers, booleans."""
    tokens = [m for m in TOKEN.finditer(text.rstrip())]
    at = 0

    def group(end):
        nonlocal at
        out = {}
        while at < len(tokens) and tokens[at][4] != end:
            name, at = tokens[at][1], at + 2
            out[name] = value()
            if at < len(tokens) and tokens[at][4] == ';':
                at += 1
        at += 1
        return out

    def value():
        nonlocal at
        token, at = tokens[at], at + 1
        if token[4] == '{':
            return group('}')
        if token[4] == '[':
            out = []
            while tokens[at][4] != ']':
                if tokens[at][4] != ',':
                    out.append(tokens[at][2])
                at += 1
            at += 1
            return out
        if token[2] is not None:
            return token[2]
        return int(token[3]) if token[3] else token[1] == 'true'

    return group('end')


def spans(service):
    """The ports of a service: (first, last) of each port and range."""
    if service.get('ports') == 'any':
        return [(1, 65535)]
    parts = str(service.get('ports', service.get('port'))).split(',')
    return [(int(part.split('-')[0]), int(part.split('-')[-1])) for part in parts]


class World:
    """config: nested dicts; links: by name; routes and neighbours as written; names: the `let`s."""

    def __init__(self, path):
        self.config, self.links, self.routes, self.neighbours = {}, {}, [], {}
        self.vlans = {}  # (device, its tags): link; devices without tags are there too
        self.down, self.paths, self.names, self.addresses = set(), {}, {}, []
        text = open(path, encoding='utf-8').read()
        head, rest = text.split('config {\n', 1)
        inside, rest = rest.split('\n}\n', 1)
        self.config = read_config(inside)
        config_lines = '\n' * (inside.count('\n') + 3)
        for number, line in enumerate((head + config_lines + rest).splitlines(), 1):
            words = line.split()
            if words and not words[0].startswith('#'):
                try:
                    getattr(self, 'read_' + words[0])(words[1:], line)
                except (AttributeError, ValueError, KeyError, IndexError) as why:
                    raise SystemExit(f'{path}:{number}: {line}: {why!r}') from why

    def read_let(self, words, line):
        self.names[words[0]] = eval(line.split('=', 1)[1], {}, self.names)

    def read_link(self, words, _):
        fields = dict(zip(words[1:7:2], words[2:8:2]))
        on = words.index('on') if 'on' in words else len(words)
        tags = tuple((int(kind, 16), int(number)) for kind, number in (tag.split(':') for tag in words[on + 2:]))
        device = words[on + 1] if tags else words[0]
        self.links[words[0]] = {'mac': fields['mac'], 'mtu': int(fields['mtu']), 'device': device, 'tags': tags}
        self.vlans[device, tags] = words[0]

    def read_device(self, words, _):
        """One that is no interface itself: VLANs on it name it."""

    def read_route(self, words, _):
        """(network, kind, interface or None, gateway or None); interfaces of no link keep their number."""
        fields = dict(zip(words[1::2], words[2::2])) if words[1] in ('via', 'dev') else {}
        kind = 'unicast' if fields else words[1]
        gateway = ipaddress.ip_address(fields['via']) if 'via' in fields else None
        self.routes.append((ipaddress.ip_network(words[0]), kind, fields.get('dev'), gateway))

    def read_neighbour(self, words, _):
        if words[3:] != ['none']:
            self.neighbours[words[0], ipaddress.ip_address(words[1])] = words[2]

    def read_address(self, words, _):
        self.addresses.append((words[0], ipaddress.ip_interface(words[1])))

    def read_path(self, words, _):
        self.paths[words[0]] = int(words[2])

    def read_down(self, words, _):
        self.down.add(words[0])
