#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# An idle DPDK engine on a device of DPDK's own, which tells by interrupts when frames have come: it sleeps, and wakes in time. Then the
# same with devices that tell nothing: their workers nap.
#
#   client .99 ── nic (net_tap) ── front .2 lb, VIP .10
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/host_helper.sh"
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

begin "net_tap_other,iface=nic2"
expect "the VIP answers" pings client "$(addr front 10)" 19
expect_idle "a worker that frames wake sleeps" 2
expect "the VIP answers after that" pings client "$(addr front 10)" 19
end

begin "net_null_other,no-rx=1"
expect "the VIP answers while the worker naps" pings client "$(addr front 10)" 19
expect_idle "a worker that nothing wakes naps" 15
expect "a napping worker is not busy" holds '.engine.workers | all(.busy_percent < 5)' status
