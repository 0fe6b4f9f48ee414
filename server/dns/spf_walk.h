/*
 * spf_walk.h - what the files behind spf.h share: the look-ups of an evaluation.
 */
#pragma once

#include "server/dns/spf.h"

enum spf_fetched {
	SPF_FETCHED,
	SPF_FETCHED_NONE,
	SPF_FETCHED_SEVERAL,
	SPF_FETCHED_FAILED, /* the look-up */
};

/* The SPF record at domain; *text is borrowed from the source, *status the answer's. */
enum spf_fetched spf_fetch(
    const struct dns_source *source, const char *domain, const char **text, enum dns_status *status);

/* The addresses of an a or mx term. */
struct spf_hosts {
	GArray *ranges; /* struct ip_range: each address with the term's prefix */
	gboolean has_ip4, has_ip6;
	gboolean many;           /* more than SPF_MX_MAX hosts: a permerror */
	gboolean asked;          /* a question was asked, so that no result is a void look-up */
	const char *failed;      /* a name whose look-up failed (borrowed), or NULL */
	enum dns_status failure; /* why */
};

/* Look up the addresses of name for the term. ip4, ip6: which kinds. *hosts must be cleared. */
void spf_hosts_find(const struct dns_source *source, const struct spf_term *term, const char *name,
    gboolean ip4, gboolean ip6, struct spf_hosts *hosts);
void spf_hosts_clear(struct spf_hosts *hosts);

/* Add the findings that need no expansion: on the text of a domain's own record, and on its other TXT
 * records. */
void spf_judge_record(
    const struct dns_source *source, const char *domain, const char *text, struct findings *findings);
void spf_judge_texts(const struct dns_source *source, const char *domain, struct findings *findings);

/* The name of a term: its expanded domain-spec, or the domain. Transfer full; NULL if the value of a macro is
 * unknown. */
char *spf_target(const struct spf_term *term, const struct spf_identity *identity, const char *domain,
    const char *validated) G_GNUC_WARN_UNUSED_RESULT;
