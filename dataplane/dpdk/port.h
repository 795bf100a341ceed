/* SPDX-License-Identifier: BSD-2-Clause */
/* A port of the DPDK engine: a device that DPDK has a driver for, from its devargs to frames. After rte_eal_init(), by one thread. */
#pragma once
#include "dataplane/dpdk/core.h"

enum { PORT_DEVARGS = 160, PORT_WHY = 400, PORT_DESCRIPTORS = 512 };

enum port_driver { PORT_AF_PACKET, PORT_AF_XDP };

struct port_options {
	const char *devargs; /* as DPDK has them: a PCI address, "net_...,KEY=VALUE,..." */
	uint32_t mtu;	     /* of the interface; the device gets it, unless `has_mtu` */
	bool has_mtu;	     /* the device is one of the kernel's and has it */
	unsigned workers; /* each has a queue to send, and one to receive where there are so many */
	uint16_t rx_descriptors, tx_descriptors; /* of a queue; 0: PORT_DESCRIPTORS */
	bool interrupts; /* queues are to interrupt when frames come, where the driver can do that */
};

struct port {
	bool is_open, is_started;
	uint16_t ethdev;
	uint16_t rx_queues, tx_queues, rx_descriptors, tx_descriptors;
	uint32_t mtu;
	uint32_t room; /* bytes of an mbuf, headroom included */
	bool has_mtu;
	bool pages; /* it receives into frames that are pages of memory (frames.h) */
	bool interrupts;
	bool took_all;	    /* frames, before it was opened: that is left as it is */
	bool takes_all;	    /* since it was told here */
	bool groups_by_all; /* since it cannot be told to take all groups */
	bool filters_vlans; /* it goes on doing so, and takes no frames with tags */
	uint8_t mac[6];
	uint8_t (*macs)[6]; /* in its filter besides */
	unsigned n_macs;
	char driver[32];
	char why[PORT_WHY]; /* what is wrong */
};

/* Devargs of a port that reads the frames of a kernel device. */
void port_devargs(char out[PORT_DEVARGS], enum port_driver driver, const char *device, uint32_t mtu,
	unsigned workers);

/* Opens the device and finds out what it can. Returns 0, or a negative errno and a sentence in p->why: -ENODEV, there is none, or no driver; -ENOSPC,
 * it has too few queues to send for the workers; -EMSGSIZE, it does not take frames of the MTU. port_close() follows an error
 * too. */
int port_open(struct port *p, const struct port_options *o);

/* Frames that its queues may hold. */
unsigned port_frames(const struct port *p);

/* Sets queues up and begins to receive into frames, whose mbufs have p->room bytes at least. Without interrupts, if it does not start with
 * them (p->interrupts). Returns 0, or a negative errno and a
 * sentence in p->why. */
int port_start(struct port *p, struct rte_mempool *frames);

/* Gives the port to all workers of the core, which do not run yet. */
void port_give(const struct port *p, struct core *c, uint32_t ifindex);

/* Has the device take frames for these MAC addresses besides its own, and for no others that it was given here, unless `more` says that
 * those stay; all frames, as long as its filter has no room for some of them. Returns 0 or a negative errno: it takes too few. */
int port_want_macs(struct port *p, const uint8_t (*macs)[6], unsigned n, bool more);

/* Drops the frames that wait in its queues, which no worker reads meanwhile. */
void port_drop_waiting(const struct port *p);

bool port_has_link(const struct port *p);

/* No worker may use it any more. */
void port_close(struct port *p);
