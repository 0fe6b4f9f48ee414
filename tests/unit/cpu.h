/*
 * cpu.h - what a piece of a test costs the processor: that a bound is kept, whatever else the machine does.
 */
#pragma once

#include <glib.h>
#include <time.h>

/* Microseconds of processor time that this process has used. */
static inline gint64 cpu_time(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (gint64)used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
}
