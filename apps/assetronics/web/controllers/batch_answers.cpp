#include "apps/assetronics/web/controllers/batch_answers.hpp"

#include "bennu/web/error_json.hpp"

namespace assetronics::web {

using namespace bennu;

namespace {

[[noreturn]] void refuse(std::string_view field, std::string code, std::string message,
                         int status = 422) {
    throw RequestError(Error::field(std::string(field), std::move(code), std::move(message)),
                       status);
}

Json take_only(Json body, std::string_view key) {
    std::vector<FieldError> unknown;
    for (const JsonMember& member : body.as_object()) {
        if (member.key != key) unknown.push_back({member.key, "unknown", "is not a known field"});
    }
    if (!unknown.empty()) throw RequestError(Error::invalid(std::move(unknown)), 422);
    Json* value = body.find(key);
    if (!value) refuse(key, "required", "is required");
    return std::move(*value);
}

/// Errors that are our own fault (the disk is full) are told as such, without their details.
void append_errors(std::string& out, const std::vector<assets::ItemError>& failed) {
    out += "\"errors\":[";
    for (const auto& [index, error] : failed) {
        append_error_entries(
            out, error, is_internal(error) ? std::string_view("was not saved") : error.message(),
            "\"index\":" + std::to_string(index) + ',');
    }
    out += ']';
}

void append_data(std::string& out, const std::vector<assets::Asset>& done, BatchData data) {
    out += "\"data\":[";
    for (const assets::Asset& asset : done) {
        if (&asset != done.data()) out += ',';
        if (data == BatchData::ids) {
            out += '"';
            append_id(out, asset.id);
            out += '"';
        } else {
            write_public(out, asset);
        }
    }
    out += ']';
}

}  // namespace

Json::Array take_items(Json body, std::string_view key) {
    Json list = take_only(std::move(body), key);
    if (!list.is_array()) refuse(key, "type", "must be a list");
    if (list.size() == 0) refuse(key, "required", "must not be empty");
    return std::move(list.as_array());
}

Json take_object(Json body, std::string_view key) {
    Json object = take_only(std::move(body), key);
    if (!object.is_object()) refuse(key, "type", "must be an object");
    return object;
}

void check_ids(const Json::Array& items) {
    for (const Json& item : items) {
        const Json* id = item.find("id");
        if (id && id->is_string() && !parse_id(id->as_string())) {
            refuse("id", "invalid",
                   "item " + std::to_string(&item - items.data()) + " has no valid id", 400);
        }
    }
}

std::vector<Id> take_ids(Json body) {
    const Json::Array items = take_items(std::move(body), "ids");
    std::vector<Id> ids;
    ids.reserve(items.size());
    for (const Json& item : items) {
        Result<Id> id =
            item.is_string() ? parse_id(item.as_string()) : Result<Id>(Error(ErrorKind::invalid));
        if (!id) {
            refuse("ids", "invalid", "item " + std::to_string(&item - items.data()) + " is no id",
                   400);
        }
        ids.push_back(*id);
    }
    return ids;
}

Response batch_answer(const Conn& conn, const Result<assets::Batch>& batch, BatchStatus status) {
    if (!batch) return error(conn, batch.error());
    std::string out = "{";
    if (batch->done.empty()) {
        append_errors(out, batch->failed);
        return json_text(conn, status.none, std::move(out += '}'));
    }
    out += "\"success_count\":" + std::to_string(batch->done.size());
    out += ",\"fail_count\":" + std::to_string(batch->failed.size()) + ',';
    append_data(out, batch->done, status.data);
    if (!batch->failed.empty()) {
        out += ',';
        append_errors(out, batch->failed);
    }
    return json_text(conn, batch->failed.empty() ? status.all : 206, std::move(out += '}'));
}

}  // namespace assetronics::web
