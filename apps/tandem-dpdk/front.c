/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/front.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "apps/tandem-dpdk/sockets.h"
#include "apps/tandem-dpdk/xsk_device.h"
#include "bpf/xsk.h"
#include "controlplane/base/log.h"
#include "controlplane/nic/netdev.h"
#include "dataplane/dpdk/tap_io.h"
#include "dataplane/dpdk/vhost_io.h"

enum { MTU = 1500 /* of a tap that is not there yet */ };

void front_dir(char out[FRONT_PATH], const char *run_dir)
{
	snprintf(out, FRONT_PATH, "%s/" PROTOCOL_DIR, run_dir);
}

/* The larger MTU counts: the device may have another by now than the tap, which is what an operator sees. */
static int read_mtu(struct front *f, struct err *e)
{
	struct netdev nic, tap;
	int rc = netdev_by_index(handover_nic_ifindex(f->handover), &nic);

	if (!rc)
		rc = netdev_by_index(handover_tap_ifindex(f->handover), &tap);
	if (rc)
		return err_set(e, rc, "cannot read the devices: %s", strerror(-rc));
	f->mtu = nic.mtu > tap.mtu ? nic.mtu : tap.mtu;
	return 0;
}

static int open_port(struct front *f, const struct conf_dpdk *c, const char *devargs,
	unsigned workers, struct err *e)
{
	const struct port_options o = {
		.devargs = devargs,
		.mtu = f->mtu,
		.has_mtu = !f->devargs,
		.workers = workers,
		.interrupts = f->devargs && c->polling == CONF_POLLING_ADAPTIVE,
		.rx_descriptors = (uint16_t)c->descriptors,
		.tx_descriptors = (uint16_t)c->descriptors,
	};
	int rc = port_open(&f->port, &o);

	return rc ? err_set(e, rc, "%s", f->port.why) : 0;
}

/* That of an engine by XDP sockets which was killed: they are gone, and it would be taken for another's. */
static int remove_program(const struct front *f, struct err *e)
{
	int rc = handover_was_taken(f->handover) ? xsk_detach(handover_nic_ifindex(f->handover))
						 : 0;

	return rc ? err_set(e, rc, "cannot detach the XDP program from %s: %s",
			    handover_nic(f->handover), strerror(-rc))
		  : 0;
}

/* A device of the kernel's. */
static int take_over(struct front *f, const struct conf_dpdk *c, const char *run_dir,
	unsigned workers, struct err *e)
{
	bool xdp = c->driver == CONF_DPDK_AF_XDP;
	char devargs[PORT_DEVARGS];
	int rc = handover_take(&f->handover, run_dir, f->device, e);

	if (!rc)
		rc = read_mtu(f, e);
	if (!rc)
		rc = remove_program(f, e);
	if (!rc && xdp)
		rc = xsk_device_check(handover_nic(f->handover), f->device, workers, e);
	if (rc)
		return rc;
	port_devargs(devargs, xdp ? PORT_AF_XDP : PORT_AF_PACKET, handover_nic(f->handover), f->mtu,
		workers);
	return open_port(f, c, devargs, workers, e);
}

/* A device of DPDK's: its tap may be there, with an MTU, or not yet. */
static int drive(struct front *f, const struct conf_dpdk *c, unsigned workers, struct err *e)
{
	struct netdev tap;
	int rc;

	f->mtu = netdev_by_name(f->device, &tap) ? MTU : tap.mtu;
	rc = open_port(f, c, f->devargs, workers, e);
	return rc ? rc : plain_tap_open(&f->tap, f->device, f->port.mac, e);
}

int front_open(struct front *f, const struct conf *c, unsigned interface, const char *run_dir,
	unsigned workers, struct err *e)
{
	const struct conf_interface *i = &c->interfaces[interface];
	int rc;

	*f = (struct front){ .name = i->name,
		.device = i->device,
		.index = interface,
		.devargs = i->port,
		.tap.fd = -1,
		.carrier = -1 };
	rc = f->devargs ? drive(f, &c->engine.dpdk, workers, e)
			: take_over(f, &c->engine.dpdk, run_dir, workers, e);
	return rc ? err_prefix(e, rc, "interface %s", f->name) : 0;
}

static int tap_of(const struct front *f)
{
	return f->handover ? handover_tap(f->handover) : f->tap.fd;
}

uint32_t front_ifindex(const struct front *f)
{
	return f->handover ? handover_tap_ifindex(f->handover) : f->tap.ifindex;
}

struct vhost_try {
	struct front *front;
	struct vhost_io_options options;
	struct rte_mempool *frames;
	char why[PORT_WHY];
};

static int try_vhost(void *arg)
{
	struct vhost_try *t = arg;

	return vhost_io_open(&t->front->host, &t->options, t->frames, t->why);
}

