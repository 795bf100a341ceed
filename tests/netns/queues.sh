#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Devices with several queues, and with ENGINE=dpdk several workers: packets of all of them are served, and none is lost to a
# count.
#
#   client .99 ── front ── .2 lb .2 ── back ─┬─ .11 srv1:8080
#                VIP .10     gateway .1      └─ .12 srv2:8080
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

queues=4
[ "$engine" = xdp ] || workers 2
two_arm 2
serve srv1 8080
serve srv2 8080
web 1 2 | config
tandemd_start
serving 4

# How many queues of a device of lb have given packets to the program: used DEVICE
used()
{
	on lb ethtool -S "$1" | awk '$1 ~ /^rx_queue_[0-9]+_xdp_packets:$/ && $2 > 0' | wc -l
}

for v in 4 6; do
	for _ in $(seq 64); do
		on client curl -sS -m 5 "http://$(url front 10 $v)/who"
	done | cut -d ' ' -f 1 | sort | uniq -c >"$lab/answers$v"
	expect_is "answers ($v)" "$(awk '{ n += $1; s = s " " $2 } END { print n s }' "$lab/answers$v")" "64 srv1 srv2"
done
if [ "$engine" = xdp ]; then
	expect_is "modes" "$(ask '[.engine.ports[].mode] | unique | join(" ")' status)" native
	for net in front back; do
		expect "several queues of $net were used" [ "$(used $net)" -ge 2 ]
	done
fi
forwarded=$(verdicts forwarded)
expect_is "packets of all services and those that were forwarded" "$(ask '[.services[].packets] | add' service list)" \
	"$forwarded"
expect_is "bad checksums received" "$(bad_checksums client srv1 srv2)" 0
expect_is "drops" "$(ask '[.drops[] | select(.action == "drop" and .reason != "no_neighbour")]' drops)" '[]'
