/* SPDX-License-Identifier: BSD-2-Clause */
/* A neighbour reaches this host by an interface that has been handed over, without any engine: a process carries all frames
 * between the device and the tap.
 *
 *   neighbour (namespace of its own)     this host
 *   far 10.1.0.1 2001:db8:1::1  ------   front 10.1.0.2 2001:db8:1::2 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "controlplane/nic/handover.h"
#include "tests/unit/nic/handover_lab.h"
#include "tests/unit/test.h"

enum { FRAME = 4096, PORT = 8080, LOAD = 200000, PART = 20000, PINGS = 3 };

static pid_t neighbour, server, forwarder;
static int here = -1, there = -1;

/* What came to the neighbour. */
struct counts {
	unsigned arp, echo, nd, echo6, other_macs;
};

static void end(pid_t *child)
{
	if (*child > 0) {
		kill(*child, SIGKILL);
		waitpid(*child, NULL, 0);
	}
	*child = 0;
}

static int open_namespace(pid_t of)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/ns/net", of);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* A socket of the neighbour's. */
static int socket_there(int family, int type, int protocol)
{
	int fd;

	assert_int_equal(setns(there, CLONE_NEWNET), 0);
	fd = socket(family, type | SOCK_CLOEXEC, protocol);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	assert_true(fd >= 0);
	return fd;
}

static void at_neighbour(const char *command)
{
	char line[512];

	snprintf(
		line, sizeof line, "nsenter --net=/proc/%d/ns/net sh -ec '%s'", neighbour, command);
	lab_run(line);
}

static struct sockaddr_in host_address(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	inet_pton(AF_INET, "10.1.0.2", &a.sin_addr);
	return a;
}

/* Gives back to each client what it sends. */
static _Noreturn void serve(int fd)
{
	static char bytes[65536];

	for (;;) {
		int one = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		ssize_t n;

		while ((n = recv(one, bytes, sizeof bytes, 0)) > 0)
			send(one, bytes, (size_t)n, MSG_NOSIGNAL);
		close(one);
	}
}

static pid_t start_server(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t child;

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 5), 0);
	child = fork();
	if (!child)
		serve(fd);
	close(fd);
	return child;
}

static int begin(void **state)
{
	char line[160];

	(void)state;
	if (lab_new(false))
		return -1;
	here = open_namespace(getpid());
	neighbour = fork();
	if (!neighbour) {
		if (unshare(CLONE_NEWNET))
			_exit(1);
		for (;;)
			pause();
	}
	snprintf(line, sizeof line, "[ /proc/%d/ns/net -ef /proc/self/ns/net ]", neighbour);
	while (lab_try(line)) /* until it has gone into its namespace */
		usleep(10000);
	there = open_namespace(neighbour);
	snprintf(line, sizeof line,
		"ip link set far netns %d && ip addr add 10.1.0.2/24 dev front && "
		"ip addr add 2001:db8:1::2/64 dev front nodad",
		neighbour);
	lab_run(line);
	at_neighbour("echo 0 >/proc/sys/net/ipv6/conf/far/disable_ipv6\n"
		     "ethtool -K far tx off >/dev/null\n"
		     "ip link set far up\n"
		     "ip addr add 10.1.0.1/24 dev far\n"
		     "ip addr add 2001:db8:1::1/64 dev far nodad");
	server = start_server();
	return 0;
}

static int finish(void **state)
{
	(void)state;
	end(&forwarder);
	end(&server);
	end(&neighbour);
	close(here);
	close(there);
	here = there = -1;
	return 0;
}

static int listen_to(int fd, const char *device)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(device) };
	int yes = 1;

	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes))
		return -1;
	return bind(fd, (struct sockaddr *)&a, sizeof a);
}

static int listen_at_neighbour(void)
{
	int fd = socket_there(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0), rc;

	setns(there, CLONE_NEWNET);
	rc = listen_to(fd, "far");
	setns(here, CLONE_NEWNET);
	assert_int_equal(rc, 0);
	return fd;
}

static void count_frame(struct counts *c, const uint8_t *f, size_t n, const uint8_t mac[6])
{
	unsigned type = n >= 42 ? f[12] << 8 | f[13] : 0;

	c->other_macs += !!memcmp(f + 6, mac, 6);
	c->arp += type == ETH_P_ARP && f[21] == 2;
	c->echo += type == ETH_P_IP && f[23] == IPPROTO_ICMP && f[34] == 0;
	c->nd += type == ETH_P_IPV6 && n > 54 && f[20] == IPPROTO_ICMPV6 && f[54] == 136;
	c->echo6 += type == ETH_P_IPV6 && n > 54 && f[20] == IPPROTO_ICMPV6 && f[54] == 129;
}

static struct counts count(int fd, const uint8_t mac[6])
{
	struct counts c = { 0 };
	uint8_t frame[FRAME];
	ssize_t n;

	while ((n = recv(fd, frame, sizeof frame, 0)) > 0)
		count_frame(&c, frame, (size_t)n, mac);
	close(fd);
	return c;
}

