#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tandem-dpdk and the host whose interfaces it has: the host is reached as before, neither it nor the services starve the other, an
# idle engine leaves the processor alone, a killed one is followed by another, and a stopped one leaves nothing.
#
#   client .99 ── front ── .2 lb .2 ── back ── .11 srv1:8080
#                VIP .10     gateway .1
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/host_helper.sh"
only dpdk "the process that tandem-dpdk is"

two_arm 1
serve srv1 8080
web 1 | config
before=$(addresses front)$(addresses back)

# Of a device on lb: offload DEVICE
offload()
{
	on lb ethtool -k "$1" | awk '$1 == "rx-vlan-offload:" { print $2 }'
}
on lb ethtool -K back rxvlan off >/dev/null # as somebody wants it
expect_is "the offload of front" "$(offload front)" on
tandemd_start
serving 2
expect_is "the offload of front's device while the engine runs" "$(offload front-nic)" off
expect_is "addresses while the engine runs" "$(addresses front)$(addresses back)" "$before"

for f in 4 6; do
	expect "the host is reached" pings client "$(addr front 2 $f)" 20
	expect "the host reaches others" pings lb "$(addr back 11 $f)" 20
	expect "the VIP answers" pings client "$(addr front 10 $f)" 20
done

flood at-host "$(addr front 2 4)" 19
began=$EPOCHREALTIME
for url in $(web_urls); do
	for _ in $(seq 20); do
		on client curl -sS -m 10 "$url" # what the flood takes the place of goes out again
	done
done >"$lab/answers"
expect_is "requests that were answered beside a flood of the host" "$(wc -l <"$lab/answers")" 40
expect "the host is reached in a flood" pings client "$(addr front 2 4)" 1
flood_end at-host
flood at-vip "$(addr front 10 4)" 19
expect "the host is reached beside a flood of a VIP" pings client "$(addr front 2 4)" 10
expect "the host is reached behind" pings srv1 "$(addr back 2 4)" 10
flood_end at-vip
printf 'floods took %s s; host_busy %s, link_busy %s\n' "$(awk "BEGIN { print $EPOCHREALTIME - $began }")" \
	"$(verdicts host_busy)" "$(verdicts link_busy)"

stop tandemd
expect_idle "an idle engine sleeps" 2

# What is killed is taken up where it was.
tandemd_start
serving 2
slay tandem-dpdk
engine_start
expect "the former process' interfaces are gone on with" grep -q 'taken over before' "$lab/tandem-dpdk.log"
wait_for 10 "requests are answered again" on client curl -sS -m 1 -o /dev/null "$(web_urls | cut -d ' ' -f 1)"
expect "the host is reached again" pings client "$(addr front 2 4)" 20

# Interfaces are as they were when they are given back in the place of a process that was killed, and after one that ends.
expect_as_before()
{
	expect_is "addresses $1" "$(addresses front)$(addresses back)" "$before"
	expect_is "the offload of front $1" "$(offload front)" on
	expect_is "the offload of back $1" "$(offload back)" off
}
slay tandem-dpdk
expect_is "the offload of front's device without the engine" "$(offload front-nic)" off
engine_start
expect_given_back expect_as_before
expect_not "the socket is gone" [ -e "$lab/run/dpdk/socket" ]
