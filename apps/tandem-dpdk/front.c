/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/front.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "apps/tandem-dpdk/sockets.h"
#include "controlplane/base/log.h"
#include "controlplane/nic/netdev.h"

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
		return err_set(e, rc, "cannot read the devices of interface %s: %s", f->name,
			strerror(-rc));
	f->mtu = nic.mtu > tap.mtu ? nic.mtu : tap.mtu;
	return 0;
}

int front_take(struct front *f, const struct conf *c, unsigned interface, const char *run_dir,
	struct err *e)
{
	const struct conf_interface *i = &c->interfaces[interface];
	int rc;

	*f = (struct front){
		.name = i->name, .device = i->device, .index = interface, .carrier = -1
	};
	if (i->port)
		return err_set(e, -EOPNOTSUPP,
			"interface %s has a port of its own (%s), which tandem-dpdk does not run yet: "
			"leave \"port\" out, so that the kernel's device is taken over",
			f->name, i->port);
	rc = handover_take(&f->handover, run_dir, f->device, e);
	if (rc)
		return err_prefix(e, rc, "interface %s", f->name);
	return read_mtu(f, e);
}

int front_open_port(struct front *f, const struct conf_dpdk *c, unsigned workers, struct err *e)
{
	char devargs[PORT_DEVARGS];
	const struct port_options o = {
		.devargs = devargs,
		.mtu = f->mtu,
		.has_mtu = true,
		.workers = workers,
		.rx_descriptors = (uint16_t)c->descriptors,
		.tx_descriptors = (uint16_t)c->descriptors,
	};
	enum port_driver driver = c->driver == CONF_DPDK_AF_XDP ? PORT_AF_XDP : PORT_AF_PACKET;
	int rc;

	port_devargs(devargs, driver, handover_nic(f->handover), f->mtu, workers);
	rc = port_open(&f->port, &o);
	return rc ? err_set(e, rc, "interface %s: %s", f->name, f->port.why) : 0;
}

int front_start(struct front *f, struct core *c, struct rte_mempool *frames, struct err *e)
{
	struct protocol_port told = { .ifindex = handover_tap_ifindex(f->handover),
		.mtu = (uint16_t)f->mtu };
	int rc = port_start(&f->port, frames);

	if (rc)
		return err_set(e, rc, "interface %s: %s", f->name, f->port.why);
	snprintf(told.interface, sizeof told.interface, "%s", f->name);
	snprintf(told.driver, sizeof told.driver, "%s", f->port.driver);
	memcpy(told.mac, f->port.mac, sizeof told.mac);
	core_add_port(c, &told);
	port_give(&f->port, c, told.ifindex);
	return 0;
}

int front_wake_fd(const struct front *f, unsigned queue)
{
	return sockets_of(handover_nic_ifindex(f->handover), queue);
}

/* What is wanted of one device. macs has room for those of all VIPs. */
static struct nic_want want_of(const struct front *f, const struct conf *c, uint8_t (*macs)[6])
{
	static const uint8_t none[6];
	unsigned n = 0;

	for (unsigned i = 0; i < c->n_vips; i++)
		if (c->vips[i].interface == f->index && memcmp(c->vips[i].mac, none, 6) != 0)
			memcpy(macs[n++], c->vips[i].mac, 6);
	return (struct nic_want){
		.device = handover_nic(f->handover),
		.ifindex = handover_nic_ifindex(f->handover),
		.plain = true,
		.single = true,
		.macs = (const uint8_t(*)[6])macs,
		.n_macs = n,
	};
}

static int apply(const struct nic_want *wants, unsigned n, const char *dir, struct err *e)
{
	struct nic *nic;
	int rc = nic_new(&nic, dir, e);

	if (rc)
		return rc;
	rc = nic_apply(nic, wants, n, e);
	for (size_t i = 0; !rc && nic_fault(nic, i); i++)
		log_warn("%s", nic_fault(nic, i));
	nic_free(nic);
	return rc;
}

int front_shape_devices(const struct front *fronts, unsigned n, const struct conf *c,
	const char *dir, struct err *e)
{
	struct nic_want *wants = calloc(n, sizeof *wants);
	uint8_t(*macs)[6] = calloc((size_t)n * (c->n_vips + 1), sizeof *macs);
	int rc = -ENOMEM;

	if (wants && macs) {
		for (unsigned i = 0; i < n; i++)
			wants[i] = want_of(&fronts[i], c, macs + (size_t)i * (c->n_vips + 1));
		rc = apply(wants, n, dir, e);
	} else {
		err_set(e, rc, "out of memory");
	}
	free(wants);
	free(macs);
	return rc;
}

void front_mirror_carrier(struct front *f)
{
	int carrier = handover_carrier(f->handover);

	if (carrier == f->carrier)
		return;
	if (carrier < 0)
		log_error("interface %s: the device %s is gone, and no packet passes: restart "
			  "tandem-dpdk when it is there again",
			f->name, handover_nic(f->handover));
	else if (f->carrier >= 0 || !carrier)
		log_info("interface %s: its link is %s", f->name, carrier ? "up" : "down");
	f->carrier = carrier;
}

void front_give_back(struct front *f)
{
	struct err e;

	port_close(&f->port);
	if (f->handover && handover_give_back(f->handover, &e))
		log_error("interface %s: %s", f->name, e.text);
	f->handover = NULL;
}

int front_give_back_all(const char *run_dir, struct err *e)
{
	char dir[FRONT_PATH];
	int rc;

	front_dir(dir, run_dir);
	rc = nic_restore(dir, e); /* while devices have the names that it knows */
	return rc ? rc : handover_give_back_all(run_dir, e);
}
