#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# UDP services in both modes and families.
#
#   client .99 ── front ─┬─ .2 lb .2 ── back ─┬─ .11 srv1   nat: VIP .10 of front, gateway .1 of back
#                        │                    └─ .12 srv2
#                        ├─ .21 srv3                        dsr: VIP .20 of front
#                        └─ .22 srv4
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 2
serve srv1 53 "$(addr back 11 4)" "$(addr back 11 6)"
serve srv2 53 "$(addr back 12 4)" "$(addr back 12 6)"
for n in 3 4; do
	host "srv$n"
	plug "srv$n" front "2$((n - 2))"
	silent "srv$n" front 20
	serve "srv$n" 53 "$(addr front 20 4)" "$(addr front 20 6)"
done

# A service with all it needs, in the words of the configuration: pool MODE FAMILY NET SERVER NUMBER SERVER NUMBER
pool()
{
	echo "$1$2: { servers: { $4: { address = \"$(addr "$3" "$5" "$2")\"; }; $6: { address = \"$(addr "$3" "$7" "$2")\"; }; }; };"
}

config <<-END
	vips: {
		nat4: { address = "$(addr front 10 4)"; interface = "front"; };
		nat6: { address = "$(addr front 10 6)"; interface = "front"; };
		dsr4: { address = "$(addr front 20 4)"; interface = "front"; };
		dsr6: { address = "$(addr front 20 6)"; interface = "front"; };
	};
	gateways: {
		back4: { address = "$(addr back 1 4)"; interface = "back"; };
		back6: { address = "$(addr back 1 6)"; interface = "back"; };
	};
	pools: {
		$(pool nat 4 back srv1 11 srv2 12)
		$(pool nat 6 back srv1 11 srv2 12)
		$(pool dsr 4 front srv3 21 srv4 22)
		$(pool dsr 6 front srv3 21 srv4 22)
	};
	services: {
		nat4: { vip = "nat4"; protocol = "udp"; port = 53; forward = "nat"; pool = "nat4"; };
		nat6: { vip = "nat6"; protocol = "udp"; port = 53; forward = "nat"; pool = "nat6"; };
		dsr4: { vip = "dsr4"; protocol = "udp"; port = 53; forward = "dsr"; pool = "dsr4"; };
		dsr6: { vip = "dsr6"; protocol = "udp"; port = 53; forward = "dsr"; pool = "dsr6"; };
	};
END
tandemd_start
serving 8 # there are no checks

# What client sockets hear, without the counts: asked NUMBER FAMILY [OPTION]...
asked()
{
	on client "$here/ask_udp.py" "$(addr front "$1" "$2")" 53 "${@:3}" | sed 's/ [0-9]*$//'
}

for family in 4 6; do
	me=$(addr front 99)
	asked 10 "$family" --sockets 1 --timeout 0.3 >/dev/null # makes the neighbours known
	asked 20 "$family" --sockets 1 --timeout 0.3 >/dev/null
	for _ in 1 2; do
		expect_is "what nat answers" "$(asked 10 "$family")" "srv1 $me"$'\n'"srv2 $me"
		expect_is "what dsr answers" "$(asked 20 "$family")" "srv3 $me"$'\n'"srv4 $me"
	done
done

# A checksum of 0 says that there is none, in IPv4 only.
expect_is "answers without checksums" "$(asked 10 4 --no-checksum | cut -d ' ' -f 1)" $'srv1\nsrv2'
expect_is "bad checksums received" "$(bad_checksums client srv1 srv2 srv3 srv4)" 0

# What does not fit into a packet comes in fragments, of which only the first has ports: both ways under nat.
for family in 4 6; do
	me=$(addr front 99)
	for size in 4000 65400; do
		expect_is "what nat answers in fragments of $size" "$(asked 10 "$family" --size "$size")" "srv1 $me"$'\n'"srv2 $me"
		expect_is "what dsr answers in fragments of $size" "$(asked 20 "$family" --size "$size")" "srv3 $me"$'\n'"srv4 $me"
	done
done
expect_is "fragments that were dropped" \
	"$(($(verdicts fragment) + $(verdicts fragment_orphan) + $(verdicts fragment_overlap) + $(verdicts fragment_tiny)))" 0
expect_is "bad checksums received" "$(bad_checksums client srv1 srv2 srv3 srv4)" 0

# Nobody listens on other ports, nor for TCP on this one.
on client curl -s -m 0.3 "http://$(url front 10 4):53/" && fail "TCP was forwarded too"
expect "no_service counts" [ "$(verdicts no_service)" -ge 1 ]
