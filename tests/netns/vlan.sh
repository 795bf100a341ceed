#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# VIPs and servers on VLANs of one trunk, in both families: nat, dsr and tunnel services; servers on a VLAN and on one
# in another (QinQ). In the end the node changes to the other engine and back under connections. Needs a kernel with VLAN devices
# (tests/kernel/run netns/vlan has one).
#
#   trunk ═══╤═════════════╤════════════════╤═════════════════╤═══
#          client          lb              srv1              srv2
#   v100     .99           .2 (VIPs)       .21               .22
#   v200                   .2, gateway .1  .11 :8080
#   s7.q300                .2, gateway .1                    .12 :8080
#   The client's requests come from a network behind it (far, .99), so that servers answer through their gateway, but for
#   what they answer themselves as a VIP, which goes out on v100.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

needs_link_kind vlan
net trunk
networks[v100]=10
networks[v200]=20
networks[q300]=30
networks[far]=40

# A VLAN on a host's trunk, or on another: vlan HOST NAME ID ADDRESS [PROTOCOL [ON]]
vlan()
{
	ip -n "$prefix-$1" link add link "${6:-trunk}" name "$2" type vlan protocol "${5:-802.1q}" id "$3"
	[ "$4" = - ] || {
		ip -n "$prefix-$1" addr add "$(addr "$2" "$4" 4)/24" dev "$2"
		ip -n "$prefix-$1" addr add "$(addr "$2" "$4" 6)/64" dev "$2" nodad
	}
	# A device takes frames of its MTU with one tag; of two tags there is room for the rest.
	[ "$2" != q300 ] || ip -n "$prefix-$1" link set "$2" mtu 1496
	ip -n "$prefix-$1" link set "$2" up
}

# A host on the trunk, with whole frames of two tags. Tags stand in frames and not beside them, as on a wire.
trunk_host()
{
	host "$1"
	plug "$1" trunk
	on switch ethtool -K "$1.trunk" txvlan off rxvlan off tx-vlan-stag-hw-insert off rx-vlan-stag-hw-parse off >/dev/null
	on "$1" ethtool -K trunk txvlan off tx-vlan-stag-hw-insert off >/dev/null
	vlan "$1" v100 100 "$2"
}

# Of lb's trunk: offload NAME
offload()
{
	on lb ethtool -k trunk | awk -v name="$1:" '$1 == name { print $2 }'
}

trunk_host client 99
trunk_host lb 2
on lb ethtool -K trunk gro on # as cards have it
for v in 4 6; do
	[ $v = 4 ] && behind=24 host=32 || behind=64 host=128
	ip -n "$prefix-client" addr add "$(addr far 99 $v)/$host" dev lo
	ip -n "$prefix-lb" route add "$(addr far 0 $v)/$behind" via "$(addr v100 99 $v)"
done
vlan lb v200 200 2
vlan lb s7 7 - 802.1ad
vlan lb q300 300 2 802.1q s7
trunk_host srv1 21
vlan srv1 v200 200 11
gateway srv1 v200 1
trunk_host srv2 22
vlan srv2 s7 7 - 802.1ad
vlan srv2 q300 300 12 802.1q s7
gateway srv2 q300 1
for n in 1 2; do
	silent "srv$n" v100 20
	silent "srv$n" v100 30
	for v in 4 6; do
		ip -n "$prefix-srv$n" "-$v" route add default via "$(addr v100 99 $v)" table 100
		ip -n "$prefix-srv$n" "-$v" rule add from "$(addr v100 20 $v)" table 100
		ip -n "$prefix-srv$n" "-$v" rule add from "$(addr v100 30 $v)" table 100
	done
	serve "srv$n" 8080
done

# vips, pools, services of a family: part 4|6
vips()
{
	local n

	for n in 10 20 30; do
		echo "v$n$1: { address = \"$(addr v100 $n "$1")\"; interface = \"front\"; };"
	done
}

gateways()
{
	echo "v200$1: { address = \"$(addr v200 1 "$1")\"; interface = \"back\"; };"
	echo "q300$1: { address = \"$(addr q300 1 "$1")\"; interface = \"qinq\"; };"
}

