# SPDX-License-Identifier: BSD-2-Clause
"""What a client saw, request by request, and its summary. Times are seconds of CLOCK_MONOTONIC."""
import json
from collections import Counter
from dataclasses import asdict, dataclass


@dataclass
class Sample:
    """One request, from the moment it was due to the last byte of its answer, or to its loss."""
    due: float
    ended: float
    request: str
    family: int  # 4 or 6
    connected: float = 0.0  # when its connection was asked for
    reused: bool = False  # that had carried others
    web: str = ''  # the server that answered
    app: str = ''  # the app server behind it, for dynamic pages
    failure: str = ''  # why there is no good answer; '': there is one

    @property
    def latency(self):
        return self.ended - self.due


def write(sample, file):
    file.write(json.dumps(asdict(sample)) + '\n')


def read(path):
    with open(path, encoding='utf-8') as file:
        return [Sample(**json.loads(line)) for line in file]


def percentile(values, percent):
    """The smallest value that is not below `percent` of all; None of none."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else None


def _milliseconds(seconds):
    return None if seconds is None else round(seconds * 1000, 2)


def summary(samples, began):
    """As `tools/lab load --json` prints it; times of failures in seconds after `began`."""
    good = [sample for sample in samples if not sample.failure]
    bad = [sample for sample in samples if sample.failure]
    latencies = [sample.latency for sample in good]
    return {
        'requests': len(samples),
        'failures': len(bad),
        'p50_ms': _milliseconds(percentile(latencies, 50)),
        'p99_ms': _milliseconds(percentile(latencies, 99)),
        'ipv4': sum(sample.family == 4 for sample in samples),
        'ipv6': sum(sample.family == 6 for sample in samples),
        'new_connections': sum(not sample.reused for sample in samples),
        'servers': dict(sorted(Counter(sample.web for sample in good).items())),
        'apps': dict(sorted(Counter(sample.app for sample in good if sample.app).items())),
        'failed': [{'at_s': round(sample.ended - began, 3), 'request': sample.request, 'family': sample.family,
                    'reason': sample.failure} for sample in bad],
    }


def text(told, most_failures=5):
    """The summary for people."""
    counts = [f'{name} {count}' for group in ('servers', 'apps') for name, count in told[group].items()]
    lines = [
        f'requests {told["requests"]}   failures {told["failures"]}   '
        f'p50 {told["p50_ms"]} ms   p99 {told["p99_ms"]} ms',
        f'IPv4 {told["ipv4"]}   IPv6 {told["ipv6"]}   new connections {told["new_connections"]}   '
        + '   '.join(counts),
    ]
    for failed in told['failed'][:most_failures]:
        lines.append(f'failed at {failed["at_s"]:.3f} s: {failed["request"]} (IPv{failed["family"]}): '
                     f'{failed["reason"]}')
    if len(told['failed']) > most_failures:
        lines.append(f'and {len(told["failed"]) - most_failures} more')
    return '\n'.join(lines)
