#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A node with several queues and workers changes from one engine to the other and back: connections of dsr and tunnel services, in both
# families, live on where they are. switch_engine.sh has those of nat.
#
#   front ═╤══════════╤══════════╤════════╤═══   VIPs .20 (dsr) and .30 (tunnel): clients' packets in, servers' answers out
#     client .99    lb .2     srv1 .21  srv2 .22
#   back  ════════════╧══════════╧════════╧═══   to .11 srv1, drained, so that its slots are in change, and .12 srv2
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"
only xdp "both engines, one after the other"
has_dpdk

# vips, pools, services of a family: part 4|6
vips()
{
	echo "dsr$1: { address = \"$(addr front 20 "$1")\"; interface = \"front\"; };" \
		"tun$1: { address = \"$(addr front 30 "$1")\"; interface = \"front\"; };"
}

pools()
{
	echo "web$1: { health = \"web\"; servers: { srv1: { address = \"$(addr back 11 "$1")\"; };" \
		"srv2: { address = \"$(addr back 12 "$1")\"; }; }; };"
}

services()
{
	echo "dsr$1: { vip = \"dsr$1\"; port = 80; forward = \"dsr\"; pool = \"web$1\"; };" \
		"tun$1: { vip = \"tun$1\"; port = 80; forward = \"tunnel\"; pool = \"web$1\"; };"
}

# site TYPE: what else the engine is told stays as it was when the daemons were started
site()
{
	dpdk=${engines/TYPE/$1}
	config <<-END
		vips: { $(vips 4) $(vips 6) };
		health: { web: { type = "http"; path = "/healthz"; interval = "1s"; timeout = "1s"; rise = 1; fall = 50; }; };
		pools: { $(pools 4) $(pools 6) };
		services: { $(services 4) $(services 6) };
	END
}

queues=4
workers 2
engines=${dpdk/\"dpdk\"/\"TYPE\"}
net front back
host client
plug client front 99
host lb
plug lb front 2
plug lb back 2
for n in 1 2; do
	host "srv$n"
	plug "srv$n" front "2$n"
	plug "srv$n" back "1$n"
	silent "srv$n" front 20
	silent "srv$n" front 30
	serve "srv$n" 80
	on "srv$n" "$build/apps/tandem-decap/tandem-decap" back --run-dir "$lab/decap$n" --from "$(addr back 2 4)" \
		--from "$(addr back 2 6)" --vip "$(addr front 30 4)" --vip "$(addr front 30 6)"
done
site xdp
tandemd_start
serving 4
site dpdk
tandem_dpdk_start
expect "it has two workers" grep -q 'with 2 workers' "$lab/tandem-dpdk.log"

for v in 4 6; do
	urls+=("http://$(url front 20 $v)/who" "http://$(url front 30 $v)/who")
done
start held client "$here/hold.py" --connections 160 --period 1 "${urls[@]}"
more held 160
for v in 4 6; do
	ctl server drain web$v/srv1 >>"$lab/ctl"
done
serving 2
expect "slots are in change" [ "$(ask '[.pools[].slots_tracked] | add' pool list)" -gt 0 ]
load short client --rate 40 "${urls[@]}"

# change TYPE
change()
{
	site "$1"
	start since client "$here/hold.py" --connections 200 --period 1 "${urls[@]}"
	ctl config apply >"$lab/applied" 2>&1 || fail "$(cat "$lab/applied")"
	grep ^engine "$lab/applied"
	expect_is "the engine" "$(ask .engine.type status)" "$1"
	more held 160
	more since 200
	more short 40
	stop since
	expect_is "connections lost on the way to $1" "$(lost held)$(lost since)$(lost short)" ""
	: >"$lab/since.log"
}

for _ in 1 2; do
	change dpdk
	expect_is "workers" "$(ask '.engine.workers | length' status)" 2
	change xdp
	expect_is "programs" "$(programs)" 2
done
expect "connections of the drained server live" [ "$(answered held srv1 "$((${EPOCHREALTIME%.*} - 5))")" -gt 0 ]
expect_is "new connections that went to it" "$(answered short srv1 "$((${EPOCHREALTIME%.*} - 2))")" 0
expect_is "bad checksums received" "$(bad_checksums client srv1 srv2)" 0
