#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Keeps the hex of packet cases equal to the expressions above it: frames and hashes of flows (README.md).

bytes.py --check FILE...   fails when a file's hex is not what its expressions give
bytes.py --write FILE...   writes it anew
bytes.py --seeds DIR FILE...  writes the frames that go in in each case as a seed for tests/fuzz/frame_fuzz
"""
import argparse
import difflib
import hashlib
import os
import re
import sys

from scapy.layers import inet, inet6, l2, sctp
from scapy.packet import Packet, Raw

import siphash
import world as worlds

FRAME = re.compile(r'(in) (\S+) |send \S+ \S+ |pass \S+ ')
FLOW = re.compile(r'record(?:ed)? (?:\S+ ){5}|slot (?:\S+ ){3}')
HEX_LINE = re.compile(r'\s+[0-9a-f]{4}: ')
LINE_BYTES, RUN_MIN = 32, 24


def cut(frame, n):
    """The first n bytes: a frame that ends early."""
    return bytes(frame)[:n]


def trail(frame, more):
    """Bytes after the end of the packet: Ethernet padding, or whatever else a driver leaves."""
    return bytes(frame) + more


def patch(frame, offset, new):
    """Some bytes overwritten, without any checksum being mended."""
    frame = bytes(frame)
    return frame[:offset] + new + frame[offset + len(new):]


def hash_of(frame):
    """The flow hash of a packet that scapy made."""
    ip = frame[inet.IP] if frame.haslayer(inet.IP) else frame[inet6.IPv6]
    transport = frame[inet.TCP] if frame.haslayer(inet.TCP) else frame[inet.UDP]
    return siphash.flow_hash(ip.src, ip.dst, transport.sport, transport.dport,
                             6 if isinstance(transport, inet.TCP) else 17)


def client(address, pool):
    """The hash of a client of a pool with that number."""
    return siphash.client_hash(address, pool)


def beside(flow, n):
    """The hash of a flow that differs in the bits of n alone: low ones choose the slot, the highest the bucket."""
    return (flow if isinstance(flow, int) else hash_of(flow)) ^ n


def label(flow):
    """The flow label of a tunnel that the packet, or what has this hash, is in."""
    return siphash.flow_label(flow if isinstance(flow, int) else hash_of(flow))


def spread(prefix, frame):
    """The source of a tunnel for the packet."""
    return str(siphash.spread(prefix, hash_of(frame)))


def gue(frame):
    """The UDP header of a GUE tunnel for the packet, to the default port; a zero checksum (RFC 6935)."""
    return inet.UDP(sport=siphash.gue_source(hash_of(frame)), dport=6080, chksum=0)


def quote(frame, n):
    """The first n bytes of the IP packet in a frame, which may have something behind it."""
    frame = l2.Ether(frame) if isinstance(frame, bytes) else frame
    ip = frame[inet.IP] if frame.haslayer(inet.IP) else frame[inet6.IPv6]
    return Raw(bytes(ip)[:n])


def error(frame, source, kind):
    """The ICMP error of that kind from an address of ours about a frame, back to where it came from: RFC 1812, 4.3.2.3
    and 4.3.2.5; RFC 4443, 2.4 (c)."""
    frame = l2.Ether(bytes(frame))
    link = frame.copy()
    link.src, link.dst = frame.dst, frame.src
    below = link[l2.Dot1Q] if link.haslayer(l2.Dot1Q) else link
    while isinstance(below.payload, l2.Dot1Q):
        below = below.payload
    ip = below.payload
    below.remove_payload()
    if isinstance(ip, inet.IP):
        return link / inet.IP(src=source, dst=ip.src, tos=0xc0, id=0, flags='DF', ttl=64) / kind / quote(frame, 548)
    return link / inet6.IPv6(src=source, dst=ip.src, hlim=64) / kind / quote(frame, 1232)


def cookie(syn, now):
    """The SYN cookie for a frame at that coarse time: mss:2 sack:1 scale:4 in its lowest bits."""
    ip = syn[inet.IP] if syn.haslayer(inet.IP) else syn[inet6.IPv6]
    tcp = syn[inet.TCP]
    sizes = [536, 1300, 1440, 1460] if isinstance(ip, inet.IP) else [1220, 1420, 1440, 8940]
    options = {name: value for name, value in tcp.options if name not in ('NOP', 'EOL')}
    mss = sum(options.get('MSS', sizes[0]) >= size for size in sizes[1:])
    scale = min(options['WScale'], 14) if 'WScale' in options else 15
    says = mss | ('SAckOK' in options) << 2 | scale << 3
    return siphash.syn_cookie(ip.src, ip.dst, tcp.sport, tcp.dport, tcp.seq, now, says)


def names_of(world_path):
    out = {}
    for module in (l2, inet, inet6, sctp):
        out.update(vars(module))
    out.update(Raw=Raw, cut=cut, trail=trail, patch=patch, label=label, spread=spread, gue=gue, quote=quote, error=error,
               client=client, beside=beside, cookie=cookie)
    out.update(worlds.World(world_path).names)
    return out


def hex_lines(frame):
    """Lines of at most 32 bytes, two in a group; from RUN_MIN on, equal bytes are written XX*N."""
    lines, at = [], 0
    while at < len(frame):
        run = len(frame) - at - len(frame[at:].lstrip(frame[at:at + 1]))
        if run >= RUN_MIN:
            n, text = run, f'{frame[at]:02x}*{run}'
        else:
            n = min(LINE_BYTES, len(frame) - at)
            n = next((i for i in range(1, n) if frame[at + i:at + i + RUN_MIN]
                      == frame[at + i:at + i + 1] * RUN_MIN), n)
            text = frame[at:at + n].hex(' ', -2)
        lines.append(f'\t{at:04x}: {text}\n')
        at += n
    return lines


def refresh(path, seeds=None):
    """The file's lines as they are and as they should be."""
    old = open(path, encoding='utf-8').read().splitlines(True)
    new, names, i = [], None, 0
    while i < len(old):
        line, i = old[i], i + 1
        new.append(line)
        if line.startswith('world '):
            names = names_of(os.path.join(os.path.dirname(path), line.split()[1]))
        elif line.startswith('case ') and seeds is not None:
            seeds.append([])
        elif line.startswith('let '):
            name, expression = line[4:].split('=', 1)
            names[name.strip()] = evaluate(expression, names, f'{path}:{len(new)}')
        match, is_flow = FRAME.match(line) or FLOW.match(line), FLOW.match(line)
        if not match:
            continue
        where, expression = f'{path}:{len(new)}', line[match.end():]
        while i < len(old) and old[i][0] in ' \t' and not HEX_LINE.match(old[i]):
            expression += old[i]
            new.append(old[i])
            i += 1
        while i < len(old) and HEX_LINE.match(old[i]):
            i += 1
        frame = evaluate(expression, names, where)
        if is_flow:
            frame = (frame if isinstance(frame, int) else hash_of(frame)).to_bytes(8, 'big')
        if not isinstance(frame, (bytes, Packet)):
            raise SystemExit(f'{where}: the expression makes no frame')
        frame = bytes(frame)
        new += hex_lines(frame)
        if not is_flow and match[1] and seeds is not None:
            seeds[-1].append((match[2], frame))
    return old, new


