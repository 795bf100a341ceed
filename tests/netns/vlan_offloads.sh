#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The offloads of a trunk while engines change: programs run there, and what is handed over are the VLANs. They are off as long as programs have
# packets: until these have left them, and before they come. Needs a kernel with VLAN devices (tests/kernel/run netns/vlan_offloads has one).
#
#   lb .2 ══ trunk: v100 (VIP .10), v200
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"
only xdp "both engines, one after the other"
has_dpdk
needs_link_kind vlan

# site TYPE
site()
{
	cat >"$lab/tandem.conf" <<-END
		node = "lb";
		interfaces: { front: { device = "v100"; }; back: { device = "v200"; }; };
		vips: { web: { address = "$(addr v100 10)"; interface = "front"; }; };
		pools: { web: { servers: { srv1: { address = "$(addr v200 11)"; }; }; }; };
		services: { web: { vip = "web"; port = 80; forward = "nat"; pool = "web"; }; };
		engine: { type = "$1";${SLOW:+ dpdk: { memory = 64; \};} };
	END
}

# expect_offload on|off WHEN
expect_offload()
{
	expect_is "the offload of the trunk $2" "$(on lb ethtool -k trunk | awk '$1 == "rx-vlan-offload:" { print $2 }')" "$1"
}

# tests/netns/dies.c
dying_tandemd()
{
	: >"$lab/dies"
	start tandemd lb env "DIES_AT=$lab/dies" "$build/tests/netns/tandemd-dies" -c "$lab/tandem.conf" --run-dir "$lab/run" \
		--state-dir "$lab/state"
	disown "${pids[tandemd]}" # the shell need not tell of its end
	wait_for 10 "tandemd is up" tandemd_is_up
}

dead()
{
	! alive tandemd
}

# Dies before packets change over; the next one has them do so: change TYPE
change()
{
	site "$1"
	printf 'pause 1\n' >"$lab/dies"
	kill -HUP "${pids[tandemd]}"
	wait_for 20 "tandemd is killed on the way to $1" dead
	expect_offload off "before packets change over to $1"
	slay tandemd
	dying_tandemd
	wait_for 20 "the engine is $1" holds ".engine.type == \"$1\"" status
}

net trunk
networks[v100]=10
networks[v200]=20
host lb
plug lb trunk
for vlan in 100 200; do
	ip -n "$prefix-lb" link add link trunk name v$vlan type vlan id $vlan
	ip -n "$prefix-lb" addr add "$(addr v$vlan 2)/24" dev v$vlan
	ip -n "$prefix-lb" link set v$vlan up
done
expect_offload on "at first"
site xdp
dying_tandemd
expect_offload off "with programs"
site dpdk
tandem_dpdk_start
change dpdk
change xdp
expect_offload off "with programs again"
stop tandemd
stop tandem-dpdk
tandemd --detach >"$lab/detach"
expect_offload on "in the end"
