#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A server that tells who it is and whom it sees: server.py NAME DIRECTORY PORT [UDP]...

HTTP on every address of the host:
  GET /who      "NAME CLIENT SERVER", the addresses as the server sees them
  GET /blob     the file DIRECTORY/blob
  PUT /         the SHA-256 of what came
  GET /healthz  "STATUS BODY" of the file DIRECTORY/NAME.health, or 200 ok; {host} in it is the Host that was asked for
UDP is an address, or ADDRESS/FIRST-LAST with ports of its own: each datagram comes back as "NAME CLIENT " and itself.
"""
import hashlib
import os
import selectors
import shutil
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler

NAME, DIRECTORY, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])


def plain(address):
    """An address as users write it."""
    return address.removeprefix('::ffff:')


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    timeout = 30

    def setup(self):
        super().setup()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def answer(self, status, text):
        body = (text + '\n').encode()
        self.send_response(status)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == '/blob':
            self.send_blob()
        elif self.path == '/healthz':
            self.tell_health()
        else:
            self.answer(200, f'{NAME} {plain(self.client_address[0])} {plain(self.request.getsockname()[0])}')

    do_HEAD = do_GET

    def do_PUT(self):
        left, digest = int(self.headers['Content-Length']), hashlib.sha256()
        while left:
            part = self.rfile.read(min(left, 1 << 20))
            left -= len(part)
            digest.update(part)
        self.answer(200, digest.hexdigest())

    def send_blob(self):
        with open(f'{DIRECTORY}/blob', 'rb') as file:
            self.send_response(200)
            self.send_header('Content-Length', str(os.fstat(file.fileno()).st_size))
            self.end_headers()
            shutil.copyfileobj(file, self.wfile, 1 << 20)

    def tell_health(self):
        try:
            with open(f'{DIRECTORY}/{NAME}.health', encoding='utf-8') as file:
                status, body = file.read().split(maxsplit=1)
        except FileNotFoundError:
            status, body = '200', 'ok'
        self.answer(int(status), body.strip().format(host=self.headers['Host']))

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, *_):
        pass  # a client that goes away is part of many tests


def bound(words):
    """UDP sockets on what the command line says."""
    for word in words:
        address, _, ports = word.partition('/')
        first, _, last = (ports or f'{PORT}-{PORT}').partition('-')
        for port in range(int(first), int(last) + 1):
            sock = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((address, port))
            yield sock


def echo(selector):
    while True:
        for key, _ in selector.select():
            data, peer = key.fileobj.recvfrom(65535)
            key.fileobj.sendto(f'{NAME} {peer[0]} '.encode() + data, peer)


def main():
    selector = selectors.DefaultSelector()
    for sock in bound(sys.argv[4:]):
        selector.register(sock, selectors.EVENT_READ)
    threading.Thread(target=echo, args=(selector,), daemon=True).start()
    Server(('::', PORT), Handler).serve_forever()


main()
