#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kill -9 of each program of the appliance under load, in random order and at random times, tens of times over. A supervisor starts what
# has ended again, as systemd does, and nothing else is done by hand. After each round every held connection is answered by the
# server it had, new ones work, status is as before, and nothing is left over: no file, descriptor, device, address or route.
#
#   front ═╤══════════╤═══════════╤════════╤════════╤═══   VIP .20: `dsr` to these three, port 80 by settled slots,
#     client .99    lb .2      srv5 .25  srv6 .26  srv7 .27     port 81 with every flow recorded
#   back  ════════════╧═════╤═════════╤════════╤═════════╤═══   VIP .10: `nat` to these four, port 80 and datagrams to
#              gateway .1  srv1 .11  srv2 .12  srv3 .13  srv4 .14     port 7
#
# Environment: ROUNDS (50), CONNECTIONS (210), SEED (what the clock says).
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../helper.sh"

rounds=${ROUNDS:-50}
connections=${CONNECTIONS:-210}
seed=${SEED:-$((EPOCHSECONDS % 32768))}
RANDOM=$seed
period=2    # seconds in which each connection is used once
patience=30 # seconds in which what is lost in a gap goes out again
idle=20s    # slots settle in some rounds, and are tracked in others
printf 'seed %s, %s rounds, engine %s\n' "$seed" "$rounds" "$engine"

# -- the lab -----------------------------------------------------------------------------------------------------

net front back
host client
plug client front 99
host lb
plug lb front 2
plug lb back 2
for n in 1 2 3 4; do
	host "srv$n"
	plug "srv$n" back "1$n"
	gateway "srv$n" back 1
	serve "srv$n" 8080 "$(addr back "1$n")"
done
for n in 5 6 7; do
	host "srv$n"
	plug "srv$n" front "2$n"
	silent "srv$n" front 20
	serve "srv$n" 80
	start "srv$n-81" "srv$n" "$here/server.py" "srv$n" "$lab" 81
done
config <<-END
	vips: {
		nat: { address = "$(addr front 10)"; interface = "front"; };
		dsr: { address = "$(addr front 20)"; interface = "front"; };
	};
	gateways: { back: { address = "$(addr back 1)"; interface = "back"; }; };
	health: { web: { type = "http"; path = "/healthz"; interval = "200ms"; timeout = "200ms"; rise = 2; fall = 50; }; };
	pools: {
		nat: { health = "web"; servers: {
			srv1: { address = "$(addr back 11)"; port = 8080; };
			srv2: { address = "$(addr back 12)"; port = 8080; };
			srv3: { address = "$(addr back 13)"; port = 8080; };
			srv4: { address = "$(addr back 14)"; port = 8080; };
		}; };
		dsr: { health = "web"; servers: {
			srv5: { address = "$(addr front 25)"; };
			srv6: { address = "$(addr front 26)"; };
			srv7: { address = "$(addr front 27)"; };
		}; };
		all: { health = "web"; servers: {
			srv5: { address = "$(addr front 25)"; };
			srv6: { address = "$(addr front 26)"; };
			srv7: { address = "$(addr front 27)"; };
		}; };
	};
	services: {
		nat: { vip = "nat"; port = 80; forward = "nat"; pool = "nat"; idle = "$idle"; };
		echo: { vip = "nat"; port = 7; protocol = "udp"; forward = "nat"; pool = "nat"; };
		all: { vip = "dsr"; port = 81; forward = "dsr"; pool = "all"; idle = "$idle"; track = "all"; };
		dsr: { vip = "dsr"; port = 80; forward = "dsr"; pool = "dsr"; };
	};
END

# -- the supervisor ----------------------------------------------------------------------------------------------

# Starts a program and starts it again whenever it has ended: supervise LOG COMMAND...
# LOG.pid has its number, and LOG.ends a line for each end: PID STATUS. SIGTERM ends both, and the program's status is returned.
supervise()
{
	: >"$lab/$1.ends"
	supervisor "$@" 2>/dev/null 3>&- 4>&- &
	pids[$1-supervisor]=$!
	wait_for 60 "$1 is up" grep -q "$1 .* is up" "$lab/$1.log"
}

