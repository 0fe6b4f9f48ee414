#include "server/enrich/address_json.h"

static void add_text(json_object *object, const char *key, const char *text)
{
	json_object_object_add(
	    object, key, text != NULL && *text != '\0' ? json_object_new_string(text) : NULL);
}

json_object *address_network_json(const char *ip, const struct network *network)
{
	json_object *object = json_object_new_object();

	add_text(object, "source_ip", ip);
	json_object_object_add(object, "asn", network->asn >= 0 ? json_object_new_int64(network->asn) : NULL);
	add_text(object, "as_name", network->as_name);
	add_text(object, "country", network->country);
	return object;
}

json_object *address_json(
    const struct name *name, const char *rdns_domain, const struct network *network, gint64 keep)
{
	json_object *object = address_network_json(name->ip, network);

	json_object_object_add(object, "keep", json_object_new_int64(keep));
	json_object_object_add(object, "failed", json_object_new_boolean(name->status == NAME_UNKNOWN));
	add_text(object, "rdns", name->name);
	add_text(object, "rdns_domain", rdns_domain);
	return object;
}
