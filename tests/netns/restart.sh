#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Restarts with what only a restart can change: other limits, another mode or number of workers, an interface less. Packets flow all
# the time; where they go by tandem-dpdk, which is restarted too, they stop for less than a client waits.
#
#   client .99 ── front ── .2 lb .2 ── back ─┬─ .11 srv1:8080
#                VIP .10     gateway .1      └─ .12 srv2:8080
#                            lb ── spare (third interface)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 2
net spare
plug lb spare 2
serve srv1 8080
serve srv2 8080

# More lines on top of the usual ones: configure LINE...
configure()
{
	{
		web 1 2
		printf '%s\n' "$@"
	} | config
	sed -i 's/front: {};/& spare: {};/' "$lab/tandem.conf"
}

restart()
{
	counters >"$lab/before"
	stop tandemd
	more short 20
	[ "$engine" = xdp ] || stop tandem-dpdk
	tandemd_start
	serving 4
	more short 20
	counters >"$lab/after"
	expect "counters go on, $*" not_reset
}

# How many devices the engine has.
devices()
{
	if [ "$engine" = xdp ]; then
		programs
	else
		on lb ip -o link show | grep -cE '^[0-9]+: [a-z]+-nic'
	fi
}

counters()
{
	ask '.services[], .servers[]? | .packets, .bytes' service list
	ask '.pools[].servers[] | .packets, .bytes' pool list
}

not_reset()
{
	paste -d ' ' "$lab/before" "$lab/after" | awk '$1 == 0 || $1 >= $2 { bad = 1 } END { exit bad || NR < 10 }'
}

configure ''
tandemd_start
serving 4
on client curl -sS -m 5 -o "$lab/answer" -o "$lab/answer6" "http://$(url front 10 4)/who" "http://$(url front 10 6)/who"
read -ra urls < <(web_urls)
# A segment that finds no engine, and then no neighbour yet, is sent a third time after three seconds.
patience=3
[ "$engine" = xdp ] || patience=10
load short client --rate 60 --timeout $patience "${urls[@]}"
load long client --keep --rate 40 --timeout $patience "${urls[@]}"
more short 40
expect_is "devices that are ours" "$(devices)" 3

configure 'limits: { vips = 300; services = 2000; servers = 500; routes = 100; neighbours = 100; };'
restart "with other limits"
configure 'limits: { vips = 8; services = 4; servers = 8; ring_slots = 4096; };'
restart "with smaller limits"
stop short
stop long
expect_is "requests lost" "$(lost short)$(lost long)" ""

# What another mode loses is what is on the wire at that moment.
load short client --again --rate 60 --timeout $patience "${urls[@]}"
if [ "$engine" = xdp ]; then
	configure 'engine: { mode = "generic"; };'
	restart "in another mode"
	expect_is "modes" "$(ask '[.engine.ports[].mode] | unique | join(" ")' status)" generic
	configure ''
	restart "in the mode of before"
	expect_is "modes" "$(ask '[.engine.ports[].mode] | unique | join(" ")' status)" native
else
	workers 2
	configure ''
	restart "with two workers"
	expect "there are two" grep -q 'is up .* with 2 workers' "$lab/tandem-dpdk.log"
	workers 1
	configure ''
	restart "with one worker"
fi

web 1 2 | config
restart "with an interface less"
expect_is "devices that are ours at last" "$(devices)" 2
expect_not "spare is" grep -qE 'spare(-nic|.* xdp)' < <(on lb ip -o link show)
more short 40
stop short
expect_is "requests lost" "$(lost short)" ""
