#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The DPDK engine by XDP sockets: services and the host itself are reached, also when the process was killed and has returned; at the
# end nothing of it is left on the devices. What such sockets cannot be at is refused in words.
#
#   client .99 ── front ── .2 lb .2 ── back ── .11 srv1:8080
#                VIP .10     gateway .1
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/refusal_helper.sh"
only dpdk "the process that tandem-dpdk is"

two_arm 1
net wide
queues=2 plug lb wide 2
serve srv1 8080
serve lb 22
dpdk=" engine: { type = \"dpdk\"; dpdk: { driver = \"af_xdp\";${SLOW:+ memory = 128;} }; };"
web 1 | config
process=("$build/apps/tandem-dpdk/tandem-dpdk" -c "$lab/tandem.conf" --run-dir "$lab/run")

holdings()
{
	local net

	for net in front back wide; do
		ip -n "$prefix-lb" -br addr show "$net" | awk '{ print $1, $3, $4, $5 }'
		ip -n "$prefix-lb" -br link show "$net" | awk '{ print $3 }'
		ip -n "$prefix-lb" route show dev "$net"
		ip -n "$prefix-lb" -6 route show dev "$net" | sort
	done
}
holdings >"$lab/before"

nothing_stays()
{
	holdings >"$lab/after"
	expect "what lb has is as before" diff "$lab/before" "$lab/after"
	expect_is "XDP programs on lb" "$(programs)" 0
	expect_not "a filter is left" grep -q tandem_drop <(on lb tc filter show dev front ingress)
}

# Who answers at a URL, and how often of three times: asked URL
asked()
{
	for _ in 1 2 3; do
		on client curl -sS -m $((3 * ${SLOW:-1})) "$1/who" || echo nobody
	done | cut -d ' ' -f 1 | sort | uniq -c | awk '{ print $1, $2 }'
}

answers()
{
	local v

	for v in 4 6; do
		wait_for 10 "the VIP answers pings ($v)" on client ping -q -c 1 -W 1 "$(addr front 10 $v)"
		expect_is "who answers by the VIP ($v)" "$(asked "http://$(url front 10 $v)")" "3 srv1"
		expect_is "who answers by lb's own address ($v)" "$(asked "http://$(url front 2 $v):22")" "3 lb"
	done
}

# What cannot be.
may=$(awk '$1 == "Cpus_allowed_list:" { print $2 }' /proc/self/status)
refuses 'interface front: XDP sockets can be at 1 of the queues of front, and there are 2 workers.*fewer CPUs' \
	"${lb[@]}" "${process[@]}" -c "$(with "s/driver/cpus = \"${may%%[,-]*},${may##*[,-]}\"; &/")"
refuses 'interface back: wide has 2 queues.*ethtool -L wide rx 1 tx 1' \
	"${lb[@]}" "${process[@]}" -c "$(with 's/back: {}/back: { device = "wide"; }/')"
ip -n "$prefix-lb" link set wide mtu 3500
on lb ethtool -L wide rx 1 tx 1
refuses 'interface back: by XDP sockets its MTU may be 3434 at most, and is 3500: lower that' \
	"${lb[@]}" "${process[@]}" -c "$(with 's/back: {}/back: { device = "wide"; }/')"

# What is.
tandemd_start
serving 2
expect_is "drivers" "$(ask '[.engine.ports[].driver] | unique | join(" ")' status)" net_af_xdp
expect_is "XDP programs on lb" "$(programs)" 2
answers
slay tandem-dpdk
wait_for 10 "tandemd sees that the engine is gone" holds '.engine.state == "gone"' status
: >"$lab/tandem-dpdk.log"
# Where there is a bpffs libxdp would have a dispatcher call its program, and leave that there.
# shellcheck disable=SC2016 # the inner shell's
start tandem-dpdk lb unshare --mount sh -c 'mount -t bpf bpf /sys/fs/bpf && exec "$@"' sh "${process[@]}"
wait_for 10 "tandem-dpdk is up" engine_is_up
expect "libxdp's program is the device's" grep -q 'name xsk_def_prog ' <(ip -n "$prefix-lb" -d link show front-nic)
expect_not "libxdp tries a dispatcher" grep dispatcher "$lab/tandem-dpdk.log"
serving 2
answers
expect_is "bad checksums received" "$(bad_checksums client srv1 lb)" 0

# The XDP engine cannot have the devices before.
expect_not "engines are changed" ctl config apply "$(with 's/type = "dpdk"/type = "xdp"/')" 2>"$lab/apply"
expect "it says what to do" grep -q 'has XDP sockets.*stop tandemd and tandem-dpdk' "$lab/apply"

# Back to the host, from a process that was killed, and from one that ends.
stop tandemd
slay tandem-dpdk
expect "what was taken is given back" on lb "${process[@]}" --give-back >"$lab/given"
nothing_stays
tandemd_start
serving 2
answers
stop tandemd
expect "tandem-dpdk ends" stop tandem-dpdk
nothing_stays
