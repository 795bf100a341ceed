/* SPDX-License-Identifier: BSD-2-Clause */
/* A network namespace with a device "front" that the host has much on, and ways to look at all of it. */
#pragma once
#include <stdbool.h>
#include "controlplane/nic/handover.h"

/* Runs a shell command; whether it ended well. */
bool lab_try(const char *command) __attribute__((format(printf, 1, 0)));
/* The same, and it must. */
void lab_run(const char *command);

/* Makes the namespace: "front" (a veth whose other end is "far") and "other". `much`: with addresses of all kinds, routes,
 * neighbours and settings, and waits until the addresses are settled. Returns 0 or -1. */
int lab_new(bool much);

/* All that ip(8), tc(8) and /proc/sys say, for comparison; numbers that count down are left out. To be freed. */
char *lab_look(void);
/* The part of it that is the same on a tap with the name. */
char *lab_look_above(void);

/* Waits until it looks like this again, and fails if it does not; the text of what is different is printed. */
void lab_expect(char *(*look)(void), const char *before);

/* The run directory; made and removed by the first two, for a group of tests. The others are lab_new() as a setup. */
extern char lab_dir[];
int lab_begin(void **state);
int lab_end(void **state);
int lab_with_much(void **state);
int lab_with_little(void **state);

/* Take "front" over, and give it, or n interfaces, back; they must succeed. */
struct handover *lab_take(void);
void lab_give_back(struct handover *h);
void lab_give_back_all(int n);
void lab_expect_nothing_left(void);
