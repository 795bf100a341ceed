#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A server that speaks first, as those of mail and databases do: speak_first.py NAME PORT

Each connection is greeted with "NAME", then every line comes back.
"""
import socket
import socketserver
import sys


class Server(socketserver.ThreadingTCPServer):
    """On every address of the host, IPv4 too."""
    address_family, allow_reuse_address, daemon_threads, request_queue_size = socket.AF_INET6, True, True, 64


class Greeter(socketserver.StreamRequestHandler):
    """One connection."""

    def handle(self):
        self.wfile.write(f'{sys.argv[1]}\n'.encode())
        for line in self.rfile:
            self.wfile.write(line)


Server(('::', int(sys.argv[2])), Greeter).serve_forever()
