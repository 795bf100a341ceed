# SPDX-License-Identifier: BSD-2-Clause
"""The appliance as its operator sees it: through tandemctl."""
import json
import subprocess

from lablib.failure import Failure

PATIENCE_S = 10


class Appliance:
    def __init__(self, program, socket):
        self.program = program
        self.socket = socket

    def run(self, *words):
        """tandemctl's output; a Failure with what it said when it fails."""
        try:
            done = subprocess.run([self.program, '-s', self.socket, *words], capture_output=True, text=True,
                                  timeout=PATIENCE_S, check=False)
        except FileNotFoundError:
            raise Failure(f'{self.program} is not there: build it with `tools/setup --build`') from None
        except subprocess.TimeoutExpired:
            raise Failure(f'`tandemctl {" ".join(words)}` took more than {PATIENCE_S} s') from None
        if done.returncode:
            said = done.stderr.strip() or f'it exited with {done.returncode}'
            raise Failure(f'`tandemctl {" ".join(words)}` failed: {said}')
        return done.stdout

    def ask(self, *words):
        return json.loads(self.run('-j', *words))

    def servers(self):
        """Every server of every pool."""
        return [server for pool in self.ask('pool', 'list')['pools'] for server in pool['servers']]

    def servers_on(self, host):
        """The POOL/SERVER names of a host: one in each family."""
        return [f'{server["pool"]}/{server["name"]}' for server in self.servers() if server['name'] == host]

    def is_healthy(self):
        return not self.complaint()

    def complaint(self):
        """What is still missing for every server to be up, or ''."""
        try:
            waiting = [server for server in self.servers() if server['state'] != 'up']
        except Failure as why:
            return str(why)
        return ', '.join(f'{server["pool"]}/{server["name"]} is {server["state"]} ({server["reason"]})'
                         for server in waiting)

    def want(self, wanted, host):
        """Sets the wanted state (ready, drain, maint) of a host in all its pools."""
        for name in self.servers_on(host):
            self.run('server', wanted, name, '--why', 'tools/lab')