supervisor()
{
	local log=$1 pid status

	shift
	while :; do
		status=0
		nsenter --net="/run/netns/$prefix-lb" -- setpriv --pdeathsig KILL -- "$@" >>"$lab/$log.log" 2>&1 </dev/null &
		pid=$!
		# shellcheck disable=SC2064 # this one
		trap "kill $pid; wait $pid; exit" TERM
		echo "$pid" >"$lab/$log.pid.new"
		mv "$lab/$log.pid.new" "$lab/$log.pid"
		wait "$pid" || status=$?
		echo "$pid $status" >>"$lab/$log.ends"
		[ "$status" -eq 137 ] || sleep 0.1 # RestartSec
	done
}

pid_of()
{
	cat "$lab/$1.pid"
}

# Whether the program that had a number has been started anew: another LOG PID
another()
{
	[ "$(pid_of "$1")" != "$2" ]
}

# -- what is looked at -------------------------------------------------------------------------------------------

# All that the host has of devices, addresses and routes. XDP programs have other numbers after each start, and a tap whose carrier
# has never changed is in an unknown state.
dump()
{
	on lb ip -d addr | sed -E 's#(prog/xdp id) .*#\1#; s#xdp/id:[0-9]+#xdp#; s/(LOWER_UP.* state) UNKNOWN/\1 UP/'
	on lb ip -d -4 route show table all
	on lb ip -d -6 route show table all | sort
	on lb ip rule
	on lb ip -6 rule
	on lb ip neigh show nud permanent
	on lb ip maddr | awk '/^[0-9]/ { device = $2; next } { print device, $0 }' | sort
}

files()
{
	find "$lab/run" "$lab/state" -printf '%y %P\n' | sort
}

# The descriptors of a program, and the mappings of files that have no name: held_by LOG
held_by()
{
	local pid

	pid=$(pid_of "$1")
	find "/proc/$pid/fd" -type l | wc -l
	grep -c 'memfd:\|(deleted)' "/proc/$pid/maps" || :
}

# The least of it, since checks of servers take some now and then: least_held_by LOG
least_held_by()
{
	for _ in {1..20}; do
		held_by "$1" | xargs
		sleep 0.03
	done | awk 'NR == 1 { fds = $1; maps = $2 } $1 < fds { fds = $1 } $2 < maps { maps = $2 } END { print fds, maps }'
}

holds_no_more()
{
	grep -o '/memfd:.*\|[^ ]* (deleted)' "/proc/$(pid_of "$1")/maps" | sort | uniq -c | xargs
	held_by "$1" | xargs | awk -v least="$2" '{ split(least, l); print; exit $1 > l[1] || $2 > l[2] }'
}

# Writes what a command prints into a file and compares it with that of the beginning: is_as_before COMMAND
is_as_before()
{
	"$1" >"$lab/$1.now"
	diff "$lab/$1.before" "$lab/$1.now"
}

counters()
{
	ask '[.services[] | .packets, .bytes] | map(tostring) | join(" ")' service list
	ask '[.pools[].servers[] | .packets, .bytes] | map(tostring) | join(" ")' pool list
}

# No number of the first file is above that in its place of the second.
not_reset()
{
	paste -d ' ' <(tr ' ' '\n' <"$1") <(tr ' ' '\n' <"$2") | awk '$1 > $2 { bad = 1 } END { exit bad || NR < 28 }'
}

wanted()
{
	ask '.changes | map([.server, .wanted, .weight, .who, .why, .when]) | tostring' status
}

# How many servers shall serve, of all pools or of one: n_ready [POOL]
n_ready()
{
	ask "[.pools[] | select(.name | test(\"^(${1:-.*})\$\")) | .servers[] | select(.wanted == \"ready\")] | length" pool list
}

