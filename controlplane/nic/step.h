/* SPDX-License-Identifier: BSD-2-Clause */
/* A place between two changes of a handover. */
#pragma once

/* Called before each change, with a word for it. NULL but in tests, which end the process in it. */
extern void (*step_hook)(const char *what);

static inline void step(const char *what)
{
	if (step_hook)
		step_hook(what);
}
