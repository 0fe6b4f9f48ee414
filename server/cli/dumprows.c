#include "server/cli/dumprows.h"

#include <string.h>

#define NAME_MAX_BYTES 256 /* of a table, a column or a word; the rest of a longer one is dropped */

enum token {
	TOKEN_NONE,
	TOKEN_WORD,  /* CREATE, 12, NULL, 0xC0000201 */
	TOKEN_NAME,  /* `column` */
	TOKEN_VALUE, /* 'text' */
	TOKEN_MARK,  /* ( ) , ; */
};

/* Where in the text the next byte is. */
enum lexer {
	LEXER_PLAIN,
	LEXER_WORD,
	LEXER_NAME,
	LEXER_VALUE,
	LEXER_ESCAPED,
	LEXER_DASH,  /* '-' was read */
	LEXER_LINE,  /* a comment to the end of the line */
	LEXER_SLASH, /* '/' was read */
	LEXER_BLOCK,
	LEXER_STAR, /* '*' was read in such a comment */
};

/* Where in a statement the next token is. */
enum parser {
	PARSER_START,
	PARSER_CREATE,  /* up to the name of the table */
	PARSER_COLUMNS, /* of CREATE TABLE, or of INSERT */
	PARSER_INSERT,  /* up to the name of the table */
	PARSER_LIST,    /* behind it: a list of columns, or VALUES */
	PARSER_ROWS,
	PARSER_SKIP, /* to the end of the statement */
};

struct dumprow {
	const char *const *columns;
	GString *value[DUMPROWS_COLUMNS];
	gboolean has[DUMPROWS_COLUMNS]; /* else it is NULL */
	guint n;
};

struct dumprows {
	dumprows_table_cb table;
	dumprows_row_cb row_cb;
	gpointer user;

	enum lexer lexer;
	GString *text; /* of the token */
	gboolean too_long;

	enum parser parser;
	gboolean is_create;
	gboolean is_column; /* the next name is one of a column */
	guint depth;        /* parentheses */
	char *name;         /* of the table */
	GPtrArray *columns; /* being read */
	GHashTable *tables; /* name: columns, a NULL-terminated array */
	char **current;     /* columns of the rows, borrowed from tables or from list */
	char **list;        /* of this INSERT */
	guint kind;
	struct dumprow row;
};

const char *dumprow_value(const struct dumprow *row, const char *column, gsize *size)
{
	for (guint i = 0; i < row->n && row->columns[i] != NULL; i++)
		if (g_str_equal(row->columns[i], column) && row->has[i]) {
			if (size != NULL)
				*size = row->value[i]->len;
			return row->value[i]->str;
		}
	return NULL;
}

static void free_columns(gpointer columns)
{
	g_strfreev(columns);
}

struct dumprows *dumprows_new(dumprows_table_cb table, dumprows_row_cb row, gpointer user)
{
	struct dumprows *rows = g_new0(struct dumprows, 1);

	rows->table = table;
	rows->row_cb = row;
	rows->user = user;
	rows->text = g_string_new(NULL);
	rows->columns = g_ptr_array_new_with_free_func(g_free);
	rows->tables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_columns);
	for (guint i = 0; i < DUMPROWS_COLUMNS; i++)
		rows->row.value[i] = g_string_new(NULL);
	return rows;
}

void dumprows_free(struct dumprows *rows)
{
	if (rows == NULL)
		return;
	g_string_free(rows->text, TRUE);
	g_free(rows->name);
	g_ptr_array_unref(rows->columns);
	g_hash_table_unref(rows->tables);
	g_strfreev(rows->list);
	for (guint i = 0; i < DUMPROWS_COLUMNS; i++)
		g_string_free(rows->row.value[i], TRUE);
	g_free(rows);
}

/* -- statements -- */

static void begin_statement(struct dumprows *rows)
{
	rows->parser = PARSER_START;
	rows->depth = 0;
	rows->kind = 0;
	rows->current = NULL;
	g_clear_pointer(&rows->list, g_strfreev);
	g_clear_pointer(&rows->name, g_free);
	g_ptr_array_set_size(rows->columns, 0);
}

static void start_statement(struct dumprows *rows, enum token token)
{
	const char *word = rows->text->str;

	rows->parser = PARSER_SKIP;
	if (token == TOKEN_WORD && g_ascii_strcasecmp(word, "CREATE") == 0)
		rows->parser = PARSER_CREATE;
	else if (token == TOKEN_WORD &&
		 (g_ascii_strcasecmp(word, "INSERT") == 0 || g_ascii_strcasecmp(word, "REPLACE") == 0))
		rows->parser = PARSER_INSERT;
	rows->is_create = rows->parser == PARSER_CREATE;
}

