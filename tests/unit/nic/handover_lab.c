/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/nic/handover_lab.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/unit/test.h"

char lab_dir[] = "/tmp/tandem-handover-XXXXXX";

enum { PAUSE_US = 20000, PAUSES = 250 };

bool lab_try(const char *command)
{
	return !system(command); /* NOLINT(cert-env33-c): a test's own words */
}

void lab_run(const char *command)
{
	if (!lab_try(command))
		fail_msg("%s", command);
}

/* Settings first: addresses that become valid while forwarding changes may join the anycast address of their network twice,
 * after which the kernel loses its route when the device goes down. */
static const char much[] =
	"ip link set front mtu 1400\n"
	"echo 2 >/proc/sys/net/ipv4/conf/front/rp_filter\n"
	"echo 1 >/proc/sys/net/ipv4/conf/front/arp_ignore\n"
	"echo 1 >/proc/sys/net/ipv4/conf/front/forwarding\n"
	"echo 1 >/proc/sys/net/ipv4/conf/front/proxy_arp\n"
	"echo 1 >/proc/sys/net/ipv6/conf/front/forwarding\n"
	"echo 2 >/proc/sys/net/ipv6/conf/front/accept_ra\n"
	"echo 1300 >/proc/sys/net/ipv6/conf/front/mtu\n"
	"echo 77 >/proc/sys/net/ipv4/neigh/front/gc_stale_time\n"
	"ip addr add 10.1.0.2/24 brd + dev front\n"
	"ip addr add 10.1.0.3/24 dev front\n"
	"ip addr add 10.2.0.1 peer 10.2.0.2/32 dev front\n"
	"ip addr add 10.3.0.1/24 dev front label front:one metric 50\n"
	"ip addr add 10.4.0.1/24 dev front noprefixroute valid_lft 10000 preferred_lft 5000\n"
	"ip addr add 169.254.1.1/16 dev front scope link\n"
	"ip addr add 2001:db8:1::1/64 dev front\n"
	"ip addr add 2001:db8:1::2/64 dev front nodad\n"
	"ip addr add 2001:db8:2::1/64 dev front noprefixroute\n"
	"ip addr add 2001:db8:3::1/64 dev front preferred_lft 0\n"
	"ip addr add 2001:db8:4::1/64 dev front valid_lft 9000 preferred_lft 4000\n"
	"ip addr add 2001:db8:5::1 peer 2001:db8:5::2/128 dev front metric 77\n"
	"ip addr add 10.9.0.1/24 dev other\n"
	"ip addr add 2001:db8:9::1/64 dev other nodad\n"
	"i=0; while ip -6 addr | grep -q tentative && [ $((i += 1)) -lt 200 ]; do sleep 0.05; done\n"
	"ip route add 192.0.2.0/24 via 10.1.0.1 metric 7 mtu lock 1300 src 10.1.0.3\n"
	"ip route add 198.51.101.0/24 dev front scope link\n"
	"ip route add 198.51.100.0/24 via 198.51.101.1\n"
	"ip route add 203.0.113.0/24 via 9.9.9.9 dev front onlink\n"
	"ip route add default via 10.1.0.1 table 77\n"
	"ip route add local 10.99.0.0/16 dev front\n"
	"ip route add 10.80.0.0/16 via 10.1.0.1 tos 0x10\n"
	"ip route add 10.80.0.0/16 via 10.1.0.9\n"
	"ip route append 10.80.0.0/16 via 10.1.0.8\n"
	"ip route add 10.70.0.0/16 via inet6 fe80::1 dev front\n"
	"ip route add 10.60.0.0/16 via 10.9.0.2 src 10.1.0.2\n"
	"ip route add 10.50.0.0/16 nexthop via 10.1.0.1 dev front weight 2 nexthop via 10.9.0.2 dev other\n"
	"ip route add 10.51.0.0/16 nexthop via 10.1.0.1 dev front nexthop via 10.1.0.4 dev front\n"
	"ip -6 route add 2001:db8:50::/48 via fe80::1 dev front\n"
	"ip -6 route add default via 2001:db8:1::ff metric 5 pref high\n"
	"ip -6 route add 2001:db8:70::/48 dev front expires 9000\n"
	"ip -6 route add 2001:db8:60::/48 nexthop via 2001:db8:1::ff dev front "
	"nexthop via 2001:db8:9::2 dev other\n"
	"ip -6 route add local 2001:db8:99::/64 dev front\n"
	"ip neigh add 10.1.0.1 lladdr 02:00:00:00:00:01 dev front nud permanent\n"
	"ip neigh add 2001:db8:1::ff lladdr 02:00:00:00:00:01 dev front nud permanent router\n"
	"ip neigh add proxy 10.1.0.200 dev front\n"
	"ip neigh add proxy 2001:db8:1::200 dev front\n";

