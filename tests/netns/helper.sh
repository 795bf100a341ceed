# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What the end-to-end scripts share. Each sources this file and so gets a lab of its own: network namespaces,
# a directory in /run, a tandemd, and a trap that removes all of it. What a script prints last is "ok NAME" or
# "FAIL NAME: why", and its exit status says the same.
#
# Environment: BUILD names the build directory (build/ of this tree); KEEP=1 leaves the lab for looking; SLOW=N waits N times
# as long as scripts say, on a machine that is so slow; ENGINE=dpdk has packets go by tandem-dpdk, in the place of XDP.
set -Eeuo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${BUILD:-$here/../../build}
name=${NAME:-$(basename "$0" .sh)}
family=${FAMILY:-4}
engine=${ENGINE:-xdp}
dpdk= # what configurations say of that
[ "$engine" = xdp ] || dpdk=" engine: { type = \"dpdk\";${SLOW:+ dpdk: { memory = 64; \};} };" # memory is filled first
prefix=tt$$ # of the lab's namespaces
lab=
declare -A networks=() # name: number
declare -A pids=()     # of what runs in the background, by the name of its log
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C.UTF-8

# -- verdict and end ---------------------------------------------------------------------------------------------

# Ends the script. Also from within a subshell, where exit alone would not.
fail()
{
	[ -z "$lab" ] || printf '%s\n' "$*" >>"$lab/why"
	[ -n "$lab" ] || printf '%s\n' "$*" >&2
	exit 1
}

# A command that must succeed: expect SENTENCE COMMAND...
expect()
{
	local sentence=$1

	shift
	"$@" || fail "not so: $sentence (${*:0:12})"
}

# The opposite: expect_not SENTENCE COMMAND...
expect_not()
{
	local sentence=$1

	shift
	! "$@" || fail "not so: $sentence (${*:0:12})"
}

# Ends the script with status 77 where the kernel has no such devices (ip-link(8)): needs_link_kind vlan|bond|...
needs_link_kind()
{
	host probe
	ip -n "$prefix-probe" link add probe0 type veth peer name probe1
	case $1 in
	vlan) ip -n "$prefix-probe" link add link probe0 name probe2 type vlan id 1 ;;
	*) ip -n "$prefix-probe" link add probe2 type "$1" ;;
	esac 2>"$lab/probe" || {
		printf 'not here %s: this kernel has no %s devices\n' "$name" "$1"
		exit 77
	}
	ip netns del "$prefix-probe"
}

# Ends a script that is about what one of the engines has alone, where packets go by the other: only xdp|dpdk WHAT
# tools/test reads the line, and leaves the script out there.
only()
{
	[ "$engine" != "$1" ] || return 0
	printf 'left out %s: it is about %s (ENGINE=%s)\n' "$name" "$2" "$1"
	exit 77
}

# For scripts that need tandem-dpdk whatever ENGINE says.
has_dpdk()
{
	[ -x "$build/apps/tandem-dpdk/tandem-dpdk" ] || fail "$build has no tandem-dpdk: build it with DPDK"
}

# expect_is WHAT IS WANTED
expect_is()
{
	[ "$2" = "$3" ] || fail "$1 is \"$2\", not \"$3\""
}

# Polls until a command succeeds: wait_for SECONDS SENTENCE COMMAND...
wait_for()
{
	local seconds=$1 sentence=$2 end

	shift 2
	end=$((${EPOCHREALTIME/./} + seconds * ${SLOW:-1} * 1000000))
	until "$@" >"$lab/wait_for" 2>&1; do
		[ "${EPOCHREALTIME/./}" -lt "$end" ] ||
			fail "not within $seconds s: $sentence; $(tail -n 3 "$lab/wait_for" | tr '\n' ' ')"
		sleep 0.03
	done
}

remember_failure()
{
	local status=$1 line=$2 command=$3

	[ "$BASH_SUBSHELL" -gt 0 ] || [ -s "$lab/why" ] ||
		echo "line $line: exit status $status of: $command" >"$lab/why"
}

show_logs()
{
	local log

	ctl drops >"$lab/drops.log" 2>&1 || :
	for log in "$lab"/*.log; do
		[ -s "$log" ] || continue
		printf -- '-- %s\n' "${log##*/}"
		tail -n 12 "$log"
	done >&2
}

