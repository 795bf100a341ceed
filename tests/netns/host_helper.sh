# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What scripts share that are about tandem-dpdk and the host whose interfaces it has.
# shellcheck source-path=SCRIPTDIR
[ -n "${lab-}" ] || . "$(dirname "${BASH_SOURCE[0]}")/helper.sh"

# Those of an interface of lb's: addresses INTERFACE
addresses()
{
	ip -n "$prefix-lb" -br addr show "$1" | awk '{ $1 = $2 = ""; print }'
}

# Whether so many of twenty pings of an address come back: pings HOST ADDRESS LEAST
pings()
{
	on "$1" ping -q -n -i 0.02 -W "${SLOW:-1}" -c 20 "$2" >"$lab/ping" || :
	[ "$(sed -nE 's/.* ([0-9]+) received.*/\1/p' "$lab/ping")" -ge "$3" ]
}

# How many datagrams the client has sent.
datagrams()
{
	on client awk '$1 == "Udp:" && $5 ~ /^[0-9]/ { print $5 }' /proc/net/snmp
}

has_sent()
{
	[ "$(datagrams)" -ge "$1" ]
}

# Datagrams of all sizes up to one, as fast as one process sends them, to a port of an address' where nobody listens: flood LOG ADDRESS SIZE
flood()
{
	local before

	before=$(datagrams)
	start "$1" client /usr/bin/python3 -c '
import itertools, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in itertools.count():
    try:
        s.sendto(bytes(n % int(sys.argv[2])), (sys.argv[1], 9))
    except OSError:
        pass' "$2" "$3"
	wait_for 10 "the flood is there" has_sent "$((before + 1000))"
}

# It went on until now: flood_end LOG
flood_end()
{
	expect "the flood goes on" alive "$1"
	slay "$1"
}

# Hundredths of a second of processor time that the engine has used.
used()
{
	awk '{ print $14 + $15 }' "/proc/${pids[tandem-dpdk]}/stat"
}

# While nothing comes the engine takes so much of a processor at most: expect_idle WHAT PERCENT
expect_idle()
{
	local ticks

	sleep 1
	ticks=$(used)
	sleep 5
	ticks=$(($(used) - ticks))
	printf 'idle: %s %% of a processor\n' "$(awk "BEGIN { print $ticks / 5 }")"
	expect "$1" [ "$ticks" -le $(($2 * 5 * ${SLOW:-1})) ]
}

# The host's interfaces are as before, which the command expects of the time that is its argument, when tandem-dpdk has been killed and they
# were given back in its place, and when it has ended: expect_given_back COMMAND
expect_given_back()
{
	slay tandem-dpdk
	expect "interfaces are given back" on lb "$build/apps/tandem-dpdk/tandem-dpdk" --give-back --run-dir "$lab/run"
	"$1" "after they were given back"
	engine_start
	expect "tandem-dpdk ends well" stop tandem-dpdk
	"$1" "in the end"
	expect "the host is reached without it" pings client "$(addr front 2 4)" 20
}
