#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Pools without enough servers: below min_up those that fail their checks are used too, and an empty pool's
# connections go to the pool that it falls back on, until its own servers are back.
#
#   client .99 ── front ── .2 lb .2 ── back ── .11 srv1, .12 srv2; .13 srv3 is the spare
#                VIP .10     gateway .1
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

two_arm 3
for n in 1 2 3; do
	serve "srv$n" 8080
done

config <<-END
	vips: { web: { address = "$(addr front 10)"; interface = "front"; }; };
	gateways: { back: { address = "$(addr back 1)"; interface = "back"; }; };
	health: { web: { type = "http"; path = "/healthz"; interval = "100ms"; timeout = "100ms"; rise = 2; fall = 2; }; };
	pools: {
		web: { health = "web"; min_up = 2; when_empty = "spare"; servers: {
			srv1: { address = "$(addr back 11)"; port = 8080; };
			srv2: { address = "$(addr back 12)"; port = 8080; }; }; };
		spare: { health = "web"; servers: { srv3: { address = "$(addr back 13)"; port = 8080; }; }; };
	};
	services: { web: { vip = "web"; port = 80; forward = "nat"; pool = "web"; }; };
END

# Who answers 24 new connections, in order; a lost one shows as a dash. With two servers a miss of either
# is a chance of one in eight millions.
who()
{
	for _ in {1..24}; do
		on client curl -sS -m 3 "http://$(url front 10)/who" || echo -
	done 2>/dev/null | cut -d ' ' -f 1 | sort -u | xargs
}

tandemd_start
serving 3
expect_is "all servers of the pool answer, and the spare does not" "$(who)" "srv1 srv2"
expect "the pool is well" holds '(.below_min_up | not) and .fallen_back_on == null' pool show web

echo '503 tired' >"$lab/srv1.health"
wait_for 5 "fewer than min_up are up" holds .below_min_up pool show web
expect_is "the failed server is used too" "$(who)" "srv1 srv2"
expect "status warns of it" holds '.warnings | any(test("min_up.*web"))' status
echo '200 ok' >"$lab/srv1.health"
wait_for 5 "enough are up again" holds '.below_min_up | not' pool show web

ctl server drain web/srv1 >>"$lab/ctl"
expect_is "one is left" "$(who)" "srv2"
ctl server maint web/srv2 >>"$lab/ctl"
expect "the pool falls back" holds '.fallen_back_on == "spare"' pool show web
expect_is "the spare answers" "$(who)" "srv3"
expect "status warns of it" holds '.warnings | any(test("falls back.*web"))' status

stop tandemd || true
tandemd_start
expect "so it is after a restart" holds '.fallen_back_on == "spare"' pool show web
expect_is "the spare answers" "$(who)" "srv3"

ctl server ready web/srv2 >>"$lab/ctl"
expect "the pool has a server of its own" holds '.fallen_back_on == null' pool show web
expect_is "it answers" "$(who)" "srv2"
expect "the log has told of both" grep -qE 'falls back on pool spare' "$lab/tandemd.log"
expect "and of the end" grep -qE 'pool web has servers of its own again' "$lab/tandemd.log"
