/*
 * workers.h - threads that do work from a bounded queue, in which no client takes more than its share.
 *
 * Work is done in the order of its arrival, except that work of a client that already occupies its share of
 * the threads is skipped until one of them is free again. Of idle threads, the one that ran last is used.
 * Thread-safe. Knows nothing of HTTP or of the database.
 */
#pragma once

#include <glib.h>

enum work_state {
	WORK_IDLE,
	WORK_WAITING,
	WORK_RUNNING,
};

/* A piece of work; embed it. The owner sets the first three members and keeps the work until done() is
 * called. */
struct work {
	const char *client; /* on whose behalf; compared as text */
	void (*run)(
	    struct work *work); /* on a thread of the workers; may block. Not called for dropped work */
	void (*done)(
	    struct work *work); /* called last, also if it was dropped; the work is then the owner's again */
	enum work_state state;  /* the following members belong to workers.c */
	guint worker;           /* that runs it */
	guint64 serial;         /* of this run on that worker */
};

/* Names a run of a piece of work, also after that has ended. */
struct work_run {
	guint worker;
	guint64 serial; /* 0: there is none */
};

struct workers_options {
	guint threads;     /* >= 1 */
	guint share;       /* threads that one client may occupy, >= 1 */
	guint queue;       /* work that may wait */
	guint queue_share; /* of it of one client */
	/* Makes the work that thread is running end early; NULL if that is not possible. Called from another
	 * thread. */
	void (*interrupt)(GThread *thread);
};

struct workers;

struct workers *workers_new(const struct workers_options *options);

/* Add work. bounded: FALSE if the queue, or the client's share of it, is full. Also FALSE after
 * workers_stop(). Neither function of the work is called then. */
gboolean workers_push(struct workers *workers, struct work *work, gboolean bounded) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Nobody needs the result. Returns TRUE if the work was waiting: it is removed, and the caller must
 * call its done(). If it is running, *run is set for workers_interrupt(). The work must exist.
 */
gboolean workers_abandon(struct workers *workers, struct work *work, struct work_run *run);

/* Interrupt a run if it has not ended; may be repeated. Blocks as long as options.interrupt does. */
void workers_interrupt(struct workers *workers, const struct work_run *run);

/* Drop what waits (with done()), interrupt what runs, and end the threads. */
void workers_stop(struct workers *workers);

/* After workers_stop(). NULL is allowed. */
void workers_free(struct workers *workers);
