/* SPDX-License-Identifier: BSD-2-Clause */
/* An interface of the configuration in the engine's hands: the tap by which the host has it, and the port that its frames come and go
 * by. The port is either a device of the kernel's, which is handed over, or one that DPDK has a driver for. */
#pragma once
#include "controlplane/base/err.h"
#include "controlplane/conf/conf.h"
#include "controlplane/nic/handover.h"
#include "controlplane/nic/nic.h"
#include "controlplane/nic/plain_tap.h"
#include "dataplane/dpdk/host_io.h"
#include "dataplane/dpdk/port.h"

struct front {
	const char *name;	   /* of the configuration */
	const char *device;	   /* the kernel's */
	unsigned index;		   /* in the configuration */
	const char *devargs;	   /* of DPDK's device; NULL: it is one of the kernel's */
	struct handover *handover; /* of such */
	struct plain_tap tap;	   /* else */
	uint32_t mtu;
	struct port port;
	struct host_io *host; /* the tap's end of frames; NULL: not open */
	int carrier;	      /* as it was seen last; -1: not yet */
};

/* Takes the interface over from the host, where it has it, and opens its port. Returns 0, or a negative errno and a sentence. */
int front_open(struct front *f, const struct conf *c, unsigned interface, const char *run_dir,
	unsigned workers, struct err *e);
/* Of the tap: the interface's, for the host and for tables. */
uint32_t front_ifindex(const struct front *f);
/* Starts the port and gives it to the workers. Returns 0, or a negative errno and a sentence. */
int front_start(struct front *f, struct core *c, struct rte_mempool *frames, struct err *e);

struct front_host {
	enum conf_host_path path; /* CONF_HOST_PATH_TAP or CONF_HOST_PATH_VHOST */
	bool must; /* or the tap is read and written where vhost-net does not take it */
	struct rte_mempool *frames;
	unsigned room; /* bytes of the longest frame that mbufs have room for */
};

/* Opens the host's end. The log tells when it is not by the path. Returns 0, or a negative errno and a sentence. */
int front_open_host(struct front *f, const struct front_host *o, struct err *e);

/* What poll(2) finds readable while frames wait in a queue of its port; -1: nothing. */
int front_wake_fd(const struct front *f, unsigned queue);

/* The tap has a carrier while the port has a link, and the MAC address that the device has. */
void front_mirror(struct front *f);

/* What runs the port, for the log: "device front-nic by net_af_packet, the host by vhost". */
void front_tell(const struct front *f);

/* Closes its port and gives it back to the host. One that was never taken is no error. A tap of DPDK's device stays, without a carrier.
 * Returns 0, or a negative errno and a sentence. */
int front_give_back(struct front *f, struct err *e);

/* Gives back whatever processes that are dead had taken. Returns how many interfaces, or a negative errno and a sentence. */
int front_give_back_all(const char *run_dir, struct err *e);
/* The directory of tables, and of what was changed about devices. */
enum { FRONT_PATH = 4096 };
void front_dir(char out[FRONT_PATH], const char *run_dir);
