/*
 * supervisor.h - child processes that are kept running, or run now and then, and stopped in order.
 *
 * Works on the default main context, on the main thread only: a child dies with the thread that started it
 * (PR_SET_PDEATHSIG), so that nothing outlives ruad serve however it ends. Knows nothing of what the
 * children do.
 */
#pragma once

#include <glib.h>

struct child_spec {
	const char *name;        /* for the log */
	const char *const *argv; /* NULL-terminated; argv[0] is a path */
	const char *const *envp; /* NULL-terminated: the whole environment */
	const char *folder;      /* to run in */
	const int *fds;          /* sockets that become descriptors 3, 4, ... of the child */
	gsize n_fds;
	int stop_signal;  /* that ends it cleanly */
	gboolean is_base; /* the others need it: it is stopped when they are gone */
	guint every;      /* seconds from its end to its next start, for a child that does its work and ends;
			     0: it is kept running */
	guint after;      /* with every: seconds until its first start */
};

struct supervisor;

/* A child that is kept running ended before it was told to; deaths counts those since it last lived for a minute.
 * Not when stopping. */
typedef void (*supervisor_death_cb)(const char *name, guint deaths, gpointer user);

struct supervisor *supervisor_new(supervisor_death_cb death, gpointer user);

/*
 * Start a child now, and again whenever it ends: after 0.1 s, doubled each time up to 10 s. The spec is copied. One with
 * every is started when it says; when it fails that is logged, and tried again after an hour at most.
 */
void supervisor_start(struct supervisor *supervisor, const struct child_spec *spec);

/* Send signal to the child of that name, if it runs. */
void supervisor_signal(const struct supervisor *supervisor, const char *name, int signal);

/*
 * Stop all children, the base last; who is still there 30 s after the signal is killed. done is called on the main
 * context when all are gone. Calling it again changes nothing.
 */
void supervisor_stop(struct supervisor *supervisor, void (*done)(gpointer user), gpointer user);

/* After supervisor_stop() is done. NULL is allowed. */
void supervisor_free(struct supervisor *supervisor);
