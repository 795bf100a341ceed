/* SPDX-License-Identifier: BSD-2-Clause */
/* A world file (README.md): a configuration and what a kernel would say. */
#pragma once
#include "tests/packets/body.h"

struct world_file {
	struct world world; /* points into what follows */
	struct conf *conf;
	struct host_link *links;
	struct host_stack *stacks;
	struct host_link *devices; /* that VLANs are on and the configuration does not name */
	unsigned n_devices;
	struct host_route *routes;
	struct host_neighbour *neighbours;
	struct host_address *addresses;
	bool *server_down;
	uint16_t *server_mtu;
};

/* Returns 0, or a negative errno and a sentence that begins with PATH:LINE. */
int world_open(struct world_file **out, const char *path, struct err *e);
void world_close(struct world_file *w);

/* The index of the interface called `name`, or -1. */
int world_interface(const struct world_file *w, const char *name);
/* The ifindex of the device called `name`, where frames come in: an interface that is no VLAN, or another; or 0. */
uint32_t world_device(const struct world_file *w, const char *name);
/* The name of an interface or another device, or "-" for an ifindex of none. */
const char *world_interface_name(const struct world_file *w, uint32_t ifindex);
/* The index of the server "POOL/SERVER", or -1. */
int world_server(const struct world_file *w, const char *name);
/* The index of a VIP, or the number of VIPs plus that of a gateway; or -1. */
int world_address(const struct world_file *w, const char *name);
