#include "bennu/net/request_table.hpp"

#include "bennu/net/http2_connection.hpp"
#include "bennu/net/http_connection.hpp"

namespace bennu::net {

std::shared_ptr<ConnectionTable> request_connection_table() {
    if (auto* connection = local_body(Ref<HttpConnection>(self()))) return connection->table();
    const auto* stream = local_body(Ref<Http2Stream>(self()));
    const Http2Connection* connection = stream ? stream->connection() : nullptr;
    return connection ? connection->table() : client_connection_table();
}

}  // namespace bennu::net
