# embed.cmake - write embedded.c (embedded.h) from SQL files; run in the folder that their names are relative to.
#
#   cmake -D OUT=embedded.c -D "MIGRATIONS=migrations/0001_a.sql|…" -D "DEFINITIONS=a/b.sql|…" -P embed.cmake
#
# The text becomes byte arrays, so that no quoting can go wrong and no compiler limit on string literals is met.
string(REPLACE "|" ";" migrations "${MIGRATIONS}")
string(REPLACE "|" ";" definitions "${DEFINITIONS}")
set(code "/* made by embed.cmake; do not edit */\n#include \"sql/embedded.h\"\n")

# append_array(NAME HEX): a C array of these bytes and a NUL.
function(append_array name hex)
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
	string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
	set(code "${code}static const unsigned char ${name}[] = {\n${bytes}0x00};\n" PARENT_SCOPE)
endfunction()

set(rows "")
set(expected 1)
foreach(file IN LISTS migrations)
	get_filename_component(stem "${file}" NAME_WE)
	if(NOT stem MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
		message(FATAL_ERROR "${file}: not a name like 0001_words.sql")
	endif()
	set(label "${CMAKE_MATCH_1}")
	set(name "${CMAKE_MATCH_2}")
	string(REGEX REPLACE "^0+" "" number "${label}")
	if(NOT number EQUAL expected)
		message(FATAL_ERROR "${file}: number ${expected} was expected")
	endif()
	math(EXPR expected "${expected} + 1")
	file(READ "${file}" hex HEX)
	append_array(text_${label} "${hex}")
	string(APPEND rows "\t{ ${number}, \"${name}\", (const char *)text_${label}, sizeof text_${label} - 1 },\n")
endforeach()

set(all "")
foreach(file IN LISTS definitions)
	file(READ "${file}" hex HEX)
	string(APPEND all "${hex}")
endforeach()
append_array(text_definitions "${all}")

string(APPEND code "const struct migration migrations[] = {\n${rows}};\nconst gsize n_migrations = G_N_ELEMENTS(migrations);\n"
	"const struct definitions definitions = { (const char *)text_definitions, sizeof text_definitions - 1 };\n")
file(WRITE "${OUT}.new" "${code}")
file(RENAME "${OUT}.new" "${OUT}")