int lab_new(bool with_much)
{
	if (unshare(CLONE_NEWNET))
		return -1;
	lab_run("set -e\n"
		"ip link set lo up\n"
		"ip link add front type veth peer name far\n");
	if (!with_much) /* who needs no time to become valid */
		lab_run("echo 0 >/proc/sys/net/ipv6/conf/front/accept_dad");
	lab_run("set -e\n"
		"ip link add other type veth peer name far2\n"
		"for d in far far2; do echo 1 >/proc/sys/net/ipv6/conf/$d/disable_ipv6; done\n"
		"ip link set other addrgenmode none\n"
		"for d in front far other far2; do ip link set $d up; done\n"
		"i=0; until ip -6 route show table all | grep -q 'ff00.*front' &&"
		" ip -6 route show table all | grep -q 'ff00.*other' &&"
		" { [ $(cat /proc/sys/net/ipv6/conf/front/accept_dad) = 1 ] ||"
		" ip -6 addr show dev front | grep inet6 | grep -vq tentative; }; do\n"
		"[ $((i += 1)) -lt 200 ]; sleep 0.02; done\n");
	if (with_much) {
		char command[sizeof much + 16];

		snprintf(command, sizeof command, "set -e\n%s", much);
		lab_run(command);
	}
	return 0;
}

static char *read_all(const char *command)
{
	FILE *in = popen(command, "re"); /* NOLINT(cert-env33-c): a test's own words */
	char *text = NULL;
	size_t n = 0;

	assert_non_null(in);
	if (getdelim(&text, &n, '\0', in) < 0 && text)
		*text = '\0';
	pclose(in);
	assert_non_null(text);
	return text;
}

/* What is not there is no fault. */
#define ABOVE                                                                                                 \
	"exec 2>/dev/null; { ip -o addr show dev front | sed -E 's/^[0-9]+: //'; ip -4 route show table all;" \
	" ip -6 route show table all; ip neigh show nud permanent; ip neigh show proxy;"                      \
	" grep -s . /proc/sys/net/ipv?/*/front/* | grep -v '/unres_qlen:'; } | sed -E "                       \
	"'s/[0-9]+sec/Nsec/g; s/ linkdown//; s/multicast ff00::.8 dev front-nic .*//' | sort;"                \
	"ip -4 -o addr show dev front | awk '{ print $4 }';"                                                  \
	"ip -6 -o addr show dev front | awk '{ print $4 }'; ip -4 route; ip rule"

char *lab_look_above(void)
{
	return read_all(ABOVE);
}

char *lab_look(void)
{
	return read_all(ABOVE "; ip -o -d link; tc qdisc; tc filter show dev front ingress;"
			      " ip -o addr | sed -E 's/[0-9]+sec/Nsec/g';"
			      " grep -s . /proc/sys/net/ipv?/*/far/*");
}

static void show_difference(const char *before, const char *now)
{
	char path[2][64], command[320];
	const char *texts[2] = { before, now };

	for (int i = 0; i < 2; i++) {
		FILE *out;

		snprintf(path[i], sizeof path[i], "/tmp/tandem-handover-%d-%s", getpid(),
			i ? "now" : "before");
		out = fopen(path[i], "we");
		assert_non_null(out);
		fputs(texts[i], out);
		fclose(out);
	}
	snprintf(command, sizeof command, "diff -u %s %s; rm %s %s", path[0], path[1], path[0],
		path[1]);
	lab_try(command);
}

void lab_expect(char *(*look)(void), const char *before)
{
	for (int i = 0; i < PAUSES; i++) {
		char *now = look();
		bool same = !strcmp(now, before);

		if (!same && i == PAUSES - 1)
			show_difference(before, now);
		free(now);
		if (same)
			return;
		usleep(PAUSE_US);
	}
	fail_msg("it is not as before");
}

struct handover *lab_take(void)
{
	struct handover *h;
	struct err e;

	if (handover_take(&h, lab_dir, "front", &e))
		fail_msg("%s", e.text);
	return h;
}

void lab_give_back(struct handover *h)
{
	struct err e;

	if (handover_give_back(h, &e))
		fail_msg("%s", e.text);
}

void lab_give_back_all(int n)
{
	struct err e;
	int rc = handover_give_back_all(lab_dir, &e);

	if (rc < 0)
		fail_msg("%s", e.text);
	assert_int_equal(rc, n);
}

void lab_expect_nothing_left(void)
{
	char command[96];

	snprintf(command, sizeof command, "[ -z \"$(ls -A %s)\" ]", lab_dir);
	lab_run(command);
}

int lab_begin(void **state)
{
	(void)state;
	return mkdtemp(lab_dir) ? 0 : -1;
}

int lab_end(void **state)
{
	(void)state;
	return rmdir(lab_dir);
}

int lab_with_much(void **state)
{
	(void)state;
	return lab_new(true);
}

int lab_with_little(void **state)
{
	(void)state;
	return lab_new(false);
}
