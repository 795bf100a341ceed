/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/wake/bed.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <rte_bus_vdev.h>
#include <rte_ethdev.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "apps/tandem-dpdk/sockets.h"
#include "tests/bench/processors.h"

enum { FRAME = 60, MTU = 1500, LOST_MS = 1000 };

#define NEAR	 "wake-near"
#define FAR	 "wake-far"
#define FAR_PORT "net_vhost_far"

static int64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int wake_make_links(struct err *e)
{
	if (unshare(CLONE_NEWNET))
		return err_set(e, -errno, "cannot make a network namespace (run as root): %s",
			strerror(errno));
	if (system("sysctl -qw net.ipv6.conf.default.disable_ipv6=1 && "
		   "ip link add " NEAR " type veth peer name " FAR " && "
		   "ip link set " NEAR " up && ip link set " FAR
		   " up")) /* NOLINT(cert-env33-c): own words */
		return err_set(e, -EIO, "cannot make the interfaces: ip link add failed");
	return 0;
}

/* How long a thread has waited for a processor since it began (proc_pid_schedstat(5)), in nanoseconds. */
static int64_t waited_ns(int stat)
{
	char text[96], *at;
	ssize_t n = pread(stat, text, sizeof text - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	at = strchr(text, ' ');
	return at ? strtoll(at, NULL, 10) : 0;
}

/* By the worker's thread, of each burst. */
static uint16_t stamp(uint16_t ethdev, uint16_t queue, struct rte_mbuf **frames, uint16_t n,
	uint16_t most, void *arg)
{
	struct wake_bed *b = arg;

	(void)ethdev;
	(void)queue;
	(void)frames;
	(void)most;
	if (n) {
		int64_t seen_ns = now_ns(CLOCK_MONOTONIC);

		b->waited_ns = waited_ns(b->stat);
		__atomic_store_n(&b->seen_ns, seen_ns, __ATOMIC_RELEASE);
	}
	return n;
}

static int open_far(struct wake_bed *b)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(FAR) };

	b->far = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	return b->far < 0 || bind(b->far, (const struct sockaddr *)&a, sizeof a) ? -errno : 0;
}

static int add_socket(struct wake_bed *b, struct err *e)
{
	char devargs[PORT_DEVARGS];
	const struct port_options o = {
		.devargs = devargs, .mtu = MTU, .has_mtu = true, .workers = 1
	};
	uint32_t ifindex = if_nametoindex(NEAR);
	int rc;

	port_devargs(devargs, PORT_AF_PACKET, NEAR, MTU, 1);
	rc = port_open(&b->port, &o);
	if (!rc)
		rc = port_start(&b->port, b->rig.frames);
	if (rc)
		return err_set(e, rc, "%s", b->port.why);
	port_give(&b->port, &b->rig.core, SITE_FRONT);
	loop_add_port(&b->loop, sockets_of(ifindex, 0));
	rc = open_far(b);
	return rc ? err_set(e, rc, "no packet socket: %s", strerror(-rc)) : 0;
}

static int open_far_port(struct wake_bed *b)
{
	const struct rte_eth_conf conf = { 0 };
	char args[128];

	snprintf(b->path, sizeof b->path, "%s/vhost", b->rig.dir);
	snprintf(args, sizeof args, "iface=%s,queues=1", b->path);
	if (rte_vdev_init(FAR_PORT, args) || rte_eth_dev_get_port_by_name(FAR_PORT, &b->far_port))
		return -ENODEV;
	return rte_eth_dev_configure(b->far_port, 1, 1, &conf) ||
			       rte_eth_rx_queue_setup(
				       b->far_port, 0, 64, SOCKET_ID_ANY, NULL, b->rig.frames) ||
			       rte_eth_tx_queue_setup(b->far_port, 0, 64, SOCKET_ID_ANY, NULL) ||
			       rte_eth_dev_start(b->far_port)
		       ? -EIO
		       : 0;
}

static void close_far_port(struct wake_bed *b)
{
	if (!*b->path)
		return;
	rte_eth_dev_stop(b->far_port);
	rte_vdev_uninit(FAR_PORT);
}

static int add_interrupt(struct wake_bed *b, struct err *e)
{
	char devargs[PORT_DEVARGS];
	const struct port_options o = { .devargs = devargs,
		.mtu = MTU,
		.has_mtu = true,
		.workers = 1,
		.rx_descriptors = 256,
		.tx_descriptors = 256,
		.interrupts = true };
	int rc = open_far_port(b);

	if (rc)
		return err_set(e, rc, "DPDK makes no port of net_vhost");
	snprintf(devargs, sizeof devargs, "net_virtio_user_near,path=%s,queues=1", b->path);
	rc = port_open(&b->port, &o);
	if (!rc)
		rc = port_start(&b->port, b->rig.frames);
	if (rc)
		return err_set(e, rc, "%s", b->port.why);
	port_give(&b->port, &b->rig.core, SITE_FRONT);
	rc = loop_add_interrupt(&b->loop, b->port.ethdev, 0);
	return rc ? err_set(e, rc, "%s has no interrupts", b->port.driver) : 0;
}

