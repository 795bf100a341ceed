# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What bad_host.sh and dpdk_bad_host.sh share: a program that cannot work says so in one sentence.
# nothing_stays, which each of them defines, is what must be so afterwards.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/helper.sh"

# on() is a function of this shell: what timeout runs must be a command.
# shellcheck disable=SC2034 # the scripts'
lb=(nsenter --net="/run/netns/$prefix-lb" --)
# shellcheck disable=SC2034
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all)
# shellcheck disable=SC2034
plain=("$build/apps/tandemd/tandemd" -c "$lab/tandem.conf" --run-dir "$lab/run" --state-dir "$lab/state")

# Writes the configuration as SED-EXPRESSION changes it, and prints where: with SED-EXPRESSION
with()
{
	sed "$1" "$lab/tandem.conf" >"$lab/other.conf"
	echo "$lab/other.conf"
}

# What the last start said, without the notes about the configuration and the log's time.
said()
{
	grep -E '^(tandemd:|tandem-dpdk:|[0-9T:.-]+Z) ' "$lab/said" | grep -vE '^[0-9T:.Z-]+ (info|warning): ' |
		sed -E 's/^[0-9T:.Z-]+ //' || :
}

# Starts a program by a COMMAND and expects one line with PATTERN, and that lb is as before: refuses PATTERN COMMAND...
refuses()
{
	local pattern=$1 status=0

	shift
	timeout "$((10 * ${SLOW:-1}))" "$@" >"$lab/said" 2>&1 || status=$?
	cat "$lab/said" >>"$lab/all.log"
	expect_is "exit status of: $*" "$status" 1
	expect_is "lines about what is wrong, $(said)," "$(said | wc -l)" 1
	expect "\"$(said)\" says $pattern" grep -qE -- "$pattern" <(said)
	nothing_stays
}

# An address of a VIP that the host itself has keeps tandemd from starting.
taken_vips_refused()
{
	local family length

	for family in 4 6; do
		[ "$family" = 4 ] && length=32 || length=128
		ip -n "$prefix-lb" addr add "$(addr front 10)/$length" dev front
		refuses "vip \"web$family\".*$(addr front 10) is in use.*front.*(remove|choose)" "${lb[@]}" "${plain[@]}"
		ip -n "$prefix-lb" addr del "$(addr front 10)/$length" dev front
	done
}
