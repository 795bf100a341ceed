/* SPDX-License-Identifier: BSD-2-Clause */
/* One question to the kernel by rtnetlink, and its answer. */
#pragma once
#include <libmnl/libmnl.h>

/* Room for a request. */
enum { REQUEST_BYTES = 256 };

/* Begins a request of a type in buf; its flags are NLM_F_REQUEST and these. */
struct nlmsghdr *request_begin(char buf[REQUEST_BYTES], uint16_t type, uint16_t flags);

/* Sends it and reads the answer to its end, which is one message (NLM_F_ACK) or a dump (NLM_F_DUMP); fn, which may be NULL, gets
 * each message with data. Returns 0 or a negative errno. */
int request_send(const struct nlmsghdr *nlh, mnl_cb_t fn, void *arg);
