/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/ctl.h"
#include <stdarg.h>
#include <string.h>

void ctl_hint(struct err *e, const char *fmt, ...)
{
	size_t used = strlen(e->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text + used, sizeof e->text - used, fmt, ap);
	va_end(ap);
}
