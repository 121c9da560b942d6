#include "bennu/web/form_parts.hpp"

#include "bennu/net/url.hpp"

namespace bennu::detail {

void FormFields::add(std::string_view name, std::string_view value) {
    if (!query_.empty()) query_ += '&';
    for (std::size_t at = 0; at < name.size(); ++at) {
        if (name[at] == '[' || name[at] == ']') {
            query_ += name[at];
        } else {
            query_ += net::percent_encode(name.substr(at, 1));
        }
    }
    query_.append("=").append(net::percent_encode(value));
}

Result<Json> FormFields::read() const {
    Result<Json> fields = net::parse_query(query_);
    if (!fields || fields->is_object()) return fields;
    return Json::object();
}

Error multipart_error(std::string_view code, std::string_view message) {
    const bool limit = code.starts_with("too_many") || code.ends_with("too_large");
    return Error(limit ? ErrorKind::too_large : ErrorKind::invalid, std::string(code),
                 std::string(message));
}

Error truncated_multipart() {
    return multipart_error("truncated_multipart", "the multipart body ends too early");
}

}  // namespace bennu::detail
