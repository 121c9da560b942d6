#include "bennu/base/ascii.hpp"
#include "bennu/base/utf8.hpp"
#include "bennu/net/url.hpp"
#include "bennu/web/conn_state.hpp"

namespace bennu::detail {

namespace {

/// `application/json; charset=utf-8` without its parameters.
std::string_view media_type(std::string_view content_type) {
    return trim(content_type.substr(0, content_type.find(';')));
}

bool is_json_type(std::string_view type) {
    return iequals(type, json_type) ||
           (type.size() > 5 && iequals(type.substr(type.size() - 5), "+json"));
}

/// JSON is UTF-8; another charset would be read wrongly.
bool is_utf8_or_unsaid(std::string_view content_type) {
    std::string lower = to_lower(content_type);
    std::size_t at = lower.find("charset=");
    if (at == std::string::npos) return true;
    std::string_view charset = std::string_view(lower).substr(at + 8);
    if (charset.starts_with('"')) charset.remove_prefix(1);
    return charset.starts_with("utf-8") || charset.starts_with("us-ascii");
}

Error unsupported(std::string_view content_type) {
    if (content_type.empty()) {
        return Error(ErrorKind::unsupported, "unsupported_media_type",
                     "the body has no content-type; send application/json");
    }
    return Error(ErrorKind::unsupported, "unsupported_media_type",
                 "this content-type is not read here; send application/json");
}

}  // namespace

bool is_form_type(std::string_view content_type) {
    std::string_view type = media_type(content_type);
    return iequals(type, "application/x-www-form-urlencoded") ||
           iequals(type, "multipart/form-data");
}

Result<> check_content_encoding(std::string_view encoding) {
    if (encoding.empty() || iequals(trim(encoding), "identity")) return {};
    return Error(ErrorKind::unsupported, "unsupported_encoding",
                 "a compressed body is not read here; send it without content-encoding");
}

Result<Json> read_json_body(std::string_view content_type, std::string_view body) {
    if (!is_json_type(media_type(content_type)) || !is_utf8_or_unsaid(content_type)) {
        return unsupported(content_type);
    }
    // The length was limited when the body was received. RFC 8259 lets us ignore the mark.
    return parse_json(without_byte_order_mark(body), {.max_bytes = body.size()});
}

Result<ConnState::Body> read_body(std::string_view content_type, std::string_view body) {
    ConnState::Body read;
    read.params = Json::object();
    std::string_view type = media_type(content_type);
    if (body.empty()) return read;
    if (iequals(type, "application/x-www-form-urlencoded")) {
        auto form = net::parse_query(body);
        if (!form) return std::move(form).error();
        if (form->is_object()) read.params = *std::move(form);
        read.from_text = true;
    } else if (iequals(type, "multipart/form-data")) {
        auto form = read_multipart(content_type, body);
        if (!form) return std::move(form).error();
        read.params = std::move(form->fields);
        read.files = std::move(form->files);
        read.from_text = true;
    } else {
        auto json = read_json_body(content_type, body);
        if (!json) return std::move(json).error();
        if (!json->is_object()) {
            return Error::invalid({{"", "type", "the body must be a JSON object"}});
        }
        read.params = *std::move(json);
    }
    return read;
}

}  // namespace bennu::detail