remove_lab()
{
	local key ns

	{
		for key in "${!pids[@]}"; do
			kill -KILL "${pids[$key]}"
			wait "${pids[$key]}"
		done
	} 2>/dev/null
	while mountpoint -q "$lab/run/bpf"; do
		umount "$lab/run/bpf"
	done
	# Whatever a script has mounted itself lies in the lab's directory too.
	awk -v lab="$lab/" 'index($2, lab) == 1 { print $2 }' /proc/self/mounts | sort -r | xargs -r umount
	for ns in /run/netns/"$prefix"-*; do
		[ ! -e "$ns" ] || ip netns del "${ns##*/}"
	done
	rm -rf "$lab"
}

# Whether tshark finds every checksum right in what was captured, but those of TCP and UDP in packets that ICMP errors quote in
# part. Prints the first packets where it does not.
captures_are_sound()
{
	local pcap protocol options=() bad=0
	local quotes="icmp.type in { 3, 11, 12 } || icmpv6.type < 128"
	local filter='ip.checksum.status == "Bad" || icmp.checksum.status == "Bad" || icmpv6.checksum.status == "Bad"'

	for protocol in ip tcp udp; do
		options+=(-o "$protocol.check_checksum:TRUE")
	done
	filter+=" || ((tcp.checksum.status == \"Bad\" || udp.checksum.status == \"Bad\") && !($quotes))"
	for pcap in "$lab"/*.pcap; do
		[ -s "$pcap" ] || continue
		tshark -n -r "$pcap" "${options[@]}" -Y "$filter" -c 10 >"$lab/unsound" 2>"$lab/tshark.err"
		[ -s "$lab/unsound" ] || continue
		printf -- '-- %s\n' "${pcap##*/}" >&2
		cat "$lab/unsound" >&2
		bad=1
	done
	return $bad
}

finish()
{
	local status=$?

	trap - EXIT ERR
	trap '' INT TERM # also when told twice
	set +e
	exec >&3 2>&4 # whatever the script was doing with them
	if [ "$status" -eq 0 ] && ! captures_are_sound; then
		echo "packets with a bad checksum" >"$lab/why"
		status=1
	fi
	if [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; then
		show_logs
		printf 'FAIL %s: %s\n' "$name" "$(head -n 1 "$lab/why" 2>&1)"
	fi
	if [ -n "${KEEP-}" ]; then
		printf 'kept: %s, namespaces %s-*, processes %s\n' "$lab" "$prefix" "${pids[*]}" >&2
	else
		remove_lab
	fi
	[ "$status" -ne 0 ] || printf 'ok %s\n' "$name"
	exit "$status"
}

# -- networks and hosts ------------------------------------------------------------------------------------------

# Runs a command inside a host. Unlike `ip netns exec` this leaves /sys, and a bpffs below it, alone.
on()
{
	local host=$1

	shift
	nsenter --net="/run/netns/$prefix-$host" -- "$@"
}

# A host without interfaces. IPv6 addresses work at once, and no packet is refused for the way it came.
host()
{
	ip netns add "$prefix-$1"
	on "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 \
		net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv6.conf.default.accept_ra=0 net.ipv4.conf.default.arp_notify=0
	ip -n "$prefix-$1" link set lo up
}

# Bridges in the switch, which has no addresses itself: net NAME...
net()
{
	local net

	if [ ! -e "/run/netns/$prefix-switch" ]; then
		ip netns add "$prefix-switch"
		on switch sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	fi
	for net in "$@"; do
		networks[$net]=$((${#networks[@]} + 1))
		ip -n "$prefix-switch" link add "$net" type bridge stp_state 0 mcast_snooping 0
		ip -n "$prefix-switch" link set "$net" up
	done
}

# The address with a number in a network; the family is $family, or given: addr NET N [4|6]
addr()
{
	case ${3:-$family} in
	4) echo "10.72.${networks[$1]}.$2" ;;
	6) echo "fd72:${networks[$1]}::$2" ;;
	esac
}

url()
{
	case ${3:-$family} in
	4) addr "$1" "$2" 4 ;;
	6) echo "[$(addr "$1" "$2" 6)]" ;;
	esac
}

