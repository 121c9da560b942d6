#include "bennu/web/response.hpp"

namespace bennu {

Response::Response(int code, std::string_view content_type, std::string text) {
    status = code;
    headers.add("content-type", content_type);
    body = std::move(text);
}

Response::Response(int code, std::string_view content_type, Shared<std::string> bytes) {
    status = code;
    headers.add("content-type", content_type);
    body = std::move(bytes);
}

Response Response::with_header(std::string_view name, std::string_view value) && {
    headers.set(name, value);
    return std::move(*this);
}

Response Response::with_added_header(std::string_view name, std::string_view value) && {
    headers.add(name, value);
    return std::move(*this);
}

}  // namespace bennu
