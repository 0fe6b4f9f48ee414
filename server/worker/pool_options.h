/*
 * pool_options.h - the options of a pool of workers and of its processes.
 */
#pragma once

#include "parser/limits.h"

struct pool_options {
	const char *worker; /* path of the ruad-parse executable */
	guint workers;      /* largest number of processes, >= 1 */
	guint max_mails;    /* documents a worker reads before it is replaced, >= 1 */
	guint seconds;      /* without a frame from a worker that must answer, before it is killed */
	guint max_seconds;  /* for one document in total, without the time of the sink, before it is killed */
	guint64 memory;     /* bytes of address space a worker may take (RLIMIT_AS) */
	struct parser_limits limits; /* those of parser_settings.h; the others are at their default */
	const char *authserv_id;     /* see struct parser_options; NULL or "": none */
	gboolean failure_bodies;
};

struct settings;

/* The options in the settings, for pool_new(); strings are borrowed from settings, as is worker. */
struct pool_options pool_options_of(const struct settings *settings, const char *worker);
