#include "bennu/web/send_file.hpp"

#include "bennu/net/http_date.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/web/conditional.hpp"
#include "bennu/web/content_type.hpp"

namespace bennu {

Task<Response> send_file(Conn conn, std::string path, FileOptions options) {
    auto file = co_await offload([path] { return net::OpenFile::open(path); });
    if (!file) {
        if (file.error().kind() == ErrorKind::not_found) co_return not_found(conn);
        co_return error(conn, file.error());
    }
    Response response(200);
    if (!options.filename.empty()) {
        response = send_download(conn, std::string(),
                                 {.filename = options.filename,
                                  .content_type = options.content_type,
                                  .disposition = options.disposition});
    } else {
        response.headers.set("content-type", options.content_type.empty() ? content_type_of(path)
                                                                          : options.content_type);
        response.headers.set("x-content-type-options", "nosniff");
    }
    net::HttpDate modified;
    response.headers.set("cache-control", options.cache_control);
    response.headers.set("etag", (*file)->etag());
    response.headers.set("last-modified", modified.at((*file)->modified()));
    std::uint64_t size = (*file)->size();
    response.body = net::FileBody{*std::move(file), 0, size};
    apply_conditions(conn, response);
    co_return response;
}

}  // namespace bennu
