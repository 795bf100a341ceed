#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tandemctl trace inject: foretells what becomes of packets, to the byte, and leaves everything as it is.
#
#   client .99 ── front ── .2 lb .2 ── back ─┬─ .11 srv1:8080
#                VIP .10     gateway .1      └─ .12 srv2:8080
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 2
serve srv1 8080
serve srv2 8080
web 1 2 | config
tandemd_start
serving 4

# What is counted of packets that the engine does not leave to the host, as it does the health checks'.
state()
{
	ask '.drops[] | select(.action != "pass" and (.reason | IN("arp_answered", "nd_answered") | not))' drops
	ask '.services[] | .name, .packets' service list
	ask '.pools[] | .name, (.servers[] | .name, .packets)' pool list
}

trace()
{
	ctl trace inject "$@"
}

client=$(addr front 99 4)
client6=$(addr front 99 6)
vip=$(addr front 10 4)
vip6=$(addr front 10 6)
state >"$lab/before"

# A connection's first packet, in both families: every stage is named, the last ones by configuration.
trace front tcp "$client:4711" "$vip:80" flags S ttl 64 >"$lab/out"
for line in '^link +IPv4$' "^addresses +$client to $vip, TTL 64, protocol 6" '^find +service web4?, forward nat$' \
	'^slot +hash [0-9a-f]{16}, slot [0-9]+ of [0-9]+, owner .*srv[12], (settled|tracked)' '^server +.*srv[12], ' \
	"^hop +$(addr back 1 4)[12] on back, MAC ..:..:..:..:..:..," '^verdict +forwarded$' '^out +back$' \
	'^  0x0000:  '; do
	expect "trace says $line" grep -qE "$line" "$lab/out"
done
expect_is "IPv6" "$(trace front tcp "[$client6]:4711" "[$vip6]:80" -j | jq -r .verdict)" forwarded

# What is passed and dropped.
expect_is "no service" "$(trace front udp "$client:4711" "$vip:53" -j | jq -r '.verdict, .vip' | xargs)" "no_service web4"
expect_is "used up" "$(trace front tcp "$client:1" "$vip:80" ttl 1 -j | jq -r .verdict)" ttl_exceeded_answered
expect_is "ping" "$(trace front icmp "$client" "$vip" id 7 -j | jq -r .verdict)" echo_answered
expect_is "another host" "$(trace front tcp "$client:1" "$(addr front 77 4):80" -j | jq -r .verdict)" not_ours
expect_is "a reply" "$(trace back tcp "$(addr back 11 4):8080" "$client:4711" flags SA -j | jq -r .verdict)" no_neighbour
expect_is "nothing has changed" "$(state | diff "$lab/before" - || :)" ""

# The packet itself, from a capture of the client's side, comes out as the server's side has it.
capture client client front "tcp port 80"
capture server srv1 back "tcp port 8080"
capture server2 srv2 back "tcp port 8080"
on client curl -sS -m 5 --local-port 4712 "http://$vip/who" >/dev/null
for log in client server server2; do
	stop "$log" INT
done
syn=$(captured client -x -c 1 'tcp[tcpflags] == tcp-syn' | wc -l)
expect "the SYN was captured" [ "$syn" -gt 0 ]
trace front --pcap "$lab/client.pcap" --frame 1 -j | jq -r .frame >"$lab/foretold"
for log in server server2; do
	tcpdump -n -r "$lab/$log.pcap" -xx -c 1 "src port 4712" 2>/dev/null | awk '/^\t0x/ { for (i = 2; i <= NF; i++) printf "%s", $i }'
done >"$lab/seen"
expect_is "the frame that the server has seen" "$(cat "$lab/seen")" "$(cat "$lab/foretold")"

# Words that are wrong.
expect_is "exit code" "$(trace front tcp "$client:4711" "$vip:80" tll 3 2>&1 || echo $?)" \
	"$(printf 'tandemctl: there is no word "tll"; did you mean "ttl"?\n2')"
