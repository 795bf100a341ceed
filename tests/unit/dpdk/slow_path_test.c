/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports by DPDK's own means, and frames between workers and a socket in a tap's place. */
#include "dataplane/dpdk/slow_path.h"
#include <errno.h>
#include <rte_ethdev.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "dataplane/dpdk/frames.h"
#include "dataplane/dpdk/port.h"
#include "dataplane/dpdk/tap_io.h"
#include "dataplane/dpdk/vhost_io.h"
#include "tests/unit/dpdk/eal.h"
#include "tests/unit/test.h"

enum {
	WORKERS = 2,
	ROOM = 1600,
	FRAMES = 4095,
	IFINDEX = 7,
	MANY = 700,
	FROM_HOST = 511,
	XDP_RINGS = 2 * 2048
};

/* A port, two workers, the host's end of the tap. */
struct bed {
	struct rte_mempool *frames;
	struct core core;
	struct bell bell;
	struct port port;
	struct slow_path *path;
	struct host_io *io;
	int tap, host;
};

static struct bed bed;

static const struct port_options quiet = {
	.devargs = "net_null_quiet,no-rx=1", .mtu = 1500, .workers = 1
};

static int setup(void **state)
{
	const struct core_options o = {
		.sizes = { 1, 1, 1, 16, 16, 16, 16, 16, WORKERS },
		.limits = { 16, 1, 1 },
		.routes = 1,
	};
	const char *what;
	int ends[2];

	(void)state;
	memset(&bed, 0, sizeof bed);
	if (core_open(&bed.core, &o, &what) ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends))
		return -1;
	bed.frames = rte_pktmbuf_pool_create("frames", FRAMES, 0, 0, 2048, SOCKET_ID_ANY);
	bed.core.frames = bed.frames;
	bed.bell.fd = eventfd(0, EFD_NONBLOCK);
	bed.core.common.bell = &bed.bell;
	bed.tap = ends[0];
	bed.host = ends[1];
	if (!bed.frames || port_open(&bed.port, &quiet) || port_start(&bed.port, bed.frames))
		return -1;
	port_give(&bed.port, &bed.core, IFINDEX);
	return tap_io_open(&bed.io, bed.tap, bed.frames, ROOM) ||
	       slow_path_open(&bed.path, &bed.core) || slow_path_join(bed.path, 0, bed.io);
}

static int teardown(void **state)
{
	(void)state;
	port_close(&bed.port);
	host_io_close(bed.io);
	slow_path_close(bed.path);
	core_close(&bed.core);
	/* Nothing is left behind anywhere. */
	assert_int_equal(rte_mempool_avail_count(bed.frames), FRAMES);
	rte_mempool_free(bed.frames);
	close(bed.bell.fd);
	close(bed.tap);
	close(bed.host);
	return 0;
}

static struct rte_mbuf *frame(uint8_t byte, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(bed.frames);

	assert_non_null(m);
	memset(rte_pktmbuf_append(m, len), byte, len);
	return m;
}

static void turn(void)
{
	struct pollfd fds[WORKER_PORTS];
	unsigned n = slow_path_fds(bed.path, fds);

	assert_int_equal(n, 1);
	poll(fds, n, 0);
	slow_path_from_host(bed.path, fds);
	slow_path_to_host(bed.path);
}

/* Of every worker, byte for byte, a budget a turn. */
static void to_host(void **state)
{
	uint8_t bytes[ROOM];
	unsigned n = 0, of[WORKERS] = { 0 };

	(void)state;
	assert_false(slow_path_has_frames(bed.path));
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(rte_ring_enqueue(bed.core.workers[0]->ports[0].to_host,
					 frame(1, (uint16_t)(60 + i))),
			0);
	assert_int_equal(
		rte_ring_enqueue(bed.core.workers[1]->ports[0].to_host, frame(2, 1514)), 0);
	assert_true(slow_path_has_frames(bed.path));
	slow_path_to_host(bed.path);
	for (ssize_t len; (len = recv(bed.host, bytes, sizeof bytes, 0)) > 0; n++) {
		of[bytes[0] - 1]++;
		if (bytes[0] == 1)
			assert_int_equal(len, 60 + of[0] - 1);
		else
			assert_int_equal(len, 1514);
		assert_int_equal(bytes[len - 1], bytes[0]);
	}
	/* The worker with many does not keep the other's from the first turn, nor this from ending. */
	assert_int_equal(of[1], 1);
	assert_in_range(n, 64, 96);
	for (unsigned i = 0; i < 3; i++)
		turn();
	assert_false(slow_path_has_frames(bed.path));
}

