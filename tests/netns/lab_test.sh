#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tools/lab itself: what it brings up, two labs side by side, what it removes after whatever happened, and
# its demo. The topology is drawn in tools/lablib/topology.py. ENGINE=dpdk has labs whose packets go by tandem-dpdk.
set -Eeuo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$root/build}
one=t$((BASHPID % 100000))a
two=t$((BASHPID % 100000))b
scratch=$(mktemp -d)
engine=${ENGINE:-xdp}
chosen=() # the words for another engine than that of a lab of which nothing is said
[ "$engine" = xdp ] || chosen=(--engine "$engine")

a=("$root/tools/lab" --id "$one" --build-dir "$build")
b=("$root/tools/lab" --id "$two" --build-dir "$build")

finish()
{
	local status=$?

	trap - EXIT
	trap '' INT TERM
	"${a[@]}" down >/dev/null
	"${b[@]}" down >/dev/null
	rm -rf "$scratch"
	[ "$status" -ne 0 ] || echo 'ok lab_test'
	exit "$status"
}

fail()
{
	echo "FAIL lab_test: $*" >&2
	exit 1
}

trap finish EXIT
trap 'fail "line $LINENO: $BASH_COMMAND"' ERR
trap 'fail interrupted' INT TERM

# What a command says when it fails: refused STATUS WORDS COMMAND...
refused()
{
	local wanted=$1 words=$2 status=0 said

	shift 2
	said=$("$@" 2>&1) || status=$?
	[ "$status" = "$wanted" ] || fail "exit status $status, not $wanted, of: $*"
	[[ $said == *"$words"* ]] || fail "\"$said\" does not say \"$words\""
}

# What of the machine itself a lab could change.
machine()
{
	ip -o link | sed 's/^[0-9]*: //'
	ip -o address
	ip route
	ip -6 route
	sysctl -a --pattern '^net\.ipv[46]\.(ip_forward|conf\.(all|default)\.)' 2>/dev/null
	ls /usr/sbin/policy-rc.d 2>/dev/null || :
}

# Nothing with the lab's id is left anywhere.
gone()
{
	local id=$1 left pid

	[ ! -e "/run/tandem-lab-$id" ] || fail "/run/tandem-lab-$id is left"
	left=$(find /run/netns -name "tandem-$id-*")
	[ -z "$left" ] || fail "namespaces are left: $left"
	! grep -F "/run/tandem-lab-$id/" /proc/self/mounts || fail 'mounts are left'
	for pid in /proc/[0-9]*; do
		! tr '\0' ' ' 2>/dev/null <"$pid/cmdline" | grep -F "/run/tandem-lab-$id/" ||
			fail "process ${pid#/proc/} is left"
	done
}

# -- words that cannot be followed

refused 1 'is not up' "${a[@]}" exec client -- true
refused 2 'up to 12' "$root/tools/lab" --id No status
refused 1 'needs root' setpriv --reuid=65534 --clear-groups "$root/tools/lab" up
refused 1 'build it with' "$root/tools/lab" --id "$one" --build-dir "$scratch" up
gone "$one"

# -- up, and what there is then

start=$SECONDS
"${a[@]}" up "${chosen[@]}"
[ $((SECONDS - start)) -lt 30 ] || fail "up took $((SECONDS - start)) s"
"${a[@]}" up "${chosen[@]}" | grep 'is up already' >/dev/null
"${a[@]}" status --json >"$scratch/status"
jq -e --arg engine "$engine" '.up and all(.hosts[]; .exists) and all(.processes[]; .alive) and .engine.type == $engine' \
	"$scratch/status" >/dev/null || fail "status says $(cat "$scratch/status")"
jq -e --arg engine "$engine" '[.processes[].name] | sort == (["app1", "app2", "db1", "tandemd", "web1", "web2"]
	+ if $engine == "dpdk" then ["tandem-dpdk"] else [] end | sort)' "$scratch/status" >/dev/null
for address in $(jq -r '.vips[] | select(.name == "web") | .addresses[]' "$scratch/status"); do
	[[ $address != *:* ]] || address="[$address]"
	visits=$("${a[@]}" exec client -- curl -sS -m 5 -X PUT "http://$address/app/visits/the-same" | jq .visits)
	[ "$visits" = 1 ] || fail "$visits visits by way of $address, not 1"
done
"${a[@]}" load --duration 2 --json >"$scratch/load"
jq -e '.failures == 0 and .requests == 200 and .ipv6 == 100 and (.servers | length) == 2' "$scratch/load" >/dev/null ||
	fail "the load saw $(cat "$scratch/load")"