static int add_ring(struct wake_bed *b, struct err *e)
{
	int rc = wire_add(&b->wire, b->rig.core.workers[0], SITE_FRONT, b->rig.frames);

	loop_add_port(&b->loop, -1);
	return rc ? err_set(e, rc, "DPDK makes no port of rings") : 0;
}

static void *run(void *arg)
{
	struct wake_bed *b = arg;

	b->stat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	sem_post(&b->ready);
	loop_run(&b->loop);
	return NULL;
}

static int start(struct wake_bed *b, struct err *e)
{
	uint16_t ethdev = b->rig.core.workers[0]->ports[0].ethdev;
	pthread_attr_t attr;
	int rc;

	if (!rte_eth_add_rx_callback(ethdev, 0, stamp, b))
		return err_set(e, -ENOTSUP, "this DPDK was built without callbacks of queues");
	pthread_attr_init(&attr);
	rc = processors_stay_on(&attr, 0) ? pthread_create(&b->thread, &attr, run, b) : EINVAL;
	pthread_attr_destroy(&attr);
	b->runs = !rc;
	if (rc)
		return err_set(e, -rc, "no thread: %s", strerror(rc));
	sem_wait(&b->ready);
	return b->stat >= 0 ? 0 : err_set(e, -ENOTSUP, "this kernel has no schedstat of threads");
}

int wake_bed_open(struct wake_bed *b, enum wake_port kind, bool adaptive, struct err *e)
{
	int rc;

	memset(b, 0, sizeof *b);
	b->kind = kind;
	b->far = b->stat = -1;
	sem_init(&b->ready, 0, 0);
	b->wire.ethdev = -1;
	rc = site_open(&b->site, SITE_TEN, e);
	if (!rc)
		rc = rig_open(&b->rig, &b->site->world, 1, e);
	if (!rc && loop_open(&b->loop, b->rig.core.workers[0], adaptive))
		rc = err_set(e, -EMFILE, "no descriptor for a bell");
	if (!rc)
		rc = kind == WAKE_RING	   ? add_ring(b, e)
		     : kind == WAKE_SOCKET ? add_socket(b, e)
					   : add_interrupt(b, e);
	return rc ? rc : start(b, e);
}

void wake_bed_close(struct wake_bed *b)
{
	if (b->runs) {
		loop_stop(&b->loop);
		pthread_join(b->thread, NULL);
	}
	loop_close(&b->loop);
	if (b->far >= 0)
		close(b->far);
	if (b->stat >= 0)
		close(b->stat);
	sem_destroy(&b->ready);
	if (b->kind == WAKE_RING)
		wire_remove(&b->wire);
	port_close(&b->port);
	close_far_port(b);
	rig_close(&b->rig);
	site_close(b->site);
}

/* A frame of nobody's that the host would get. Returns 0 or a negative errno. */
static int send_frame(struct wake_bed *b)
{
	static const struct ether_header frame[FRAME / sizeof(struct ether_header) + 1] = {
		{ .ether_dhost = "\2\0\0\0\0\1",
			.ether_shost = "\2\0\0\0\0\2",
			.ether_type = 0xb588 /* local experiments */ }
	};
	struct rte_mbuf *m;

	if (b->kind == WAKE_SOCKET)
		return send(b->far, frame, FRAME, 0) == FRAME ? 0 : -errno;
	m = wire_frame(b->rig.frames, frame, FRAME);
	if (!m)
		return -ENOMEM;
	if (b->kind == WAKE_INTERRUPT)
		return rte_eth_tx_burst(b->far_port, 0, &m, 1) ? 0 : -EIO;
	return rte_ring_enqueue(b->wire.in, m);
}

static void forget_passed(struct wake_bed *b)
{
	void *m;

	while (b->kind == WAKE_RING && !rte_ring_dequeue(b->wire.host, &m))
		rte_pktmbuf_free(m);
}

int wake_send(struct wake_bed *b, struct wake_time *out)
{
	const struct timespec turn = { .tv_nsec = 1000000 };
	int self = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	int64_t waited = waited_ns(b->stat), own = waited_ns(self), began, seen = 0;
	int rc;

	__atomic_store_n(&b->seen_ns, 0, __ATOMIC_RELEASE);
	began = now_ns(CLOCK_MONOTONIC);
	rc = send_frame(b);
	own = waited_ns(self) - own;
	close(self);
	for (int i = 0; i < LOST_MS && !rc && !seen; i++) {
		nanosleep(&turn, NULL);
		seen = __atomic_load_n(&b->seen_ns, __ATOMIC_ACQUIRE);
	}
	forget_passed(b);
	out->ns = seen - began;
	out->calm_ns = out->ns - (b->waited_ns - waited) - own;
	return rc ? rc : seen ? 0 : -ETIMEDOUT;
}

int64_t wake_cpu_ns(const struct wake_bed *b)
{
	clockid_t clock;

	return pthread_getcpuclockid(b->thread, &clock) ? 0 : now_ns(clock);
}

uint64_t wake_sleeps(const struct wake_bed *b)
{
	return __atomic_load_n(&b->rig.core.workers[0]->times.sleeps, __ATOMIC_RELAXED);
}