/* To the one worker whose queue is used; what has no room is counted. */
static void from_host(void **state)
{
	struct rte_ring *ring = bed.core.workers[0]->ports[0].from_host;
	uint8_t bytes[100];
	void *got = NULL;

	(void)state;
	assert_null(bed.core.workers[1]->ports[0].from_host);
	memset(bytes, 5, sizeof bytes);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(send(bed.host, bytes, sizeof bytes, 0), sizeof bytes);
		if (i % 64 == 63)
			turn();
	}
	for (unsigned i = 0; i < 4; i++)
		turn();
	assert_int_equal(rte_ring_count(ring), FROM_HOST);
	assert_int_equal(bed.core.verdicts[L4_V_LINK_BUSY], MANY - FROM_HOST);
	assert_int_equal(rte_ring_dequeue(ring, &got), 0);
	assert_int_equal(rte_pktmbuf_pkt_len((struct rte_mbuf *)got), sizeof bytes);
	assert_memory_equal(rte_pktmbuf_mtod((struct rte_mbuf *)got, void *), bytes, sizeof bytes);
	rte_pktmbuf_free(got);
}

/* A host that takes nothing costs frames, by name, and nothing else. */
static void host_refuses(void **state)
{
	(void)state;
	close(bed.host);
	bed.host = -1;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(rte_ring_enqueue(bed.core.workers[0]->ports[0].to_host, frame(1, 60)), 0);
	slow_path_to_host(bed.path);
	assert_int_equal(bed.core.verdicts[L4_V_HOST_BUSY], 1);
}

/* An end that tells once of all that it has, as a ring does. */
struct told_once {
	struct host_io io;
	unsigned left, given;
};

static unsigned take_left(struct host_io *io, struct rte_mbuf **frames, unsigned n)
{
	struct told_once *t = (struct told_once *)io;

	n = n < t->left ? n : t->left;
	for (unsigned i = 0; i < n; i++)
		frames[i] = frame(3, 60);
	t->left -= n;
	return n;
}

static unsigned give_all_but_one(struct host_io *io, struct rte_mbuf **frames, unsigned n)
{
	struct told_once *t = (struct told_once *)io;

	rte_pktmbuf_free_bulk(frames, n);
	t->given += n - 1;
	return n - 1;
}

/* What the budget has left is gone on with, though nobody tells of it again; what the host has not taken is counted. */
static void other_ends(void **state)
{
	static const struct host_io_kind kind = { "once", take_left, give_all_but_one, NULL };
	struct told_once t = { { &kind, -1 }, 200, 0 };
	struct rte_ring *ring;
	struct pollfd fds[WORKER_PORTS] = { { .revents = POLLIN } };

	(void)state;
	slow_path_close(bed.path);
	assert_int_equal(slow_path_open(&bed.path, &bed.core), 0);
	assert_int_equal(slow_path_join(bed.path, 0, &t.io), 0);
	ring = bed.core.workers[0]->ports[0].from_host;
	slow_path_from_host(bed.path, fds);
	assert_in_range(rte_ring_count(ring), 64, 96);
	assert_true(slow_path_has_frames(bed.path));
	fds[0].revents = 0;
	for (unsigned i = 0; i < 4; i++)
		slow_path_from_host(bed.path, fds);
	assert_int_equal(rte_ring_count(ring), 200);
	assert_false(slow_path_has_frames(bed.path));
	t.left = 1;
	slow_path_from_host(bed.path, fds);
	assert_int_equal(t.left, 1);
	for (unsigned i = 0; i < 10; i++)
		rte_ring_enqueue(bed.core.workers[0]->ports[0].to_host, frame(1, 60));
	slow_path_to_host(bed.path);
	assert_int_equal(t.given, 9);
	assert_int_equal(bed.core.verdicts[L4_V_HOST_BUSY], 1);
}

/* Workers ring for a sleeper once, and for nobody else. */
static void bell(void **state)
{
	eventfd_t rings;

	(void)state;
	bell_ring(&bed.bell);
	assert_int_equal(eventfd_read(bed.bell.fd, &rings), -1);
	bell_sleep(&bed.bell);
	bell_ring(&bed.bell);
	bell_ring(&bed.bell);
	bell_wake(&bed.bell, true);
	assert_int_equal(eventfd_read(bed.bell.fd, &rings), -1);
	bell_ring(&bed.bell);
	assert_int_equal(eventfd_read(bed.bell.fd, &rings), -1);
}