# Gives a host an interface named after the network, with an address of either family for each number:
# plug HOST NET [N]... The veth has one queue ($queues where that is set), fills its checksums in and sends single packets, as a wire
# carries them. A veth takes what XDP sends only while its peer runs an XDP program too.
plug()
{
	local host=$1 net=$2 switch_end=$1.$2 n
	local lanes=(numtxqueues "${queues:-1}" numrxqueues "${queues:-1}")

	shift 2
	ip -n "$prefix-switch" link add "$switch_end" "${lanes[@]}" type veth \
		peer name "$net" "${lanes[@]}" netns "$prefix-$host"
	on switch ethtool -K "$switch_end" tx off tso off gso off gro off >/dev/null
	on "$host" ethtool -K "$net" tx off tso off gso off gro off >/dev/null
	ip -n "$prefix-switch" link set "$switch_end" master "$net" up
	# ip leaves directories in the first bpffs that it finds: it gets one of its own.
	# shellcheck disable=SC2016 # the inner shell's
	on switch unshare --mount sh -c 'mount -t bpf bpf /sys/fs/bpf && ip link set "$1" xdpdrv obj "$2" sec xdp' \
		sh "$switch_end" "$build/bpf/pass.bpf.o"
	for n in "$@"; do
		ip -n "$prefix-$host" addr add "$(addr "$net" "$n" 4)/24" dev "$net"
		ip -n "$prefix-$host" addr add "$(addr "$net" "$n" 6)/64" dev "$net" nodad
	done
	ip -n "$prefix-$host" link set "$net" up
	[ "$host" != lb ] || watch "$net"
}

# What the wire to lb's interface carries, the first few thousand packets, is captured: captures_are_sound looks at it.
watch()
{
	start "wire-$1" switch tcpdump -Z root -n -U -c 5000 -i "lb.$1" -w "$lab/wire-$1.pcap"
	disown "${pids[wire-$1]}" # the shell need not tell of its end
}

# Default routes in both families: gateway HOST NET N
gateway()
{
	ip -n "$prefix-$1" route replace default via "$(addr "$2" "$3" 4)"
	ip -n "$prefix-$1" route replace default via "$(addr "$2" "$3" 6)"
}

# Makes a host own an address without telling anyone, as servers of `dsr` do: silent HOST NET N
silent()
{
	on "$1" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
	ip -n "$prefix-$1" addr add "$(addr "$2" "$3" 4)/32" dev lo
	ip -n "$prefix-$1" addr add "$(addr "$2" "$3" 6)/128" dev lo nodad
}

# What most scripts need: a client in front, and so many servers behind whose gateway is .1 of `back`.
#   client .99 --front-- .2 lb .2 --back-- .11 srv1, .12 srv2, ...
two_arm()
{
	local n

	net front back
	host client
	plug client front 99
	host lb
	plug lb front 2
	plug lb back 2
	for n in $(seq "$1"); do
		host "srv$n"
		plug "srv$n" back "$((10 + n))"
		gateway "srv$n" back 1
	done
}

# -- processes ---------------------------------------------------------------------------------------------------

# Runs a command on a host in the background; LOG.log takes what it prints: start LOG HOST COMMAND...
start()
{
	local log=$1 host=$2

	shift 2
	# Not by on(), so that the process is ours and no shell's in between.
	nsenter --net="/run/netns/$prefix-$host" -- "$@" >>"$lab/$log.log" 2>&1 </dev/null 3>&- 4>&- &
	pids[$log]=$!
}

alive()
{
	kill -0 "${pids[$1]}" 2>/dev/null
}

# Sends a signal and waits for the end: stop LOG [SIGNAL]. Returns the exit status.
stop()
{
	local pid=${pids[$1]} status=0

	unset "pids[$1]"
	# Quietly: the shell tells of every child that a signal has ended.
	{
		kill "-${2:-TERM}" "$pid" || :
		wait "$pid" || status=$?
	} 2>/dev/null
	return "$status"
}

# SIGKILL, without a word
slay()
{
	stop "$1" KILL || :
}

# server.py on a host, under the host's name: serve HOST PORT [UDP-ADDRESS]...
serve()
{
	start "$1" "$1" "$here/server.py" "$1" "$lab" "${@:2}"
}

# What the servers behind a URL say of themselves and of the client, in forty connections that are all answered: who URL
who()
{
	for _ in $(seq 40); do
		on client curl -sS -m 3 "$1/who" || echo "no answer"
	done | sort -u
}