pools()
{
	cat <<-END
		web$1: { health = "web"; servers: {
			srv1: { address = "$(addr v200 11 "$1")"; port = 8080; };
			srv2: { address = "$(addr q300 12 "$1")"; port = 8080; };
		}; };
		raw$1: { health = "web"; servers: {
			srv1: { address = "$(addr v200 11 "$1")"; };
			srv2: { address = "$(addr q300 12 "$1")"; };
		}; };
	END
}

services()
{
	cat <<-END
		nat$1: { vip = "v10$1"; port = 80; forward = "nat"; pool = "web$1"; };
		dsr$1: { vip = "v20$1"; port = 8080; forward = "dsr"; pool = "raw$1"; };
		tun$1: { vip = "v30$1"; port = 8080; forward = "tunnel"; pool = "raw$1"; };
	END
}

# What all is served by, whichever engine does: site > FILE
site()
{
	cat <<END
node = "lb";
interfaces: { front: { device = "v100"; }; back: { device = "v200"; }; qinq: { device = "q300"; }; };
vips: { $(vips 4) $(vips 6) };
gateways: { $(gateways 4) $(gateways 6) };
health: { web: { type = "http"; path = "/healthz"; interval = "1s"; timeout = "1s"; rise = 1; fall = 50; }; };
pools: { $(pools 4) $(pools 6) };
services: { $(services 4) $(services 6) };
END
}

site >"$lab/tandem.conf"
tandemd_start
serving 8 30
where=$(ask '[.engine.ports[] | "\(.device) \(.real) \(.mode)"] | join(", ")' status)
if [ "$engine" = xdp ]; then
	expect_is "programs on lb" "$(programs)" 1
	expect_is "where they run" "$where" "v100 trunk native, v200 trunk native, q300 trunk native"
else
	expect_is "where they run" "$where" "v100 v100 net_af_packet, v200 v200 net_af_packet, q300 q300 net_af_packet"
fi

expect_is "the trunk takes tags out" "$(offload rx-vlan-offload)" off
[ "$engine" = xdp ] || expect_is "GRO of the trunk" "$(offload generic-receive-offload)" off
expect_is "offloads of ports that status does not show" \
	"$(ask '.engine.ports[] | select(.nic.off | index("rx-vlan-hw-parse") | not) | .name' status)" ""

head -c 3000000 /dev/urandom >"$lab/blob"
sum=$(sha256sum <"$lab/blob" | cut -d ' ' -f 1)
for n in 1 2; do
	[ $n = 1 ] && device=v200 || device=q300
	for v in 4 6; do
		on "srv$n" "$build/apps/tandem-decap/tandem-decap" "$device" --run-dir "$lab/decap$n" \
			--from "$(addr "$device" 2 4)" --from "$(addr "$device" 2 6)" \
			--vip "$(addr v100 30 4)" --vip "$(addr v100 30 6)" --mss 9000 || fail "tandem-decap on $device"
	done
done

# fetch FAMILY SECONDS [OPTION]... URL
fetch()
{
	on client curl -sS --interface "$(addr far 99 "$1")" -m "$2" "${@:3}"
}

# Small requests reach both servers, large ones pass whole: try FAMILY VIP PORT SEEN-AS
try()
{
	local site

	site=http://$(url v100 "$2" "$1"):$3
	for _ in $(seq 12); do
		fetch "$1" 20 "$site/who"
	done >"$lab/answers"
	expect_is "what servers of VIP $2 ($1) see" "$(cut -d ' ' -f 1,2 "$lab/answers" | sort -u)" \
		"srv1 $(addr far 99 "$1")"$'\n'"srv2 $(addr far 99 "$1")"
	expect_is "SHA-256 of the download" "$(fetch "$1" 120 "$site/blob" | sha256sum | cut -d ' ' -f 1)" "$sum"
	expect_is "SHA-256 of the upload" "$(fetch "$1" 120 -T "$lab/blob" "$site/")" "$sum"
}

