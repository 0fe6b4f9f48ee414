/*
 * supervisor.h - child processes that are kept running, or run periodically, and are stopped in order.
 *
 * Works on the default main context, on the main thread only: a child dies with the thread that started it
 * (PR_SET_PDEATHSIG), so that nothing outlives ruad serve however it ends. Knows nothing of what the children
 * do.
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
	int stop_signal;  /* ends it cleanly */
	gboolean is_base; /* the others need it, so it is stopped last */
	guint every;      /* seconds from its end to its next start, for a child that does its work and ends;
			     0: it is kept running */
	guint after;      /* with every: seconds until its first start */
	void (*before)(gpointer user); /* called before each start, must be quick; NULL: nothing */
	gpointer before_user;
};

/* Append fd, borrowed, to fds (of int) for a child, and option with the number that it has there to words,
 * which become argv. */
void supervisor_pass(GArray *fds, GStrvBuilder *words, const char *option, int fd);

struct supervisor;

/* A child that should keep running has ended; deaths counts these since it last ran for a minute. Not called
 * when stopping. */
typedef void (*supervisor_death_cb)(const char *name, guint deaths, gpointer user);

struct supervisor *supervisor_new(supervisor_death_cb death, gpointer user);

/*
 * Start a child now, and again whenever it ends: after 0.1 s, doubled each time up to 10 s. The spec is
 * copied. A child with every is started periodically; its failure is logged, and it is tried again after at
 * most an hour.
 */
void supervisor_start(struct supervisor *supervisor, const struct child_spec *spec);

/* Send signal to the child of that name, if it runs. */
void supervisor_signal(const struct supervisor *supervisor, const char *name, int signal);

/*
 * Stop all children, the base last; a child that still runs 30 s after the signal is killed. done is called
 * on the main context when all have ended. Calling it again has no effect.
 */
void supervisor_stop(struct supervisor *supervisor, void (*done)(gpointer user), gpointer user);

/* Call it after supervisor_stop() is done. NULL is allowed. */
void supervisor_free(struct supervisor *supervisor);
