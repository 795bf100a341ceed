/* SPDX-License-Identifier: BSD-2-Clause */
/* The way to the host's stack by rings that the kernel's vhost-net serves behind a tap: DPDK's virtio-user driver on /dev/vhost-net. A
 * thread of the kernel's moves the frames, whole bursts for a system call or none. They are as on a wire, with their checksums. */
#pragma once
#include "dataplane/dpdk/host_io.h"
#include "dataplane/dpdk/port.h"

#define VHOST_IO_DEVICE "/dev/vhost-net"

struct vhost_io_options {
	unsigned number; /* of the port; DPDK's device is named by it */
	const char *tap; /* a tap to which nobody is attached */
	uint8_t mac[6];	 /* that it has */
	uint32_t
		mtu; /* of frames that mbufs have room for; longer ones of the host's are dropped by the kernel */
};

/* Whether the kernel has it and lets us. Returns 0 or a negative errno. */
int vhost_io_check(void);

void vhost_io_devargs(char out[PORT_DEVARGS], const struct vhost_io_options *o);

/* Attaches to the tap. Returns 0, or a negative errno and a sentence in why. */
int vhost_io_open(struct host_io **out, const struct vhost_io_options *o,
	struct rte_mempool *frames, char why[PORT_WHY]);