# Bad checksums that hosts have received.
bad_checksums()
{
	local host

	for host in "$@"; do
		# shellcheck disable=SC2016 # the dollars are awk's
		on "$host" awk '/^[A-Za-z]+: [A-Z]/ { n = split($0, names); next }
			/^[A-Za-z]+: / { for (i = 2; i <= n; i++) if (names[i] ~ /CsumErrors|HdrErrors/) sum += $i }
			/^[A-Za-z0-9]+(CsumErrors|HdrErrors)/ { sum += $2 }
			END { print sum + 0 }' /proc/net/snmp /proc/net/netstat /proc/net/snmp6
	done | awk '{ sum += $1 } END { print sum }'
}

# tcpdump of a host's interface: capture LOG HOST NET [EXPRESSION]
capture()
{
	start "$1" "$2" tcpdump -Z root -n -U --immediate-mode -i "$3" -w "$lab/$1.pcap" ${4:+"$4"}
	wait_for 5 "tcpdump listens" grep -q 'listening on' "$lab/$1.log"
}

# What tcpdump makes of a capture: captured LOG [OPTION]... [EXPRESSION]
captured()
{
	tcpdump -n -r "$lab/$1.pcap" "${@:2}" 2>/dev/null
}

# -- the appliance -----------------------------------------------------------------------------------------------

# Writes tandem.conf from standard input, with what all have on top.
config()
{
	config_as "$lab/tandem.conf"
}

config_as()
{
	{
		printf 'node = "lb"; interfaces: { front: {}; back: {}; };%s\n' "$dpdk"
		cat
	} >"$1"
}

# The configuration of two_arm's lab: srvN of the numbers given, port 8080, behind .10 of front, port 80, in both families:
# web N...
# Servers are found down after $fall checks without an answer. By default that is far off: most scripts look at other things, and
# on a busy machine every process stands still for half a second now and then.
web()
{
	local n four="" six="" often="$((200 * ${SLOW:-1}))ms"

	for n in "$@"; do
		four+=" srv$n: { address = \"$(addr back "1$n" 4)\"; port = 8080; };"
		six+=" srv$n: { address = \"$(addr back "1$n" 6)\"; port = 8080; };"
	done
	cat <<-END
		vips: {
			web4: { address = "$(addr front 10 4)"; interface = "front"; };
			web6: { address = "$(addr front 10 6)"; interface = "front"; };
		};
		gateways: {
			back4: { address = "$(addr back 1 4)"; interface = "back"; };
			back6: { address = "$(addr back 1 6)"; interface = "back"; };
		};
		health: { web: { type = "http"; path = "/healthz"; interval = "$often"; timeout = "$often"; rise = 2; fall = ${fall:-50}; }; };
		pools: {
			web4: { health = "web"; servers: {$four }; };
			web6: { health = "web"; servers: {$six }; };
		};
		services: {
			web4: { vip = "web4"; port = 80; forward = "nat"; pool = "web4"; };
			web6: { vip = "web6"; port = 80; forward = "nat"; pool = "web6"; };
		};
	END
}

# Their addresses for a client.
web_urls()
{
	echo "http://$(url front 10 4)/who" "http://$(url front 10 6)/who"
}

# Runs it in the foreground, as does whatever tests that it does not start: tandemd [OPTION]...
tandemd()
{
	on lb "$build/apps/tandemd/tandemd" -c "$lab/tandem.conf" --run-dir "$lab/run" --state-dir "$lab/state" "$@"
}

tandemd_is_up()
{
	alive tandemd || fail "tandemd has ended: $(tail -n 1 "$lab/tandemd.log")"
	ctl status
}

# How many workers, 1 or 2, configurations give tandem-dpdk from now on.
workers()
{
	local may

	may=$(awk '$1 == "Cpus_allowed_list:" { print $2 }' /proc/self/status)
	case $1 in
	1) dpdk=" engine: { type = \"dpdk\"; };" ;;
	2) dpdk=" engine: { type = \"dpdk\"; dpdk: { cpus = \"${may%%[,-]*},${may##*[,-]}\"; }; };" ;;
	esac
}

