#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A bond as device: native mode where the kernel's bonding does it, flows that outlive a part of it, and words about what
# is not served; tandem-dpdk takes it over as it is. Needs a kernel with bonds (tests/kernel/run netns/bond has one).
#
#   client .99 ── front ═╤═ (e0) lb .2 ── back ── .11 srv1:8080
#                VIP .10 └─ (e1)    gateway .1
#   lb's `front` is a bond of e0 and e1.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

needs_link_kind bond
net front back leg
host client
plug client front 99
host lb
plug lb front
plug lb leg
plug lb back 2
host srv1
plug srv1 back 11
gateway srv1 back 1
ip -n "$prefix-switch" link set lb.leg master front
ip -n "$prefix-lb" link set front down
ip -n "$prefix-lb" link set leg down
ip -n "$prefix-lb" link set front name e0
ip -n "$prefix-lb" link set leg name e1
for part in e0 e1; do
	on lb ethtool -K $part gro on # as cards have it
done
serve srv1 8080
web 1 | config

# lb's bond in a mode: bond MODE [OPTION]...
bond()
{
	local v length

	ip -n "$prefix-lb" link del front 2>"$lab/del" || :
	ip -n "$prefix-lb" link add front type bond mode "$1" miimon 20 "${@:2}"
	for part in e0 e1; do
		ip -n "$prefix-lb" link set $part down
		ip -n "$prefix-lb" link set $part master front
	done
	ip -n "$prefix-lb" link set front up
	for v in 4 6; do
		[ $v = 4 ] && length=24 || length=64
		ip -n "$prefix-lb" addr add "$(addr front 2 $v)/$length" dev front
	done
}

modes()
{
	ask '[.engine.ports[] | "\(.name) \(.mode)"] | join(", ")' status
}

# Both interfaces run in a mode of XDP, or by the driver that tandem-dpdk takes them over by: expect_modes BOND MODE
expect_modes()
{
	local mode=$2

	[ "$engine" = xdp ] || mode=net_af_packet
	expect_is "modes of $1" "$(modes)" "front $mode, back $mode"
}

flows()
{
	local v

	serving 2
	for v in 4 6; do
		expect "the VIP answers pings ($1, $v)" on client ping -q -c 3 -i 0.2 -W 5 "$(addr front 10 $v)" >"$lab/ping"
		for _ in 1 2 3 4; do
			on client curl -sS -m 20 "http://$(url front 10 $v)/who"
		done >"$lab/answers"
		expect_is "who answers ($1, $v)" "$(cut -d ' ' -f 1 "$lab/answers" | sort -u)" srv1
	done
	expect_is "bad checksums received" "$(bad_checksums client srv1)" 0
}

# An offload of both parts: parts_are NAME on|off
parts_are()
{
	local part

	for part in e0 e1; do
		expect_is "$1 of $part" "$(on lb ethtool -k $part | awk -v name="$1:" '$1 == name { print $2 }')" "$2"
	done
}

# What is large passes whole.
upload()
{
	expect_is "SHA-256 of the upload" "$(on client curl -sS -m 120 -T "$lab/blob" "http://$(url front 10 4)/")" \
		"$(sha256sum <"$lab/blob" | cut -d ' ' -f 1)"
}

end()
{
	expect "tandemd ends" stop tandemd
	detach
	parts_are rx-vlan-offload on
	parts_are generic-receive-offload on
}

head -c 3000000 /dev/urandom >"$lab/blob"

for mode in active-backup balance-rr; do
	bond $mode
	tandemd_start
	expect_modes $mode native
	parts_are rx-vlan-offload off
	[ "$engine" = xdp ] || parts_are generic-receive-offload off
	expect "status shows offloads that are off" holds '.engine.ports[0].nic.off | length > 0' status
	flows $mode
	upload
	ip -n "$prefix-lb" link set e0 down
	flows "$mode without e0"
	ip -n "$prefix-lb" link set e0 up
	end
done

# Its parts have MAC addresses of their own, and take frames in by one of them alone.
bond balance-tlb
tandemd_start
expect_modes balance-tlb generic
flows balance-tlb
end

# A part of a bond is no device of its own.
sed 's/front: {}/front: { device = "e0"; }/' "$lab/tandem.conf" >"$lab/part.conf"
mv "$lab/part.conf" "$lab/tandem.conf"
if [ "$engine" = xdp ]; then
	expect_not "tandemd starts on a part of a bond" tandemd 2>"$lab/part"
	expect "it names the bond" grep -q 'device "e0" is a part of "front" (bond): name that as the device instead' "$lab/part"
else
	lb=(timeout "$((10 * ${SLOW:-1}))" nsenter --net="/run/netns/$prefix-lb" --)
	expect_not "tandem-dpdk starts on a part of a bond" "${lb[@]}" "$build/apps/tandem-dpdk/tandem-dpdk" -c "$lab/tandem.conf" \
		--run-dir "$lab/run" 2>"$lab/part"
	expect "it names the bond" grep -q 'interface front: e0 is a part of front (bond): take it out first' "$lab/part"

	dpdk=" engine: { type = \"dpdk\"; dpdk: { driver = \"af_xdp\";${SLOW:+ memory = 64;} }; };"
	web 1 | config
	expect_not "tandem-dpdk has XDP sockets of a bond" "${lb[@]}" "$build/apps/tandem-dpdk/tandem-dpdk" -c "$lab/tandem.conf" \
		--run-dir "$lab/run" 2>"$lab/af_xdp"
	expect "it says why" grep -q 'interface front: front is a bond.*write driver = "af_packet";' "$lab/af_xdp"
fi
