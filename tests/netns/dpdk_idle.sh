#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# An idle DPDK engine on a device of DPDK's own, which tells by interrupts when frames have come: it sleeps, and wakes in time. Then the
# same with devices that tell nothing: their workers nap.
#
#   client .99 ── nic (net_tap) ── front .2 lb, VIP .10
# shellcheck source-path=SCRIPTDIR
ENGINE=dpdk
. "$(dirname "$0")/helper.sh"
[ -x "$build/apps/tandem-dpdk/tandem-dpdk" ] || {
	echo "not here $name: built without DPDK"
	exit 77
}

net front
host client
host lb
on lb sysctl -qw net.ipv6.conf.default.disable_ipv6=0

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
	ip -n "$prefix-lb" link set nic netns "$prefix-client"
	ip -n "$prefix-client" addr add "$(addr front 99)/24" dev nic
	ip -n "$prefix-client" link set nic up
	ip -n "$prefix-lb" addr add "$(addr front 2)/24" dev front
	ip -n "$prefix-lb" link set front up
	tandemd_start
}

# Hundredths of a second of processor time that the engine has used.
used()
{
	awk '{ print $14 + $15 }' "/proc/${pids[tandem-dpdk]}/stat"
}

# How much of a processor the engine uses while nothing comes, in percent.
idle()
{
	local ticks

	sleep 1
	ticks=$(used)
	sleep 5
	awk "BEGIN { print ($(used) - $ticks) / 5 }"
}

begin "net_tap_other,iface=nic2"
expect "the VIP answers" on client ping -q -c 5 -i 0.1 "$(addr front 10)"
echo idle: "$(idle)"
on client ping -q -c 200 -i 0.01 "$(addr front 10)" | tail -1
