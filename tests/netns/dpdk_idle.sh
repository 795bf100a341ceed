#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# An idle DPDK engine on a device of DPDK's own, which tells by interrupts when frames have come: it sleeps, and wakes in time. Then the
# same with devices that tell nothing: their workers nap.
#
#   client .99 ── nic (net_tap) ── front .2 lb, VIP .10
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"
only dpdk "the process that tandem-dpdk is"

net front
host client
host lb

# The configuration, with a second interface on a device given: conf DEVARGS
conf()
{
	cat >"$lab/tandem.conf" <<-END
		node = "lb";
		interfaces: { front: { port = "net_tap_front,iface=nic"; }; other: { port = "$1"; }; };
		vips: { web: { address = "$(addr front 10)"; interface = "front"; }; };
		$dpdk
	END
}

begin()
{
	conf "$1"
	engine_start
	wait_for 5 "the device is there" ip -n "$prefix-lb" link show nic
	ip -n "$prefix-lb" link set nic netns "$prefix-client"
	ip -n "$prefix-client" addr replace "$(addr front 99)/24" dev nic
	ip -n "$prefix-client" link set nic up
	ip -n "$prefix-lb" addr replace "$(addr front 2)/24" dev front
	ip -n "$prefix-lb" link set front up
	tandemd_start
}

end()
{
	stop tandemd
	stop tandem-dpdk
}

# Hundredths of a second of processor time that the engine has used.
used()
{
	awk '{ print $14 + $15 }' "/proc/${pids[tandem-dpdk]}/stat"
}

# How many hundredths of a processor the engine uses while nothing comes.
idle()
{
	local ticks

	sleep 1
	ticks=$(used)
	sleep 5
	echo $((($(used) - ticks) / 5))
}

answers()
{
	on client ping -q -n -i 0.02 -W 1 -c 20 "$(addr front 10)" >"$lab/ping" || :
	[ "$(sed -nE 's/.* ([0-9]+) received.*/\1/p' "$lab/ping")" -ge 19 ]
}

begin "net_tap_other,iface=nic2"
expect "the VIP answers" answers
percent=$(idle)
printf 'idle: %s %% of a processor\n' "$percent"
expect "a worker that frames wake sleeps" [ "$percent" -le $((2 * ${SLOW:-1})) ]
expect "the VIP answers after that" answers
end

begin "net_null_other,no-rx=1"
expect "the VIP answers while the worker naps" answers
percent=$(idle)
printf 'idle, napping: %s %% of a processor\n' "$percent"
expect "a worker that nothing wakes naps" [ "$percent" -le $((15 * ${SLOW:-1})) ]
expect "a napping worker is not busy" holds '.engine.workers | all(.busy_percent < 5)' status