/* The columns that were read, as an array. Transfer full. */
static char **take_columns(struct dumprows *rows)
{
	GStrvBuilder *builder = g_strv_builder_new();
	char **columns;

	for (guint i = 0; i < rows->columns->len; i++)
		g_strv_builder_add(builder, rows->columns->pdata[i]);
	columns = g_strv_builder_end(builder);
	g_strv_builder_unref(builder);
	g_ptr_array_set_size(rows->columns, 0);
	return columns;
}

/* The list of columns has ended. */
static void end_columns(struct dumprows *rows)
{
	if (rows->is_create) {
		g_hash_table_replace(rows->tables, g_strdup(rows->name), take_columns(rows));
		rows->parser = PARSER_SKIP;
	} else {
		rows->list = take_columns(rows);
		rows->parser = PARSER_LIST;
	}
}

/* In a list of columns: at its first level, a name behind '(' or ',' is one. */
static void column_token(struct dumprows *rows, enum token token)
{
	char mark = token == TOKEN_MARK ? rows->text->str[0] : '\0';

	if (token == TOKEN_NAME && rows->is_column && rows->depth == 1 &&
	    rows->columns->len < DUMPROWS_COLUMNS)
		g_ptr_array_add(rows->columns, g_strdup(rows->text->str));
	rows->is_column = (mark == '(' && rows->depth == 0) || (mark == ',' && rows->depth == 1);
	if (mark == '(')
		rows->depth++;
	else if (mark == ')' && rows->depth > 0 && --rows->depth == 0)
		end_columns(rows);
}

/* The name of the table, before its columns or rows. */
static void name_token(struct dumprows *rows, enum token token)
{
	if (token == TOKEN_NAME) {
		g_free(rows->name);
		rows->name = g_strdup(rows->text->str);
		rows->parser = rows->is_create ? PARSER_COLUMNS : PARSER_LIST;
	} else if (token != TOKEN_WORD) {
		rows->parser = PARSER_SKIP;
	}
}

static void list_token(struct dumprows *rows, enum token token)
{
	if (token == TOKEN_MARK && rows->text->str[0] == '(' && rows->list == NULL) {
		rows->parser = PARSER_COLUMNS;
		column_token(rows, token);
	} else if (token == TOKEN_WORD && g_ascii_strcasecmp(rows->text->str, "VALUES") == 0) {
		rows->current =
		    rows->list != NULL ? rows->list : g_hash_table_lookup(rows->tables, rows->name);
		rows->kind =
		    rows->current == NULL ? 0 : rows->table(rows->user, (const char *const *)rows->current);
		rows->parser = rows->kind != 0 ? PARSER_ROWS : PARSER_SKIP;
	} else {
		rows->parser = PARSER_SKIP;
	}
}

/* -- rows -- */

/* 0xC0000201 as bytes. */
static void decode_hex(GString *value, const char *digits)
{
	for (; g_ascii_isxdigit(digits[0]) && g_ascii_isxdigit(digits[1]); digits += 2)
		g_string_append_c(
		    value, (char)(g_ascii_xdigit_value(digits[0]) << 4 | g_ascii_xdigit_value(digits[1])));
}

static void take_value(struct dumprows *rows, enum token token)
{
	struct dumprow *row = &rows->row;
	const char *text = rows->text->str;
	GString *value;

	if (row->n == 0 || row->n > DUMPROWS_COLUMNS)
		return;
	value = row->value[row->n - 1];
	g_string_truncate(value, 0);
	row->has[row->n - 1] =
	    !rows->too_long && (token == TOKEN_VALUE || g_ascii_strcasecmp(text, "NULL") != 0);
	if (token == TOKEN_WORD && g_ascii_strncasecmp(text, "0x", 2) == 0)
		decode_hex(value, text + 2);
	else
		g_string_append_len(value, text, (gssize)rows->text->len);
}

/* n counts the value that is being read; an introducer such as _binary is replaced by what follows it. */
static void row_token(struct dumprows *rows, enum token token)
{
	struct dumprow *row = &rows->row;
	char mark = token == TOKEN_MARK ? rows->text->str[0] : '\0';

	if (token != TOKEN_MARK) {
		take_value(rows, token);
	} else if (mark == '(') {
		row->columns = (const char *const *)rows->current;
		row->n = 1;
		memset(row->has, 0, sizeof(row->has));
	} else if (mark == ',' && row->n > 0 && row->n <= DUMPROWS_COLUMNS) {
		row->n++;
	} else if (mark == ')' && row->n > 0) {
		row->n = MIN(row->n, DUMPROWS_COLUMNS);
		rows->row_cb(rows->user, rows->kind, row);
		row->n = 0;
	}
}

