#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Whom the appliance answers: ARP, ND and ping of VIPs and gateways, where they belong; and what it leaves to the host.
#
#   client .99 ── front ── .2 lb .2 ── back ── .11 srv1:8080
#                VIP .10     gateway .1          (lb's host forwards between front and back)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 1
on lb sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
gateway client front 2
serve srv1 8080
serve client 8080
web 1 | config
tandemd_start
serving 2

# What a host takes for the MAC of an address of its network NET: mac HOST NET NUMBER
mac()
{
	ip -n "$prefix-$1" -j neigh show "$(addr "$2" "$3")" dev "$2" | jq -r '.[0].lladdr'
}

ping_it()
{
	on "$1" ping -q -n -W 1 "${@:3}" "$2" >"$lab/ping" 2>&1
}

counts()
{
	[ "$(verdicts "$1")" -gt "$2" ]
}

front=$(ip -n "$prefix-lb" -j link show front | jq -r '.[0].address')
back=$(ip -n "$prefix-lb" -j link show back | jq -r '.[0].address')
for family in 4 6; do
	# VIP and gateway are resolved and answer pings of any size, with a hop limit of 64.
	expect "the VIP answers" ping_it client "$(addr front 10)" -c 20 -i 0.01 -s 1400
	expect "no ping of the VIP is lost" grep -q ' 0% packet loss' "$lab/ping"
	expect "the VIP answers short pings" ping_it client "$(addr front 10)" -c 2 -i 0.01 -s 0
	expect_is "the VIP's MAC" "$(mac client front 10)" "$front"
	expect "the gateway answers" ping_it srv1 "$(addr back 1)" -c 20 -i 0.01
	expect_is "the gateway's MAC" "$(mac srv1 back 1)" "$back"
	expect_is "the pong's hop limit" "$(on client ping -n -c 1 "$(addr front 10)" | grep -oE '(ttl|hlim)=[0-9]+')" ttl=64

	# Neither is answered for on the other interface.
	before=$(verdicts elsewhere)
	ip -n "$prefix-client" route add "$(addr back 1)" dev front
	expect_not "the gateway answers in front" ping_it client "$(addr back 1)" -c 1 -W 0.3
	wait_for 5 "elsewhere counts" counts elsewhere "$before"
	ip -n "$prefix-client" route del "$(addr back 1)" dev front

	# The host's own addresses are the host's business.
	expect "lb's own address answers" ping_it client "$(addr front 2)" -c 2 -i 0.01
	expect "lb's own address behind answers" ping_it srv1 "$(addr back 2)" -c 2 -i 0.01

	# What a server sends elsewhere by way of the gateway the host forwards as it is.
	expect_is "what a client's server sees of srv1" "$(on srv1 curl -sS -m 3 "http://$(url front 99):8080/who")" \
		"client $(addr back 11) $(addr front 99)"
	expect "srv1 pings the client" ping_it srv1 "$(addr front 99)" -c 2 -i 0.01
	expect "the client pings srv1" ping_it client "$(addr back 11)" -c 2 -i 0.01
	expect "the host says that time is exceeded" grep -qiE 'exceeded|limit' < <(
		on srv1 ping -n -c 1 -W 1 -t 1 "$(addr front 99)" || :)
done

# The gateway is a router, the VIP is not; nobody else may take the VIP's address.
expect "srv1 knows the gateway for a router" grep -q router < <(ip -n "$prefix-srv1" neigh show "$(addr back 1 6)")
expect_not "the VIP is a router" grep -q router < <(ip -n "$prefix-client" neigh show "$(addr front 10 6)")
on client sysctl -qw net.ipv6.conf.front.accept_dad=1 net.ipv6.conf.all.accept_dad=1
ip -n "$prefix-client" addr add "$(addr front 10 6)/64" dev front
dad_failed()
{
	ip -n "$prefix-client" -6 addr show dev front | grep -q dadfailed
}
wait_for 5 "the client finds the VIP's address in use" dad_failed
for verdict in arp_answered nd_answered echo_answered; do
	expect "$verdict counts" [ "$(verdicts $verdict)" -ge 1 ]
done