def evaluate(expression, names, where):
    try:
        return eval('(' + expression + ')', dict(names))
    except Exception as why:
        raise SystemExit(f'{where}: {why!r} in: {expression.strip()}') from why


def write_seeds(folder, seeds, links):
    """Each frame behind a byte, the interface's number; those of one case with a word between them."""
    os.makedirs(folder, exist_ok=True)
    for frames in seeds:
        data = b'next'.join(bytes([links.index(link)]) + frame for link, frame in frames)
        with open(os.path.join(folder, hashlib.sha1(data).hexdigest()[:16]), 'wb') as out:
            out.write(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument('--check', action='store_true')
    what.add_argument('--write', action='store_true')
    what.add_argument('--seeds', metavar='DIR')
    parser.add_argument('files', nargs='+')
    args = parser.parse_args()
    stale = 0
    for path in args.files:
        seeds = []
        old, new = refresh(path, seeds)
        if args.write and old != new:
            open(path, 'w', encoding='utf-8').writelines(new)
        elif args.check and old != new:
            stale += 1
            sys.stdout.writelines(difflib.unified_diff(old, new, path, path + ' (by scapy)', n=1))
        elif args.seeds:
            world = [line.split()[1] for line in old if line.startswith('world ')][0]
            links = worlds.World(os.path.join(os.path.dirname(path), world)).links
            write_seeds(args.seeds, seeds, [link['device'] for link in links.values()])
    return 1 if stale else 0


if __name__ == '__main__':
    sys.exit(main())