static void sentences(void **state)
{
	struct port_options o = { .devargs = "0000:ff:1f.7", .mtu = 1500, .workers = 1 };
	struct port p;

	(void)state;
	assert_true(port_open(&p, &o) < 0);
	assert_non_null(strstr(p.why, "0000:ff:1f.7"));
	port_close(&p);
	o.devargs = "";
	assert_int_equal(port_open(&p, &o), -EINVAL);
	port_close(&p);
	o = quiet;
	assert_int_equal(port_open(&p, &o), -EEXIST);
	assert_non_null(strstr(p.why, "another interface's"));
	port_close(&p);
	o.devargs = "net_null_few";
	o.workers = 2000;
	assert_int_equal(port_open(&p, &o), -ENOSPC);
	assert_non_null(strstr(p.why, "fewer CPUs"));
	port_close(&p);
	/* It may be opened again. */
	o.workers = 3;
	assert_int_equal(port_open(&p, &o), 0);
	assert_string_equal(p.driver, "net_null");
	assert_int_equal(p.tx_queues, 3);
	assert_true(port_frames(&p) >= 6);
	assert_true(p.room >= RTE_PKTMBUF_HEADROOM + 1500 + 22 + 64);
	port_close(&p);
}

static void room_for_xdp_sockets(void **state)
{
	struct port_options o = {
		.devargs = "net_af_xdp_lo,iface=lo", .has_mtu = true, .workers = 1
	};
	struct port p;

	(void)state;
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	o.mtu = 3434;
	assert_int_equal(port_open(&p, &o), 0);
	assert_true(p.pages);
	assert_int_equal(p.room, frames_page_room());
	assert_true(port_frames(&p) >= XDP_RINGS + 2 * PORT_DESCRIPTORS);
	port_close(&p);
	o.mtu = 3435;
	assert_int_equal(port_open(&p, &o), -EMSGSIZE);
	assert_non_null(strstr(p.why, "3434"));
	port_close(&p);
}

static void devargs_of_vhost(void **state)
{
	const struct vhost_io_options o = {
		.number = 63, .tap = "fifteen-letters", .mac = { 2, 0, 0, 0xab, 0xcd, 0xef }
	};
	char text[PORT_DEVARGS];

	(void)state;
	vhost_io_devargs(text, &o);
	assert_string_equal(text,
		"net_virtio_user_host63,path=/dev/vhost-net,iface=fifteen-letters,"
		"mac=02:00:00:ab:cd:ef,queue_size=512,mrg_rxbuf=0");
}

/* Where the kernel has no vhost-net, or no such tap. */
static void vhost_refuses(void **state)
{
	const struct vhost_io_options o = { .number = 1, .tap = "no/tap", .mtu = 1500 };
	struct host_io *io = NULL;
	char why[PORT_WHY];

	(void)state;
	assert_true(vhost_io_open(&io, &o, bed.frames, why) < 0);
	assert_null(io);
	assert_non_null(strstr(why, "virtio-user fails"));
}

static void devargs_of_kernel_devices(void **state)
{
	char text[PORT_DEVARGS];

	(void)state;
	port_devargs(text, PORT_AF_PACKET, "front-nic", 1500, 2);
	assert_string_equal(text, "net_af_packet_front-nic,iface=front-nic,qpairs=2,"
				  "blocksz=4096,framesz=2048,framecnt=512");
	port_devargs(text, PORT_AF_PACKET, "front-nic", 9000, 1);
	assert_non_null(strstr(text, "blocksz=12288,framesz=12288"));
	port_devargs(text, PORT_AF_XDP, "nic7", 1500, 2);
	assert_string_equal(text, "net_af_xdp_nic7,iface=nic7,start_queue=0,queue_count=2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(to_host, setup, teardown),
		cmocka_unit_test_setup_teardown(from_host, setup, teardown),
		cmocka_unit_test_setup_teardown(host_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(other_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(bell, setup, teardown),
		cmocka_unit_test_setup_teardown(sentences, setup, teardown),
		cmocka_unit_test(room_for_xdp_sockets),
		cmocka_unit_test_setup_teardown(vhost_refuses, setup, teardown),
		cmocka_unit_test(devargs_of_kernel_devices),
		cmocka_unit_test(devargs_of_vhost),
	};

	if (eal_begin())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
