/* SPDX-License-Identifier: BSD-2-Clause */
/* What every command of tandemctl shares: its exit codes, its options, and where its output goes. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "apps/tandemctl/screen.h"
#include "controlplane/base/err.h"

struct client;

enum ctl_exit {
	CTL_OK,
	CTL_NEGATIVE,	 /* the answer is no: a bad file, a refused change */
	CTL_USAGE,	 /* the command line is wrong */
	CTL_UNREACHABLE, /* no daemon answers on the socket */
	CTL_PERMISSION,
	CTL_NOT_FOUND,
	CTL_CONFLICT,
	CTL_TIMED_OUT,
};

struct ctl {
	struct client *client;
	struct screen screen;
	bool json;	   /* print what the API answered instead of text */
	const char *why;   /* --why, or NULL */
	bool wait;	   /* --wait */
	uint32_t limit_ms; /* --timeout; 0: not given */
	/* --hex, --pcap and --frame: a packet to be traced; NULL, 0: not given */
	const char *hex, *pcap;
	unsigned long frame;
	const char *write;   /* -w of a capture, or NULL */
	unsigned long count; /* --count; 0: not given */
	/* A command that fails leaves its sentence here; main() prints it, once. "" prints nothing. */
	struct err err;
};

/* Appends to a sentence, as far as there is room, what may help. */
void ctl_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The commands of the table in commands.c. args holds as many words as the command's entry allows and
 * ends in NULL. Each returns its exit code, and a sentence in ctl->err when that is not CTL_OK. */
typedef enum ctl_exit command_fn(struct ctl *ctl, char **args);

command_fn capture_packets;
command_fn config_apply, config_check, config_schema, config_show;
command_fn drops_list;
command_fn engine_detach_ports;
command_fn health_list;
command_fn pool_list, pool_show;
command_fn server_drain, server_maint, server_ready, server_show, server_weight;
command_fn service_list, service_show;
command_fn status_show;
command_fn trace_inject;
command_fn version_show;
command_fn vip_list, vip_show;
