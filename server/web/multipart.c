#include "server/web/multipart.h"

#include <string.h>

#include "parser/error.h"

#define TYPE         "multipart/form-data"
#define BOUNDARY_MAX 70 /* RFC 2046 section 5.1.1 */

enum multipart_state {
	MULTIPART_PREAMBLE, /* before the first boundary */
	MULTIPART_BOUNDARY, /* after one: "--", or the end of the line */
	MULTIPART_HEADER,
	MULTIPART_CONTENT,
	MULTIPART_EPILOGUE, /* after the last boundary; ignored */
};

struct multipart {
	const struct multipart_handler *handler;
	gpointer user;
	char *delimiter; /* CRLF, "--" and the boundary */
	gsize delimiter_size;
	enum multipart_state state;
	gboolean is_file; /* the content is that of a file */
	GByteArray *input;
};

/* -- the type -- */

gboolean multipart_is(const char *content_type)
{
	gsize size = content_type != NULL ? strcspn(content_type, "; \t") : 0;

	return size == strlen(TYPE) && g_ascii_strncasecmp(content_type, TYPE, size) == 0;
}

/* The value of a parameter "name=value" or "name=\"value\"" in text, after a ';'; transfer full, or NULL. */
static char *parameter_of(const char *text, const char *name)
{
	gsize size = strlen(name);

	while ((text = strchr(text, ';')) != NULL) {
		text += 1 + strspn(text + 1, " \t");
		if (g_ascii_strncasecmp(text, name, size) != 0 || text[size] != '=')
			continue;
		text += size + 1;
		if (*text != '"')
			return g_strndup(text, strcspn(text, "; \t"));
		g_autoptr(GString) value = g_string_new(NULL);
		for (text++; *text != '"' && *text != '\0'; text++) {
			if (*text == '\\' && (text[1] == '"' || text[1] == '\\'))
				text++;
			g_string_append_c(value, *text);
		}
		return g_string_free(g_steal_pointer(&value), FALSE);
	}
	return NULL;
}

char *multipart_boundary(const char *content_type)
{
	g_autofree char *boundary = NULL;

	if (!multipart_is(content_type))
		return NULL;
	boundary = parameter_of(content_type, "boundary");
	if (boundary == NULL || *boundary == '\0' || strlen(boundary) > BOUNDARY_MAX)
		return NULL;
	for (const char *c = boundary; *c != '\0'; c++)
		if (!g_ascii_isprint(*c))
			return NULL;
	return g_steal_pointer(&boundary);
}

/* -- the parse -- */

/* The body may begin with the boundary, without the CRLF that belongs to it. */
struct multipart *multipart_new(const char *boundary, const struct multipart_handler *handler, gpointer user)
{
	struct multipart *multipart = g_new0(struct multipart, 1);

	multipart->handler = handler;
	multipart->user = user;
	multipart->delimiter = g_strconcat("\r\n--", boundary, NULL);
	multipart->delimiter_size = strlen(multipart->delimiter);
	multipart->input = g_byte_array_new();
	g_byte_array_append(multipart->input, (const guint8 *)"\r\n", 2);
	return multipart;
}

void multipart_free(struct multipart *multipart)
{
	if (multipart == NULL)
		return;
	g_byte_array_unref(multipart->input);
	g_free(multipart->delimiter);
	g_free(multipart);
}

static void drop(struct multipart *multipart, gsize size)
{
	if (size > 0)
		g_byte_array_remove_range(multipart->input, 0, (guint)size);
}

static gboolean fail(GError **error, const char *words)
{
	g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, words);
	return FALSE;
}

/* Content before a boundary, or as much as cannot belong to one. Returns whether more of the input can be
 * used. */
static gboolean take_content(struct multipart *multipart, gboolean *more, GError **error)
{
	const GByteArray *input = multipart->input;
	const guint8 *found =
	    memmem(input->data, input->len, multipart->delimiter, multipart->delimiter_size);
	gsize keep = MIN(input->len, multipart->delimiter_size - 1);
	gsize size = found != NULL ? (gsize)(found - input->data) : input->len - keep;
	gboolean is_file = multipart->state == MULTIPART_CONTENT && multipart->is_file;

	*more = found != NULL;
	if (is_file && size > 0 && !multipart->handler->data(multipart->user, input->data, size, error))
		return FALSE;
	drop(multipart, found != NULL ? size + multipart->delimiter_size : size);
	if (found == NULL)
		return TRUE;
	multipart->state = MULTIPART_BOUNDARY;
	return !is_file || multipart->handler->end(multipart->user, error);
}

