/* SPDX-License-Identifier: BSD-2-Clause */
/* A site in a directory of its own, over the fake engine, the real host and real health checks. Its
 * interface is the loopback, which every machine has. */
#pragma once
#include <event2/event.h>
#include "controlplane/pools/site.h"

struct site_fixture {
	struct event_base *base;
	struct site *site;
	char dir[32], config[64];
	char numbers[64], wanted[64], seen[64]; /* the state's files */
	struct diags diags;
	struct err e;
};

/* The configuration that fixture_start() writes when it is given none: a vip "web" with services "web" (tcp 80,
 * nat) and "dns" (udp 53, dsr), a gateway "back", pool "web" with "web1" and "web2" (port 8080, weight 5) and
 * pool "dns" with "dns1"; no checks. */
extern const char fixture_text[];

void fixture_open(struct site_fixture *f);
void fixture_write(const struct site_fixture *f, const char *text);

/* site_new() and site_start(); what they return. */
int fixture_start(struct site_fixture *f);

/* As a restart of the daemon begins; the directory and the fake engine stay. */
void fixture_stop(struct site_fixture *f);
void fixture_close(struct site_fixture *f);

/* Runs the loop until done() is true, for five seconds at most; whether it is. */
bool fixture_wait(struct site_fixture *f, bool (*done)(void *arg), void *arg);

/* text with its first `from` made `to`; to be freed. */
char *fixture_replaced(const char *text, const char *from, const char *to);
