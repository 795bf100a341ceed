/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/dpdk/vhost_io.h"
#include <errno.h>
#include <fcntl.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct vhost_io {
	struct host_io io;
	struct port port;
};

int vhost_io_check(void)
{
	int fd = open(VHOST_IO_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* Without mergeable buffers a frame is one mbuf. */
void vhost_io_devargs(char out[PORT_DEVARGS], const struct vhost_io_options *o)
{
	const uint8_t *m = o->mac;

	snprintf(out, PORT_DEVARGS,
		"net_virtio_user_host%u,path=" VHOST_IO_DEVICE
		",iface=%s,mac=%02x:%02x:%02x:%02x:%02x:%02x,"
		"queue_size=%d,mrg_rxbuf=0",
		o->number, o->tap, m[0], m[1], m[2], m[3], m[4], m[5], HOST_IO_RING);
}

/* The kernel signals what comes after the last look into the ring. The driver leaves a few in it when it has found some, so that it
 * goes on at a line of the cache. */
static unsigned take(struct host_io *io, struct rte_mbuf **frames, unsigned n)
{
	const struct vhost_io *v = (const struct vhost_io *)io;
	unsigned sum = 0, some = 1;
	eventfd_t signals;

	eventfd_read(io->fd, &signals);
	for (; some && sum < n; sum += some)
		some = rte_eth_rx_burst(v->port.ethdev, 0, frames + sum, (uint16_t)(n - sum));
	return sum;
}

static unsigned give(struct host_io *io, struct rte_mbuf **frames, unsigned n)
{
	const struct vhost_io *v = (const struct vhost_io *)io;
	unsigned taken = rte_eth_tx_burst(v->port.ethdev, 0, frames, (uint16_t)n);

	rte_pktmbuf_free_bulk(frames + taken, n - taken);
	return taken;
}

static void leave(struct host_io *io)
{
	struct vhost_io *v = (struct vhost_io *)io;

	port_close(&v->port);
	free(v);
}

static const struct host_io_kind vhost_kind = { "vhost", take, give, leave };

static int hear(struct vhost_io *v)
{
	int rc = v->port.interrupts ? rte_eth_dev_rx_intr_enable(v->port.ethdev, 0) : -ENOTSUP;

	v->io.fd = rc ? -1 : rte_eth_dev_rx_intr_ctl_q_get_fd(v->port.ethdev, 0);
	return rc || v->io.fd >= 0 ? rc : -ENOTSUP;
}

static int start(struct vhost_io *v, const struct vhost_io_options *o, struct rte_mempool *frames)
{
	char devargs[PORT_DEVARGS];
	const struct port_options p = {
		.devargs = devargs,
		.mtu = o->mtu,
		.has_mtu = true,
		.workers = 1,
		.rx_descriptors = HOST_IO_RING,
		.tx_descriptors = HOST_IO_RING,
		.interrupts = true,
	};
	int rc;

	vhost_io_devargs(devargs, o);
	rc = port_open(&v->port, &p);
	if (!rc)
		rc = port_start(&v->port, frames);
	return rc ? rc : hear(v);
}

int vhost_io_open(struct host_io **out, const struct vhost_io_options *o,
	struct rte_mempool *frames, char why[PORT_WHY])
{
	struct vhost_io *v = calloc(1, sizeof *v);
	int rc;

	snprintf(why, PORT_WHY, "out of memory");
	if (!v)
		return -ENOMEM;
	v->io.kind = &vhost_kind;
	rc = start(v, o, frames);
	if (rc) {
		snprintf(why, PORT_WHY,
			"DPDK's driver virtio-user fails: %s; its own words are above",
			strerror(-rc));
		leave(&v->io);
		return rc;
	}
	*out = &v->io;
	return 0;
}
