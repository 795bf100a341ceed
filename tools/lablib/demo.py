# SPDX-License-Identifier: BSD-2-Clause
"""Four acts under load, each judged by what the client saw.

1. Nothing happens. 2. A web server is drained, and taken back. 3. A web server's process is killed.
4. It is brought back.
"""
import re
import time
from contextlib import contextmanager

from lablib import samples
from lablib.failure import Failure
from lablib.process import wait_until

DRAINED, KILLED = 'web1', 'web2'
RATE = 100  # requests a second
LOOK_S = 2.0  # how long an act looks on after each change
LONGEST_S = 120  # of a load; an act ends it before
VERDICT_S = 0.5  # after a change new connections are looked at from then on
GRACE_S = 1.0  # for failures beyond the time that detection takes
PATIENCE_S = 15.0


class Load:
    """The load generator, running on the client."""

    def __init__(self, lab, name):
        self.lab = lab
        self.path = f'{lab.directory}/{name}.samples'
        self.record = lab.run_load(name, self.path, ['--rate', str(RATE), '--duration', str(LONGEST_S)])
        self.began = time.monotonic()

    def look_on(self):
        """Lets LOOK_S pass; the load must be running all the while."""
        if wait_until(lambda: not self.lab.processes.alive(self.record), LOOK_S):
            raise Failure('the load generator ended by itself; see `tools/lab logs`')

    def stop(self):
        self.lab.processes.stop(self.record)
        return samples.read(self.path)


class Demo:
    def __init__(self, lab, say):
        self.lab = lab
        self.say = say
        self.violations = []

    def run(self):
        """Plays all acts; returns the sentences about what should not have happened."""
        for act in (self.baseline, self.drain, self.kill, self.bring_back):
            act()
        return self.violations

    # -- the acts

    def baseline(self):
        with self._act('1', 'nothing happens') as load:
            load.look_on()
            seen = load.stop()
            self._tell(seen, load)
            self._no_failures(seen)
            for host in (DRAINED, KILLED):
                self._demand(_answered_by(seen, host), f'{host} answered nothing')

    def drain(self):
        with self._act('2', f'{DRAINED} is drained, and taken back') as load:
            load.look_on()
            self.lab.appliance.want('drain', DRAINED)
            drained = time.monotonic()
            load.look_on()
            until = time.monotonic()
            self.lab.appliance.want('ready', DRAINED)
            ready = time.monotonic()
            load.look_on()
            seen = load.stop()
            self._tell(seen, load)
            late, again = _connected(seen, drained + VERDICT_S, until), _connected(seen, ready + VERDICT_S)
            stray, back = _answered_by(late, DRAINED), _answered_by(again, DRAINED)
            self.say(f'  of {len(late)} new connections while it was drained {DRAINED} got {stray}; '
                     f'of {len(again)} since it is ready again, {back}')
            self._no_failures(seen)
            self._demand(late and not stray, f'{DRAINED} got {stray} new connections while it was drained')
            self._demand(back, f'{DRAINED} got no connection after it was taken back')

    def kill(self):
        limit = self._time_to_notice() + GRACE_S
        with self._act('3', f'{KILLED} is killed (SIGKILL)') as load:
            load.look_on()
            record, killed = self.lab.record(KILLED), time.monotonic()
            self.lab.processes.kill(record)
            noticed = self._await_state('down') - killed
            load.look_on()
            seen = load.stop()
            self._tell(seen, load)
            lost = [sample.ended - killed for sample in seen if sample.failure]
            last = f'the last {max(lost):.2f} s after the kill' if lost else 'none'
            self.say(f'  found down after {noticed:.2f} s; failures: {last}; allowed until {limit:.1f} s')
            self._demand(all(0 <= after <= limit for after in lost),
                         f'a request failed outside of the {limit:.1f} s after the kill')

    def bring_back(self):
        with self._act('4', f'{KILLED} is brought back') as load:
            load.look_on()
            before = time.monotonic()
            self.lab.restart(KILLED)
            up = self._await_state('up')
            load.look_on()
            seen = load.stop()
            self._tell(seen, load)
            since = _connected(seen, up + VERDICT_S)
            got = _answered_by(since, KILLED)
            self.say(f'  up again after {up - before:.2f} s; since then {KILLED} got {got} of {len(since)} '
                     'new connections')
            self._no_failures(seen)
            self._demand(got, f'{KILLED} got no connection after it came back')

    # -- what acts are made of

    @contextmanager
    def _act(self, number, title):
        self.say(f'Act {number}: {title}')
        before = len(self.violations)
        load = Load(self.lab, f'act{number}')
        try:
            yield load
        finally:
            self.lab.processes.kill(load.record)
        for violation in self.violations[before:]:
            self.say(f'  WRONG: {violation}')

    def _tell(self, seen, load):
        for line in samples.text(samples.summary(seen, load.began)).splitlines():
            self.say('  ' + line)

    def _demand(self, is_so, violation):
        if not is_so:
            self.violations.append(violation)

    def _no_failures(self, seen):
        lost = sum(bool(sample.failure) for sample in seen)
        self._demand(seen and not lost, f'{lost} of {len(seen)} requests were lost')

    def _await_state(self, state):
        """Waits until KILLED is up or down in every pool; returns when that was."""
        def is_so():
            return all(server['state'] == state for server in self.lab.appliance.servers()
                       if server['name'] == KILLED)
        if not wait_until(is_so, PATIENCE_S, every_s=0.1):
            raise Failure(f'{KILLED} is not found {state} within {PATIENCE_S:g} s')
        return time.monotonic()

    def _time_to_notice(self):
        """fall x interval of the web servers' health check, in seconds."""
        with open(f'{self.lab.directory}/lb-a/tandem.conf', encoding='utf-8') as file:
            found = re.search(r'web: \{[^}]*interval = "(\d+)(ms|s)"[^}]*fall = (\d+)', file.read())
        if not found:
            raise Failure('the health check of web in tandem.conf names no interval and fall')
        return int(found[1]) * int(found[3]) / (1000 if found[2] == 'ms' else 1)


def _connected(seen, since, until=float('inf')):
    """Requests on connections of their own that were asked for in that time, and answered."""
    return [sample for sample in seen
            if not sample.reused and not sample.failure and since <= sample.connected < until]


def _answered_by(seen, host):
    return sum(sample.web == host for sample in seen)