is_well()
{
	ctl -j status >"$lab/status"
	jq -c '[.servers.serving, .warnings, .engine.state]' "$lab/status"
	jq -e --argjson n "$1" '.servers.serving == $n and .warnings == [] and (.engine.state // "serving") == "serving"' \
		"$lab/status" >/dev/null
}

# Whether every held connection has been asked and answered since then.
all_used()
{
	expect_is "connections lost" "$(lost held)" ""
	[ "$(requests held '^ok' . "$1" | awk '!n[$5]++' | wc -l)" -eq "$connections" ]
}

# The longest time, in milliseconds, between two datagrams that were sent since then, came back, and have none between: gap SINCE
gap()
{
	requests probe '^ok' . "$1" | sort -n | awk 'NR > 1 && $1 - last > gap { gap = $1 - last } { last = $1 } END { printf "%.0f\n", 1000 * gap }'
}

# What programs have complained of so far, and how those ended that were not killed: complaints [PATTERN-OF-WHAT-IS-RIGHT]
complaints()
{
	local log

	for log in "${programs[@]}"; do
		grep -h ' error: ' "$lab/$log.log" || :
		awk -v program="$log" '$2 != 137 { print program, $1, "has ended with exit status", $2 }' "$lab/$log.ends"
	done | grep -vE "${1:-^$}" || :
}

all_alive()
{
	local key

	for key in "${!pids[@]}"; do
		[[ $key = wire-* ]] || alive "$key" || fail "$key has ended" # those have their packets by and by
	done
}

# -- a round -----------------------------------------------------------------------------------------------------

# A change at random that makes slots change hands, and leaves two servers or more.
change()
{
	local what=$((RANDOM % 3)) pool=nat server

	[ $((RANDOM % 2)) -eq 0 ] || pool=all
	server=$pool/srv$((RANDOM % 4 + 1))
	[ "$pool" = nat ] || server=$pool/srv$((RANDOM % 3 + 5))
	if [ "$what" -eq 0 ] && [ "$(n_ready "$pool")" -le 2 ]; then
		what=1
	fi
	case $what in
	0) ctl server drain "$server" ;;
	1) ctl server ready "$server" && ctl server weight "$server" default ;;
	2) ctl server weight "$server" $((RANDOM % 9 + 1)) ;;
	esac >>"$lab/ctl"
}

# Kills programs, in a quarter of all cases once more while they start: kill_at_random LOG...
kill_at_random()
{
	local log times=1
	local -A old

	[ $((RANDOM % 4)) -ne 0 ] || times=2
	killed="$*"
	[ "$times" -eq 1 ] || killed+=", twice"
	for _ in $(seq "$times"); do
		for log in "$@"; do
			old[$log]=$(pid_of "$log")
		done
		kill -KILL "${old[@]}" 2>>"$lab/ctl" || : # tandemd may just have found no engine
		for log in "$@"; do
			wait_for 30 "$log is started again" another "$log" "${old[$log]}"
		done
		[ "$times" -eq 1 ] || sleep "0.$((RANDOM % 8))"
	done
}

# What must be so after a round, by and by: recovers N-SERVING
recovers()
{
	local log

	wait_for 60 "status is well" is_well "$1"
	wait_for 60 "every held connection is answered" all_used "$EPOCHREALTIME"
	more probe 50
	more short 40
	expect_is "requests lost" "$(lost short)" ""
	wait_for 30 "devices, addresses and routes are as before" is_as_before dump
	wait_for 30 "files are as before" is_as_before files
	for log in "${programs[@]}"; do
		wait_for 30 "$log holds no more than before" holds_no_more "$log" "${held_before[$log]}"
	done
	all_alive
	is_well "$1" >"$lab/well" || fail "status is well no more: $(tail -n 1 "$lab/status")"
}

