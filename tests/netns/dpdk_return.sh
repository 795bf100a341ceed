#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The DPDK engine dies and returns: it gets its generation again, and status shows the gap; and how its workers spend their time, idle
# and in a flood.
#
#   client .99 ── front ── .2 lb .2 ── back ── .11 srv1:8080
#                VIP .10     gateway .1
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"
only dpdk "the process that tandem-dpdk is"

two_arm 1
serve srv1 8080
web 1 | config
tandemd_start
serving 2

engine()
{
	holds ".engine | $1" status
}

url=$(web_urls | cut -d ' ' -f 1)
expect "it serves, and was never gone" engine '.type == "dpdk" and .state == "serving" and .gaps == 0 and .last_gap_ms == null'
expect "ports tell their driver" engine '[.ports[].driver] == ["net_af_packet", "net_af_packet"]'
expect "it polls as configured" engine '.polling == "adaptive"'

# Of the last second.
wait_for 10 "an idle worker is not busy" engine '.workers | length > 0 and all(.busy_percent != null and .busy_percent < 1)'
expect "it tells cycles" engine '.cycles_per_second > 0 and (.workers | all(.idle_cycles > 0 and .sleeps > 0))'
cycles=$(ask '.engine.workers | map(.busy_cycles) | add' status)
start flood client /usr/bin/python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        s.sendto(bytes(18), (sys.argv[1], 9))
    except OSError:
        pass' "$(addr front 10 4)"
wait_for 20 "a worker is busy in a flood" engine '.workers | any(.busy_percent > 1)'
expect "busy cycles go on" engine "(.workers | map(.busy_cycles) | add) > $cycles"
slay flood
ctl status >"$lab/status"
expect "people are shown workers" grep -q '^WORKER  CPU  BUSY %' "$lab/status"

# tandemd goes on without it, and says so.
slay tandem-dpdk
wait_for 5 "status says that it is gone" engine '.state == "gone" and .gaps == 1 and .last_gap_ms == null and .workers == []'
expect "status warns" holds '.warnings | any(test("process is gone"))' status
ctl status >"$lab/status"
expect "people are told" grep -q '^engine .*; gone for .*; gone 1 time$' "$lab/status"
engine_start
wait_for 10 "status shows the gap" engine '.state == "serving" and .gaps == 1 and .last_gap_ms > 0'
expect "requests are answered again" on client curl -sS -m 3 -o /dev/null "$url"
expect "it serves since then" engine '(.since | sub("\\.[0-9]+"; "") | fromdate) > (now - 60)'
wait_for 10 "workers are there again" engine '.workers | length > 0'
expect "status warns no more" holds '.warnings | any(test("process is gone")) | not' status
printf 'gap: %s ms\n' "$(ask .engine.last_gap_ms status)"

# Once more.
slay tandem-dpdk
wait_for 5 "status counts it" engine '.state == "gone" and .gaps == 2 and .last_gap_ms > 0'
engine_start
wait_for 10 "it is back" engine '.state == "serving" and .gaps == 2'
ctl status >"$lab/status"
expect "people are shown the gap" grep -q '^engine .*; serving for .*; gone 2 times, the last for [0-9]* ms$' "$lab/status"