# The app VIP is the appliance's: no app server claims it.
appliance=$(jq -r '.hosts[] | select(.name == "lb-a") | .interfaces[] | select(.name == "back") | .mac' "$scratch/status")
for host in web1 web2; do
	for address in $(jq -r '.vips[] | select(.name == "app") | .addresses[]' "$scratch/status"); do
		"${a[@]}" exec "$host" -- ip neigh show "$address" | grep -F "$appliance" >/dev/null ||
			fail "$host sends what is for $address somewhere else"
	done
done
refused 2 'did you mean web1' "${a[@]}" exec wbe1 -- true
refused 2 'did you mean tandemd' "${a[@]}" kill tandmd
refused 3 '' "${a[@]}" exec client -- sh -c 'exit 3'
for address in $(hostname -I); do # from a host there is no way out of the lab
	! "${a[@]}" exec web1 -- ping -c 1 -W 1 "$address" >/dev/null 2>&1 || fail "$address can be reached from inside"
done

# -- a process that ends

"${a[@]}" kill web2
"${a[@]}" status --json | jq -e '[.processes[] | select(.alive | not) | .name] == ["web2"]' >/dev/null
"${a[@]}" start web2
refused 1 'runs already' "${a[@]}" start web2
if [ "$engine" = dpdk ]; then
	"${a[@]}" kill tandem-dpdk
	refused 28 '' "${a[@]}" exec client -- curl -sS -m 1 http://10.80.1.10/app/whoami
	"${a[@]}" start tandem-dpdk
	"${a[@]}" exec client -- curl -sSf -m 5 --retry 10 --retry-connrefused http://10.80.1.10/app/whoami >/dev/null
	"${a[@]}" logs -n 100 tandem-dpdk | grep 'taken over before' >/dev/null
	"${a[@]}" kill tandem-dpdk # nor does down need it
fi

# -- two labs, and somebody else's process in one

"${b[@]}" up --no-tandem >/dev/null
nsenter --net="/run/netns/tandem-$two-client" sleep 300 &
stranger=$!
"${b[@]}" exec client -- sleep 300 &
ours=$!
until [ "$(ip netns pids "tandem-$two-client" | xargs -r ps -o comm= -p | grep -cx sleep)" = 2 ]; do sleep 0.1; done
"${b[@]}" down | grep "process $stranger (sleep)" >/dev/null
kill -0 "$stranger" || fail "a process of somebody else was killed"
kill "$stranger"
wait "$stranger" || :
! wait "$ours" || fail 'what exec started came to a good end'
gone "$two"
"${a[@]}" status >/dev/null || fail 'the other lab went away too'

# -- the web servers reached in the other ways

for forward in tunnel dsr; do
	"${b[@]}" up --web "$forward" "${chosen[@]}" >/dev/null
	"${b[@]}" exec lb-a -- tandemctl -j service list | jq -e --arg forward "$forward" \
		'[.services[] | select(.name | startswith("web")) | .forward] == [$forward, $forward]' >/dev/null
	"${b[@]}" load --duration 1 --json | jq -e '.failures == 0 and .requests == 100 and (.servers | length) == 2' >/dev/null
done
"${b[@]}" down >/dev/null
gone "$two"
refused 2 'invalid choice' "${b[@]}" up --web fullnat
refused 2 'invalid choice' "${b[@]}" up --engine ebpf

# -- down

"${a[@]}" down
gone "$one"
"${a[@]}" down | grep 'was not up' >/dev/null

# -- down after a crash, wherever it strikes; then up on what another crash left

machine >"$scratch/before"
for tenths in 1 3 6 10 15 20; do
	"${a[@]}" up "${chosen[@]}" >/dev/null 2>&1 &
	sleep $((tenths / 10)).$((tenths % 10))
	kill -KILL $! 2>/dev/null || :
	wait $! 2>/dev/null || :
	"${a[@]}" down >/dev/null
	gone "$one"
done
"${a[@]}" up --no-tandem >/dev/null 2>&1 &
sleep 0.5
kill -KILL $!
wait $! 2>/dev/null || :
"${a[@]}" up "${chosen[@]}" >/dev/null
"${a[@]}" exec client -- curl -sSf -m 5 http://10.80.1.10/app/whoami >/dev/null
"${a[@]}" down >/dev/null

# -- the demo, and the demo interrupted

"${a[@]}" demo "${chosen[@]}"
gone "$one"
"${a[@]}" demo "${chosen[@]}" >"$scratch/demo" &
until grep -qs 'Act 1' "$scratch/demo"; do sleep 0.1; done
kill -TERM $!
wait $! && fail 'an interrupted demo says that all is well'
gone "$one"
machine | diff "$scratch/before" - || fail 'the machine is not as before'
