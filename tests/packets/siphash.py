# SPDX-License-Identifier: BSD-2-Clause
"""The flow hash, from its definition: SipHash-1-3 (Aumasson and Bernstein, INDOCRYPT 2012) over the 5-tuple, or
over a client's address and its pool's number."""
import ipaddress

MASK = (1 << 64) - 1
# Every engine under test has this key.
KEY = bytes(range(16))


def rotate(x, n):
    return (x << n | x >> 64 - n) & MASK


def sip_round(v0, v1, v2, v3):
    v0, v2 = (v0 + v1) & MASK, (v2 + v3) & MASK
    v1, v3 = rotate(v1, 13) ^ v0, rotate(v3, 16) ^ v2
    v0, v2 = (rotate(v0, 32) + v3) & MASK, (v2 + v1) & MASK
    return v0, rotate(v1, 17) ^ v2, rotate(v2, 32), rotate(v3, 21) ^ v0


def siphash13(key, data):
    k0, k1 = (int.from_bytes(key[i:i + 8], 'little') for i in (0, 8))
    v = (k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573)
    data += bytes(-(len(data) + 1) % 8) + bytes([len(data) & 255])
    for i in range(0, len(data), 8):
        m = int.from_bytes(data[i:i + 8], 'little')
        v = sip_round(*v[:3], v[3] ^ m)
        v = (v[0] ^ m,) + v[1:]
    v = v[:2] + (v[2] ^ 0xff, v[3])
    for _ in range(3):
        v = sip_round(*v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


# The first of the published vectors for this key.
assert siphash13(KEY, b'') == 0xabac0158050fc4dc


def flow_hash(source, target, sport, dport, protocol):
    return siphash13(KEY, ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed +
                     sport.to_bytes(2, 'big') + dport.to_bytes(2, 'big') + bytes([protocol]))


def client_hash(source, pool):
    return siphash13(KEY, ipaddress.ip_address(source).packed + pool.to_bytes(2, 'little'))


def flow_label(value):
    """The 20 lowest bits of the upper half, 1 in place of 0 (RFC 6437, 2)."""
    return value >> 32 & 0xfffff or 1


def spread(prefix, value):
    """An address in the prefix: its last bits, at most 32, are the lowest of the upper half."""
    network = ipaddress.ip_network(prefix)
    bits = min(network.max_prefixlen - network.prefixlen, 32)
    return network.network_address + (value >> 32 & (1 << bits) - 1)


def gue_source(value):
    """One of the ports from 49152 on: by the 14 lowest bits of the upper half."""
    return 49152 + (value >> 32) % 16384


def syn_cookie(source, target, sport, dport, isn, now, says):
    """RFC 4987, 3.6: 24 bits of a keyed hash, then what the SYN said."""
    period = now >> 6
    data = (ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed + sport.to_bytes(2, 'big') +
            dport.to_bytes(2, 'big') + isn.to_bytes(4, 'little') + period.to_bytes(2, 'little') + bytes([6]))
    return siphash13(KEY, data) >> 40 << 8 | says | (period & 1) << 7