static void handle_token(struct dumprows *rows, enum token token)
{
	if (token == TOKEN_MARK && rows->text->str[0] == ';') {
		begin_statement(rows);
		return;
	}
	switch (rows->parser) {
	case PARSER_START:
		start_statement(rows, token);
		break;
	case PARSER_CREATE:
	case PARSER_INSERT:
		name_token(rows, token);
		break;
	case PARSER_COLUMNS:
		column_token(rows, token);
		break;
	case PARSER_LIST:
		list_token(rows, token);
		break;
	case PARSER_ROWS:
		row_token(rows, token);
		break;
	case PARSER_SKIP:
		break;
	}
}

/* -- bytes -- */

static void end_token(struct dumprows *rows, enum token token)
{
	rows->lexer = LEXER_PLAIN;
	handle_token(rows, token);
	g_string_truncate(rows->text, 0);
	rows->too_long = FALSE;
}

/* Of values, only those of wanted tables are kept. */
static void keep(struct dumprows *rows, char byte)
{
	gboolean is_value = rows->lexer == LEXER_VALUE || rows->lexer == LEXER_ESCAPED;
	gsize most = is_value ? DUMPROWS_VALUE_MAX : NAME_MAX_BYTES;

	if (is_value && rows->parser != PARSER_ROWS)
		return;
	if (rows->text->len < most)
		g_string_append_c(rows->text, byte);
	else
		rows->too_long = TRUE;
}

/* MySQL's escapes of one character. */
static char unescaped(char byte)
{
	static const char from[] = "0bnrtZ", to[] = "\0\b\n\r\t\x1a";
	const char *at = byte == '\0' ? NULL : strchr(from, byte);

	return at == NULL ? byte : to[at - from];
}

static gboolean is_word(char byte)
{
	return g_ascii_isalnum(byte) || byte == '_' || byte == '.' || byte == '-' || byte == '+';
}

static void plain_byte(struct dumprows *rows, char byte)
{
	static const char marks[] = "(),;";

	if (byte == '\'')
		rows->lexer = LEXER_VALUE;
	else if (byte == '`')
		rows->lexer = LEXER_NAME;
	else if (byte == '/')
		rows->lexer = LEXER_SLASH;
	else if (byte == '#')
		rows->lexer = LEXER_LINE;
	else if (byte == '-')
		rows->lexer = LEXER_DASH;
	else if (is_word(byte))
		rows->lexer = LEXER_WORD;
	if (rows->lexer == LEXER_WORD) {
		keep(rows, byte);
	} else if (byte != '\0' && strchr(marks, byte) != NULL) {
		g_string_append_c(rows->text, byte);
		end_token(rows, TOKEN_MARK);
	}
}

/* A byte of a comment, or the one after '-' or '/', which may begin one. */
static void comment_byte(struct dumprows *rows, char byte)
{
	if (rows->lexer == LEXER_LINE) {
		rows->lexer = byte == '\n' ? LEXER_PLAIN : LEXER_LINE;
	} else if (rows->lexer == LEXER_BLOCK) {
		rows->lexer = byte == '*' ? LEXER_STAR : LEXER_BLOCK;
	} else if (rows->lexer == LEXER_STAR) {
		rows->lexer = byte == '*' ? LEXER_STAR : byte == '/' ? LEXER_PLAIN : LEXER_BLOCK;
	} else if (rows->lexer == LEXER_DASH && byte == '-') {
		rows->lexer = LEXER_LINE;
	} else if (rows->lexer == LEXER_SLASH && byte == '*') {
		rows->lexer = LEXER_BLOCK;
	} else if (rows->lexer == LEXER_DASH && is_word(byte)) { /* a negative number */
		rows->lexer = LEXER_WORD;
		keep(rows, '-');
		keep(rows, byte);
	} else {
		rows->lexer = LEXER_PLAIN;
		plain_byte(rows, byte);
	}
}

void dumprows_next(struct dumprows *rows, char byte)
{
	switch (rows->lexer) {
	case LEXER_PLAIN:
		plain_byte(rows, byte);
		break;
	case LEXER_WORD:
		if (is_word(byte)) {
			keep(rows, byte);
		} else {
			end_token(rows, TOKEN_WORD);
			plain_byte(rows, byte);
		}
		break;
	case LEXER_NAME:
		if (byte == '`')
			end_token(rows, TOKEN_NAME);
		else
			keep(rows, byte);
		break;
	case LEXER_VALUE:
		if (byte == '\'')
			end_token(rows, TOKEN_VALUE);
		else if (byte == '\\')
			rows->lexer = LEXER_ESCAPED;
		else
			keep(rows, byte);
		break;
	case LEXER_ESCAPED:
		keep(rows, unescaped(byte));
		rows->lexer = LEXER_VALUE;
		break;
	case LEXER_DASH:
	case LEXER_SLASH:
	case LEXER_LINE:
	case LEXER_BLOCK:
	case LEXER_STAR:
		comment_byte(rows, byte);
		break;
	}
}
