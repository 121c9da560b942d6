#include "bennu/web/upload.hpp"

#include "bennu/base/utf8.hpp"
#include "bennu/net/multipart.hpp"
#include "bennu/net/url.hpp"

namespace bennu {

namespace {

/// Collects plain fields as a query string, so that brackets nest in one way everywhere.
void append_field(std::string& query, std::string_view name, std::string_view value) {
    if (!query.empty()) query += '&';
    std::size_t at = 0;
    for (; at < name.size(); ++at) {
        if (name[at] == '[' || name[at] == ']') {
            query += name[at];
        } else {
            query += net::percent_encode(name.substr(at, 1));
        }
    }
    query.append("=").append(net::percent_encode(value));
}

Error malformed(std::string_view code, std::string_view message) {
    bool limit = code.starts_with("too_many") || code.ends_with("too_large");
    return Error(limit ? ErrorKind::too_large : ErrorKind::invalid, std::string(code),
                 std::string(message));
}

}  // namespace

Result<MultipartForm> read_multipart(std::string_view content_type, std::string_view body) {
    auto boundary = net::multipart_boundary(content_type);
    if (!boundary) return std::move(boundary).error();
    net::MultipartParser parser(*boundary);
    net::PartHead head;
    MultipartForm form;
    std::string query;
    std::string data;
    while (true) {
        net::MultipartEvent event = parser.next(body, head);
        using Kind = net::MultipartEvent::Kind;
        switch (event.kind) {
            case Kind::part:
                data.clear();
                break;
            case Kind::data:
                data.append(event.data);
                break;
            case Kind::part_end:
                if (!head.filename) {
                    append_field(query, head.name, data);
                } else if (!head.filename->empty() || !data.empty()) {
                    form.files.push_back(
                        {head.name, *head.filename, head.content_type, std::move(data)});
                    data.clear();
                }
                break;
            case Kind::need_more:
                return malformed("truncated_multipart", "the multipart body ends too early");
            case Kind::error:
                return malformed(event.code, event.message);
            case Kind::done: {
                auto fields = net::parse_query(query);
                if (!fields) return std::move(fields).error();
                if (fields->is_object()) form.fields = *std::move(fields);
                return form;
            }
        }
        body.remove_prefix(event.consumed);
    }
}

}  // namespace bennu
