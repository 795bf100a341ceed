#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Devices that stand on others: there the kernel would glue packets together, as cards have it do, before tandem-dpdk sees them. It has
# that off, also at a part that comes later, status shows it, and it is on again in the end, after a SIGKILL too.
#
#   client .99 ══ trunk ─┬─ front .2 lb back .2 ─┬─ leg ══ .11 srv1:8080
#                VIP .10 └─ side         gateway .1 └─ spare
#   front and side are macvlans on one trunk, as VLANs are; back is a bridge, which has parts as a bond has, none at first.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/host_helper.sh"
only dpdk "what tandem-dpdk has changed below its devices"

# Makes the device that lb was plugged in by another's: lower NET NAME
lower()
{
	ip -n "$prefix-lb" link set "$1" down
	ip -n "$prefix-lb" link set "$1" name "$2"
	ip -n "$prefix-lb" link set "$2" up
	on lb ethtool -K "$2" gro on
}

# Gives lb's interface its addresses: has_addresses NET
has_addresses()
{
	ip -n "$prefix-lb" addr add "$(addr "$1" 2 4)/24" dev "$1"
	ip -n "$prefix-lb" addr add "$(addr "$1" 2 6)/64" dev "$1" nodad
	ip -n "$prefix-lb" link set "$1" up
}

net front back
host client
plug client front 99
host lb
plug lb front
plug lb back
lower front trunk
lower back leg
for net in front side; do
	ip -n "$prefix-lb" link add link trunk name $net type macvlan mode bridge
done
ip -n "$prefix-lb" link set side up
ip -n "$prefix-lb" link add back type bridge stp_state 0 mcast_snooping 0
ip -n "$prefix-lb" link add spare type veth peer name aside
ip -n "$prefix-lb" link set spare up
on lb ethtool -K spare gro on
has_addresses front
has_addresses back
host srv1
plug srv1 back 11
gateway srv1 back 1
serve srv1 8080
web 1 | config
sed -i 's/interfaces: {/& side: {};/' "$lab/tandem.conf"

# Of devices on lb: gro DEVICE...
gro()
{
	local device

	for device in "$@"; do
		on lb ethtool -k "$device" | awk -v device="$device" '$1 == "generic-receive-offload:" { print device, $2 }'
	done | paste -s -d ,
}

shown()
{
	ask ".engine.ports[] | select(.name == \"$1\") | .nic.off | sort | join(\" \")" status
}

as_before()
{
	expect_is "GRO of the devices below $1" "$(gro trunk leg spare)" "trunk on,leg on,spare on"
	expect_not "there is a list of changes $1" [ -e "$lab/run/dpdk/nic" ]
}

gro_is()
{
	[ "$(gro "$1")" = "$1 $2" ]
}

tandemd_start
expect_is "GRO of what is no part yet" "$(gro leg)" "leg on"
ip -n "$prefix-lb" link set leg master back-nic
wait_for 5 "GRO of the first part is off" gro_is leg off
serving 2
expect_is "GRO of the devices below" "$(gro trunk leg spare)" "trunk off,leg off,spare on"
for net in front side back; do
	expect_is "what status shows of $net" "$(shown $net)" "rx-gro rx-vlan-hw-parse rx-vlan-stag-hw-parse"
done

head -c 3000000 /dev/urandom >"$lab/blob"
sum=$(sha256sum <"$lab/blob" | cut -d ' ' -f 1)
for v in 4 6; do
	site=http://$(url front 10 $v)
	expect_is "SHA-256 of the upload" "$(on client curl -sS -m 30 -T "$lab/blob" "$site/")" "$sum"
	expect_is "SHA-256 of the download" "$(on client curl -sS -m 30 "$site/blob" | sha256sum | cut -d ' ' -f 1)" "$sum"
done
expect_is "malformed packets" "$(verdicts malformed)" 0

# A part that comes, and goes.
ip -n "$prefix-lb" link set spare master back-nic
wait_for 5 "GRO of the new part is off" gro_is spare off
ip -n "$prefix-lb" link set spare nomaster
wait_for 5 "GRO of the former part is on" gro_is spare on

expect_given_back as_before