static int lend_tap(struct front *f, struct vhost_try *t, struct err *e)
{
	return f->handover ? handover_lend_tap(f->handover, try_vhost, t, e)
			   : plain_tap_lend(&f->tap, f->device, try_vhost, t, e);
}

/* Where that fails the tap is attached to again, if it can be. */
static int open_vhost(struct front *f, struct rte_mempool *frames, struct err *e)
{
	struct vhost_try t = { f, { .number = f->index, .tap = f->device, .mtu = f->mtu }, frames,
		"" };
	struct err lending = { "" };
	struct netdev tap;
	int rc = netdev_by_index(front_ifindex(f), &tap);

	if (rc)
		return err_set(e, rc, "cannot read the tap: %s", strerror(-rc));
	memcpy(t.options.mac, tap.mac, sizeof t.options.mac);
	rc = lend_tap(f, &t, &lending);
	if (!rc)
		return 0;
	return err_set(e, rc, "vhost-net does not take the tap: %.300s%s%.100s", t.why,
		*lending.text ? "; and then: " : "", lending.text);
}

int front_open_host(struct front *f, const struct front_host *o, struct err *e)
{
	int rc = o->path == CONF_HOST_PATH_VHOST ? open_vhost(f, o->frames, e) : 0;

	if (rc && (o->must || tap_of(f) < 0))
		return err_prefix(e, rc, "interface %s", f->name);
	if (rc)
		log_warn("interface %s: %s; it is read and written instead", f->name, e->text);
	if (f->host)
		return 0;
	rc = tap_io_open(&f->host, tap_of(f), o->frames, o->room);
	return rc ? err_set(e, rc, "out of memory") : 0;
}

int front_start(struct front *f, struct core *c, struct rte_mempool *frames, struct err *e)
{
	struct protocol_port told = {
		.ifindex = front_ifindex(f),
		.nic = f->handover ? handover_nic_ifindex(f->handover) : 0,
		.mtu = (uint16_t)f->mtu,
	};
	int rc = port_start(&f->port, frames);

	if (rc)
		return err_set(e, rc, "interface %s: %s", f->name, f->port.why);
	if (f->port.filters_vlans)
		log_warn("interface %s: its port filters by VLAN, and may take no frames with tags",
			f->name);
	snprintf(told.interface, sizeof told.interface, "%s", f->name);
	snprintf(told.driver, sizeof told.driver, "%s", f->port.driver);
	snprintf(told.host_path, sizeof told.host_path, "%s", f->host->kind->name);
	memcpy(told.mac, f->port.mac, sizeof told.mac);
	core_add_port(c, &told);
	port_give(&f->port, c, told.ifindex);
	return 0;
}

int front_wake_fd(const struct front *f, unsigned queue)
{
	return !f->handover ? -1 : sockets_of(handover_nic_ifindex(f->handover), queue);
}

static int carrier_of(struct front *f)
{
	bool has_link;

	if (f->handover)
		return handover_mirror(f->handover);
	has_link = port_has_link(&f->port);
	if (f->carrier != has_link)
		netdev_set_carrier(f->tap.ifindex, has_link);
	return has_link;
}

void front_mirror(struct front *f)
{
	int carrier = carrier_of(f);

	if (carrier == f->carrier)
		return;
	if (carrier == -ENODEV)
		log_error("interface %s: the device %s is gone, and no packet passes: restart "
			  "tandem-dpdk when it is there again",
			f->name, handover_nic(f->handover));
	else if (carrier < 0)
		log_error("interface %s: its tap cannot be what the device %s is: %s", f->name,
			handover_nic(f->handover), strerror(-carrier));
	else if (f->carrier >= 0 || !carrier)
		log_info("interface %s: its link is %s", f->name, carrier ? "up" : "down");
	f->carrier = carrier;
}

int front_give_back(struct front *f, struct err *e)
{
	int rc = 0;

	port_close(&f->port);
	if (f->handover) {
		sockets_forget(handover_nic_ifindex(f->handover));
		rc = handover_give_back(f->handover, e);
	}
	f->handover = NULL;
	host_io_close(f->host);
	f->host = NULL;
	plain_tap_close(&f->tap);
	return rc ? err_prefix(e, rc, "interface %s", f->name) : 0;
}

void front_tell(const struct front *f)
{
	log_info("interface %s: device %s by %s, %u queue%s to receive, the host by %s%s", f->name,
		f->handover ? handover_nic(f->handover) : f->devargs, f->port.driver,
		f->port.rx_queues, f->port.rx_queues == 1 ? "" : "s", f->host->kind->name,
		f->handover && handover_was_taken(f->handover) ? "; it was taken over before" : "");
}

int front_give_back_all(const char *run_dir, struct err *e)
{
	char dir[FRONT_PATH];
	int rc;

	front_dir(dir, run_dir);
	rc = nic_restore(dir, e); /* while devices have the names that it knows */
	return rc ? rc : handover_give_back_all(run_dir, e);
}