/* After a boundary: "--" after the last, otherwise white space and the end of the line. */
static gboolean take_boundary(struct multipart *multipart, gboolean *more, GError **error)
{
	const GByteArray *input = multipart->input;
	gsize blank = 0;

	while (blank < input->len && (input->data[blank] == ' ' || input->data[blank] == '\t'))
		blank++;
	*more = input->len >= blank + 2;
	if (blank > MULTIPART_HEADER_MAX)
		return fail(error, "a boundary is followed by too much white space");
	if (!*more)
		return TRUE;
	if (blank == 0 && memcmp(input->data, "--", 2) == 0)
		multipart->state = MULTIPART_EPILOGUE;
	else if (memcmp(input->data + blank, "\r\n", 2) == 0)
		multipart->state = MULTIPART_HEADER;
	else
		return fail(error, "a boundary is followed by something else");
	/* the end of this line may be that before an empty header's empty line */
	drop(multipart, multipart->state == MULTIPART_HEADER ? blank : blank + 2);
	return TRUE;
}

/* The filename in the Content-Disposition of a header; transfer full, or NULL. */
static char *file_name(const char *header)
{
	static const char field[] = "\r\nContent-Disposition:";
	gsize size = strlen(field);

	for (const char *line = header; (line = strstr(line, "\r\n")) != NULL; line += 2)
		if (g_ascii_strncasecmp(line, field, size) == 0) {
			g_autofree char *value = g_strndup(line + size, strcspn(line + size, "\r\n"));

			return parameter_of(value, "filename");
		}
	return NULL;
}

/* The header has its CRLF before it, and ends with an empty line. */
static gboolean take_header(struct multipart *multipart, gboolean *more, GError **error)
{
	const GByteArray *input = multipart->input;
	const guint8 *end = memmem(input->data, input->len, "\r\n\r\n", 4);
	gsize size = end != NULL ? (gsize)(end - input->data) + 4 : input->len;
	g_autofree char *header = NULL;
	g_autofree char *name = NULL;

	*more = end != NULL;
	if (size > MULTIPART_HEADER_MAX)
		return fail(error, "the header of a file is too long");
	if (end == NULL)
		return TRUE;
	header = g_strndup((const char *)input->data, size - 2);
	name = file_name(header);
	/* the CRLF before a boundary may be that of the empty line */
	drop(multipart, size - 2);
	multipart->state = MULTIPART_CONTENT;
	multipart->is_file = FALSE;
	if (name == NULL)
		return TRUE;
	drop(multipart, 2);
	multipart->is_file = TRUE;
	return multipart->handler->begin(multipart->user, name, error);
}

static gboolean take_epilogue(struct multipart *multipart, gboolean *more, GError **error)
{
	(void)error;
	drop(multipart, multipart->input->len);
	*more = FALSE;
	return TRUE;
}

gboolean multipart_add(struct multipart *multipart, const guint8 *data, gsize size, GError **error)
{
	static gboolean (*const take[])(struct multipart * multipart, gboolean * more, GError * *error) = {
		[MULTIPART_PREAMBLE] = take_content,
		[MULTIPART_BOUNDARY] = take_boundary,
		[MULTIPART_HEADER] = take_header,
		[MULTIPART_CONTENT] = take_content,
		[MULTIPART_EPILOGUE] = take_epilogue,
	};
	gboolean more = TRUE;

	g_byte_array_append(multipart->input, data, (guint)size);
	while (more)
		if (!take[multipart->state](multipart, &more, error))
			return FALSE;
	return TRUE;
}

gboolean multipart_end(const struct multipart *multipart, GError **error)
{
	return multipart->state == MULTIPART_EPILOGUE || fail(error, "the last boundary is missing");
}