# round NUMBER
round()
{
	local log began n right="" killed spared was=() who=(tandemd tandem-dpdk "tandem-dpdk tandemd")
	local -A pid

	[ "$engine" = dpdk ] || who=(tandemd)
	read -ra was <<<"${who[RANDOM % ${#who[@]}]}" # not in a subshell, which has random numbers of its own
	[ ${#was[@]} -eq 1 ] || right="(DPDK engine|tandem-dpdk|^tandemd .* exit status 1$)"
	[ $((RANDOM % 3)) -ne 0 ] || change
	[ $((RANDOM % 2)) -ne 0 ] || sleep "0.$((RANDOM % 10))"
	wanted >"$lab/wanted.before"
	n=$(n_ready)
	counters >"$lab/counters.before"
	complaints "$right" >"$lab/complaints.before"
	for log in "${programs[@]}"; do
		pid[$log]=$(pid_of "$log")
	done
	began=$EPOCHREALTIME
	kill_at_random "${was[@]}"
	recovers "$n"
	for spared in "${programs[@]}"; do
		[[ " ${was[*]} " = *" $spared "* ]] || expect_is "the process of $spared" "$(pid_of "$spared")" "${pid[$spared]}"
	done
	expect_is "complaints" "$(complaints "$right" | grep -vxFf "$lab/complaints.before")" ""
	expect_is "what is wanted" "$(wanted)" "$(cat "$lab/wanted.before")"
	counters >"$lab/counters.after"
	expect "counters go on" not_reset "$lab/counters.before" "$lab/counters.after"
	printf '%s %s ms; %s\n' "$1" "$(gap "$(awk "BEGIN { printf \"%.6f\", $began - 0.1 }")")" "$killed" | tee -a "$lab/rounds"
}

# The gaps by what was killed: how many, the median and the worst.
summary()
{
	awk -F '[ ;]+' '{ what = $4; for (i = 5; i <= NF; i++) what = what " " $i; print what "\t" $2 }' "$lab/rounds" |
		sort -t "$(printf '\t')" -k 1,1 -k 2,2n | awk -F '\t' '
		function tell() { if (n) printf "%s: %d rounds, gap %d ms in the median, %d ms at worst\n", last, n, gaps[int((n + 1) / 2)], gaps[n] }
		$1 != last { tell(); n = 0; last = $1 }
		{ gaps[++n] = $2 }
		END { tell() }'
}

# -- the run -----------------------------------------------------------------------------------------------------

programs=(tandemd)
dump >"$lab/first"
if [ "$engine" = dpdk ]; then
	programs+=(tandem-dpdk)
	supervise tandem-dpdk "$build/apps/tandem-dpdk/tandem-dpdk" -c "$lab/tandem.conf" --run-dir "$lab/run"
fi
supervise tandemd "$build/apps/tandemd/tandemd" -c "$lab/tandem.conf" --run-dir "$lab/run" --state-dir "$lab/state"
wait_for 30 "status is well" is_well 10
ctl server weight nat/srv1 2 >>"$lab/ctl" # from now on there is a file for that

urls=("http://$(url front 10)/who" "http://$(url front 20)/who" "http://$(url front 20):81/who")
start held client "$here/hold.py" --connections "$connections" --period "$period" --timeout "$patience" "${urls[@]}"
load short client --rate 30 --workers 30 --timeout "$patience" "${urls[@]}"
start probe client "$here/probe.py" "$(addr front 10)" 7
wait_for 60 "all connections are open" all_used 0
wait_for 10 "the flow of datagrams is answered" answered_enough probe 50 . 0

dump >"$lab/dump.before"
files >"$lab/files.before"
declare -A held_before=()
for log in "${programs[@]}"; do
	held_before[$log]=$(least_held_by "$log")
	printf '%s holds %s descriptors and mappings\n' "$log" "${held_before[$log]}"
done
for i in $(seq "$rounds"); do
	round "$i"
done
summary

# -- the end -----------------------------------------------------------------------------------------------------

stop short
stop held
slay probe
expect_is "connections and requests lost" "$(lost held)$(lost short)" ""
expect "tandemd ends well" stop tandemd-supervisor
[ "$engine" = xdp ] || expect "tandem-dpdk ends well" stop tandem-dpdk-supervisor
tandemd --detach >"$lab/detach"
expect_is "what is different about the host in the end" "$(dump | diff "$lab/first" - | tr "\n" ";")" ""
