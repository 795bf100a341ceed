#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# 500 services on five VIPs, 1000 servers: all work, and verdicts reach the packets.
# tests/bench/verdict runs this with more ROUNDS to see how soon.
#
#   client .99 ── front ── .2 lb .2 ── back ─┬─ .11 srv1: UDP 10000-10499, TCP 9000 and 9001 for checks
#             VIPs .10-.14   gateway .1      └─ .12 srv2: the same
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/helper.sh"

rounds=${ROUNDS:-2}
two_arm 2
for n in 1 2; do
	serve "srv$n" 9002 "$(addr back "1$n")/10000-10499"
	start "common$n" "srv$n" "$here/server.py" "srv$n" "$lab" 9000
	start "quick$n" "srv$n" "$here/server.py" "srv$n" "$lab" 9001
done

# Service N is port 2000 + N % 100 of VIP .10 + N / 100.
{
	echo "limits: { services = 512; servers = 1024; };"
	echo "gateways: { back: { address = \"$(addr back 1)\"; interface = \"back\"; }; };"
	echo 'health: { common: { type = "tcp"; port = 9000; interval = "2s"; timeout = "1s"; rise = 1; fall = 1; };'
	echo '	quick: { type = "tcp"; port = 9001; interval = "100ms"; timeout = "100ms"; rise = 1; fall = 1; }; };'
	echo 'vips: {'
	for n in 0 1 2 3 4; do
		echo "v$n: { address = \"$(addr front "1$n")\"; interface = \"front\"; };"
	done
	echo '}; pools: {'
	for n in {0..499}; do
		[ "$n" = 250 ] && check=quick || check=common
		echo "p$n: { health = \"$check\"; servers: {"
		for server in 1 2; do
			echo "srv$server: { address = \"$(addr back "1$server")\"; port = $((10000 + n)); };"
		done
		echo '}; };'
	done
	echo '}; services: {'
	for n in {0..499}; do
		echo "s$n: { vip = \"v$((n / 100))\"; protocol = \"udp\"; port = $((2000 + n % 100)); forward = \"nat\"; pool = \"p$n\"; idle = \"1s\"; };"
	done
	echo '};'
} | config
tandemd_start
serving 1000 30
expect "status counts 500 services" holds '.services == 500' status

on client "$here/ask_udp.py" "$(addr front 10)" 2000 --sockets 1 --timeout 0.3 >"$lab/answers" # lb gets to know the client

# Both servers of a service answer: flows of the one that was there first stay its own for the idle time-out.
both()
{
	on client "$here/ask_udp.py" "$(addr front "1$(($1 / 100))")" $((2000 + $1 % 100)) --sockets 20 >"$lab/answers" &&
		[ "$(cut -d ' ' -f 1 "$lab/answers")" = $'srv1\nsrv2' ]
}

# Some of each VIP, the first and the last among them, answer by both servers.
for n in 0 99 137 199 250 377 400 499; do
	wait_for 20 "both servers answer for service $n" both "$n"
done

# Finds a flow that goes to srv1, and watches it.
pick()
{
	wait_for 20 "both servers answer for service 250" both 250
	start flow client "$here/switch.py" "$(addr front 12)" 2050 srv1
	wait_for 25 "a flow goes to srv1" grep -q ready "$lab/flow.log"
}

# The quick check of srv1 dies, the server itself answers on. Prints the milliseconds from the verdict to the first packet
# that goes elsewhere.
switch()
{
	slay quick1
	wait "${pids[flow]}" || fail "no verdict reached the packets"
	unset 'pids[flow]'
	awk -v sent="$(tail -n 1 "$lab/flow.log")" -v verdict="$(date +%s.%N -d "$(
		ask '.health[] | select(.server == "p250/srv1") | .since' health list)")" \
		'BEGIN { printf "%.0f\n", (sent - verdict) * 1000 }' >>"$lab/milliseconds"
	rm "$lab/flow.log"
}

for _ in $(seq "$rounds"); do
	pick
	switch
	start quick1 srv1 "$here/server.py" srv1 "$lab" 9001
	serving 1000
done
sort -n "$lab/milliseconds" >"$lab/sorted"
echo "from verdict to packets at 500 services: median $(sed -n "$(((rounds + 1) / 2))p" "$lab/sorted") ms," \
	"longest $(tail -n 1 "$lab/sorted") ms of $rounds"

# The same while all other checks of srv1 come to verdicts.
pick
slay common1
wait_for 5 "verdicts come" holds '.servers.down >= 20' status
switch
echo "amid 499 other verdicts: $(tail -n 1 "$lab/milliseconds") ms"
serving 500
expect "others came later" holds '(.health[] | select(.server == "p250/srv1") | .since) as $it |
	[.health[] | select(.state == "down" and .since > $it)] | length >= 50' health list