static bool transfer(void)
{
	static char bytes[LOAD], back[LOAD];
	struct sockaddr_in a = host_address();
	struct timeval wait = { .tv_sec = 5 };
	int fd = socket_there(AF_INET, SOCK_STREAM, 0);
	size_t sent = 0, got = 0;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 7);
	memset(back, 0, sizeof back);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	if (connect(fd, (struct sockaddr *)&a, sizeof a)) {
		close(fd);
		return false;
	}
	while (got < sizeof back) {
		size_t left = sizeof bytes - sent;
		ssize_t n = send(fd, bytes + sent, left < PART ? left : PART, MSG_NOSIGNAL);

		if (n < 0)
			break;
		sent += (size_t)n;
		n = recv(fd, back + got, sizeof back - got, 0);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	close(fd);
	return got == sizeof back && !memcmp(bytes, back, sizeof back);
}

/* One answer to each question, no more, and all of them from the one MAC address. */
static void neighbour_reaches_us(const uint8_t mac[6])
{
	struct counts c;
	int fd;

	at_neighbour("ip neigh flush dev far\nip neigh flush dev far");
	lab_try("ip neigh flush dev front");
	fd = listen_at_neighbour();
	at_neighbour("ping -q -c 3 -i 0.1 -W 2 10.1.0.2 >/dev/null\n"
		     "ping -q -c 3 -i 0.1 -W 2 2001:db8:1::2 >/dev/null");
	assert_true(transfer());
	c = count(fd, mac);
	assert_int_equal(c.arp, 1);
	assert_int_equal(c.echo, PINGS);
	assert_int_equal(c.nd, 1);
	assert_int_equal(c.echo6, PINGS);
	assert_int_equal(c.other_macs, 0);
}

static _Noreturn void forward(int nic, int tap)
{
	struct pollfd p[2] = { { .fd = nic, .events = POLLIN }, { .fd = tap, .events = POLLIN } };
	char frame[FRAME];

	for (;;) {
		ssize_t n;

		poll(p, 2, -1);
		n = recv(nic, frame, sizeof frame, MSG_DONTWAIT);
		if (n > 0 && write(tap, frame, (size_t)n) < 0)
			perror("tap");
		n = read(tap, frame, sizeof frame);
		if (n > 0 && send(nic, frame, (size_t)n, 0) < 0)
			perror("nic");
	}
}

static pid_t start_forwarder(const struct handover *h)
{
	int nic = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	pid_t child;

	assert_int_equal(listen_to(nic, handover_nic(h)), 0);
	child = fork();
	if (!child)
		forward(nic, handover_tap(h));
	close(nic);
	return child;
}

static void read_mac(uint8_t mac[6])
{
	FILE *in = popen("ip -o link show front | grep -o 'ether [0-9a-f:]*'", "re");
	unsigned m[6];

	assert_non_null(in);
	assert_int_equal(
		fscanf(in, "ether %x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]), 6);
	pclose(in);
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)m[i];
}

static void a_neighbour_reaches_the_host_by_the_tap(void **state)
{
	struct handover *h;
	uint8_t mac[6];

	(void)state;
	read_mac(mac);
	neighbour_reaches_us(mac);
	h = lab_take();
	forwarder = start_forwarder(h);
	neighbour_reaches_us(mac);
	/* Another process takes it up: the neighbour sees nothing of that. */
	end(&forwarder);
	handover_leave(h);
	h = lab_take();
	assert_true(handover_was_taken(h));
	forwarder = start_forwarder(h);
	neighbour_reaches_us(mac);
	end(&forwarder);
	lab_give_back(h);
	neighbour_reaches_us(mac);
}

/* Nothing that the device takes in reaches the stack by itself, and nothing of the stack's leaves by it. */
static void without_an_engine_nobody_answers(void **state)
{
	struct handover *h;
	struct counts c;
	uint8_t mac[6];
	int fd;

	(void)state;
	read_mac(mac);
	h = lab_take();
	lab_run("echo 1 >/proc/sys/net/ipv4/ip_forward");
	fd = listen_at_neighbour();
	at_neighbour("ip neigh replace 10.1.0.2 lladdr $(ip neigh show 10.1.0.2 | grep -o "
		     "\"..:..:..:..:..:..\" || echo 02:00:00:00:00:09) dev far nud permanent\n"
		     "! ping -q -c 2 -i 0.1 -W 1 10.1.0.2 >/dev/null\n"
		     "ip neigh del 10.1.0.2 dev far\n"
		     "! ping -q -c 1 -W 1 10.1.0.2 >/dev/null\n"
		     "! ping -q -c 1 -W 1 2001:db8:1::2 >/dev/null");
	c = count(fd, mac);
	assert_int_equal(c.arp + c.echo + c.nd + c.echo6, 0);
	lab_give_back(h);
	neighbour_reaches_us(mac);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_neighbour_reaches_the_host_by_the_tap, begin, finish),
		cmocka_unit_test_setup_teardown(without_an_engine_nobody_answers, begin, finish),
	};

	return cmocka_run_group_tests(tests, lab_begin, lab_end);
}