capture trunk switch lb.trunk
for v in 4 6; do
	expect "the VIP answers pings" on client ping -q -c 3 -W 5 "$(addr v100 10 $v)" >"$lab/ping"
	try $v 10 80
	try $v 20 8080
	try $v 30 8080
done
stop trunk INT

# What lb sends to a server has the server's tags, and nothing goes without.
expect "frames in VLAN 200" [ "$(captured trunk -e 'ether proto 0x8100' | grep -c 'vlan 200')" -ge 20 ]
expect "frames in VLAN 300 of service VLAN 7" \
	[ "$(captured trunk -e 'ether proto 0x88a8' | grep -c 'vlan 7, .*vlan 300')" -ge 20 ]
expect_is "IP packets without a tag" "$(captured trunk 'ip or ip6 and not icmp6' | wc -l)" 0
expect_is "bad checksums received" "$(bad_checksums client srv1 srv2)" 0
expect_is "drops" "$(ask '[.drops[] | select(.action == "drop" and .reason != "no_neighbour")]' drops)" '[]'
as_before()
{
	expect_is "offloads of the trunk in the end" "$(offload rx-vlan-offload) $(offload generic-receive-offload)" "on on"
}

if [ "$engine" = dpdk ]; then
	slay tandem-dpdk
	expect "interfaces are given back" on lb "$build/apps/tandem-dpdk/tandem-dpdk" --give-back --run-dir "$lab/run"
	as_before
	exit 0
fi

# The same with another engine: other_site TYPE
other_site()
{
	site >"$lab/tandem.conf"
	printf 'engine: { type = "%s";%s };\n' "$1" "${SLOW:+ dpdk: { memory = 64; \};}" >>"$lab/tandem.conf"
}

# Programs run on the trunk, and each VLAN is handed over by itself.
has_dpdk
other_site dpdk
tandem_dpdk_start
for v in 4 6; do
	urls+=("http://$(url v100 10 $v):80/who" "http://$(url v100 20 $v):8080/who" "http://$(url v100 30 $v):8080/who")
done
start held client "$here/hold.py" --connections 30 --period 3 --timeout 20 --source "$(addr far 99 4)" --source "$(addr far 99 6)" "${urls[@]}"
more held 30

# change TYPE
change()
{
	other_site "$1"
	ctl config apply >"$lab/applied" 2>&1 || fail "$(cat "$lab/applied")"
	grep ^engine "$lab/applied"
	more held 30
	expect_is "connections lost on the way to $1" "$(lost held)" ""
	for v in 4 6; do
		fetch $v 20 "http://$(url v100 10 $v)/who" >"$lab/answers"
	done
}

# Whatever an offload of the trunk has been meanwhile: told NAME
told()
{
	awk -v name="$1:" '/^Features for / { device = $3 } device == "trunk:" && $1 == name { print $2 }' "$lab/features.log"
}

told_last()
{
	[ "$(told "$1" | tail -n 1)" = "$2" ]
}

start features lb stdbuf -oL ethtool --monitor
wait_for 5 "ethtool listens" grep -q listening "$lab/features.log"
change dpdk
expect_is "programs beside the DPDK engine" "$(programs)" 0
expect_is "offloads of the trunk with DPDK" "$(offload rx-vlan-offload) $(offload generic-receive-offload)" "off off"
expect_is "lists that have the trunk with DPDK" "$(cd "$lab/run" && grep -ls trunk nic dpdk/nic)" dpdk/nic
change xdp
expect_is "offloads of the trunk with XDP again" "$(offload rx-vlan-offload) $(offload generic-receive-offload)" "off on"
wait_for 5 "the last change is told" told_last generic-receive-offload on
expect_is "whether the trunk has taken tags out meanwhile" "$(told rx-vlan-offload | sort -u)" off
expect_is "lists that have the trunk with XDP again" "$(cd "$lab/run" && grep -ls trunk nic dpdk/nic)" nic
expect_is "where programs run again" "$(ask '[.engine.ports[] | "\(.device) \(.real) \(.mode)"] | join(", ")' status)" "$where"
stop held
stop tandemd
stop tandem-dpdk
tandemd --detach >"$lab/detach"
as_before