# The engine that is a process of its own, where there is one and it does not run: it takes the interfaces over.
engine_start()
{
	[ "$engine" = dpdk ] || return 0
	[ -z "${pids[tandem-dpdk]-}" ] || ! alive tandem-dpdk || return 0
	# Scripts may have written it without config().
	grep -q 'type = "dpdk"' "$lab/tandem.conf" || echo "$dpdk" >>"$lab/tandem.conf"
	tandem_dpdk_start
}

tandem_dpdk_start()
{
	: >"$lab/tandem-dpdk.log" # of a former one, which was up too
	start tandem-dpdk lb "$build/apps/tandem-dpdk/tandem-dpdk" -c "$lab/tandem.conf" --run-dir "$lab/run"
	wait_for 10 "tandem-dpdk is up" engine_is_up
}

engine_is_up()
{
	alive tandem-dpdk || fail "tandem-dpdk has ended: $(tail -n 1 "$lab/tandem-dpdk.log")"
	grep -q 'tandem-dpdk .* is up' "$lab/tandem-dpdk.log"
}

tandemd_start()
{
	engine_start
	start tandemd lb "$build/apps/tandemd/tandemd" -c "$lab/tandem.conf" --run-dir "$lab/run" \
		--state-dir "$lab/state"
	wait_for 10 "tandemd is up" tandemd_is_up
}

# Ends the engine too, when tandemd has ended; $lab/detach takes what is said.
detach()
{
	[ -z "${pids[tandem-dpdk]-}" ] || stop tandem-dpdk
	tandemd --detach >"$lab/detach"
}

ctl()
{
	"$build/apps/tandemctl/tandemctl" -s "$lab/run/api.sock" "$@"
}

# What jq finds in the API's answer: ask FILTER NOUN VERB...
ask()
{
	ctl -j "${@:2}" | jq -r "$1"
}

# Whether a filter finds true: holds FILTER NOUN VERB...
holds()
{
	ctl -j "${@:2}" | jq -e "$1" >/dev/null
}

# Waits until so many servers serve: serving N [SECONDS]
serving()
{
	wait_for "${2:-10}" "$1 servers serve" holds ".servers.serving == $1" status
}

# How often a verdict was reached: verdicts REASON
verdicts()
{
	ask "[.drops[] | select(.vip == null and .reason == \"$1\") | .count] | add // 0" drops
}

programs()
{
	on lb ip -o link show | grep -c 'prog/xdp' || :
}

# -- load --------------------------------------------------------------------------------------------------------

# load.py on a host; it writes a line for each request: load LOG HOST [OPTION]... URL...
load()
{
	start "$1" "$2" "$here/load.py" "${@:3}"
	wait_for 5 "the load $1 has begun" grep -q ' ok ' "$lab/$1.log"
}

# How many requests of a load that began within a time were answered by a server: answered LOG SERVER [SINCE [UNTIL]]
# SERVER is an expression of awk; times are those of $EPOCHREALTIME.
answered()
{
	requests "$1" '^ok' "$2" "${@:3}" | wc -l
}

# The requests that were not answered: lost LOG [SINCE [UNTIL]]
lost()
{
	requests "$1" '^!' . "${@:2}"
}

# requests LOG OUTCOME SERVER [SINCE [UNTIL]]
requests()
{
	awk -v outcome="$2" -v server="$3" -v since="${4:-0}" -v till="${5:-9e9}" \
		'$1 >= since && $1 <= till && $3 ~ outcome && $4 ~ server' "$lab/$1.log"
}

# Waits until so many more requests were answered by a server: more LOG N [SERVER]
more()
{
	local since=$EPOCHREALTIME

	wait_for 15 "$2 more requests of $1 are answered by ${3:-anyone}" answered_enough "$1" "$2" "${3:-.}" "$since"
}

answered_enough()
{
	[ "$(answered "$1" "$3" "$4")" -ge "$2" ]
}

[ "$(id -u)" = 0 ] || fail "these tests need root"
[ -x "$build/apps/tandemd/tandemd" ] || fail "$build has no tandemd: build it first"
[ "$engine" = xdp ] || has_dpdk
exec 3>&1 4>&2
lab=$(mktemp -d /run/tandem-test.XXXXXX)
trap finish EXIT
trap 'remember_failure $? $LINENO "$BASH_COMMAND"' ERR
trap 'fail interrupted' INT TERM
