#include "bennu/web/error_json.hpp"

#include "bennu/base/json.hpp"

namespace bennu {

namespace {

void append_entry(std::string& list, std::string_view first_members, std::string_view field,
                  std::string_view code, std::string_view message) {
    list += list.ends_with('}') ? ",{" : "{";
    list += first_members;
    list += "\"field\":";
    if (field.empty()) {
        list += "null";
    } else {
        append_json_string(list, field);
    }
    list += ",\"code\":";
    append_json_string(list, code);
    list += ",\"message\":";
    append_json_string(list, message);
    list += '}';
}

}  // namespace

bool is_internal(const Error& error) {
    return error.kind() == ErrorKind::internal || error.kind() == ErrorKind::io;
}

void append_error_entries(std::string& list, const Error& error, std::string_view message,
                          std::string_view first_members) {
    for (const FieldError& each : error.fields())
        append_entry(list, first_members, each.field, each.code, each.message);
    if (error.fields().empty()) append_entry(list, first_members, {}, error.code(), message);
}

}  // namespace bennu
