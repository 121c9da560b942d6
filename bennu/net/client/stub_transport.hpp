#pragma once

#include <memory>

#include "bennu/base/function.hpp"
#include "bennu/net/client/transport.hpp"
#include "bennu/net/http_handler.hpp"

namespace bennu::net {

/// A transport for tests and simulations that asks a function. It may sleep, answer anything, or
/// fail as a network would; it is destroyed with the call that it belongs to. An upload is gathered
/// into the body before; an answer is delivered as it was asked for, whether the function gives a
/// body or a stream.
std::shared_ptr<Transport> stub_transport(
    Function<Task<Result<ClientResponse>>(ClientRequest) const> answer);

/// Asks what serves an application, such as its endpoint, without a network: the request's head
/// passes the server's own parser. WebSockets are
/// `unsupported`.
std::shared_ptr<Transport> handler_transport(std::shared_ptr<const HttpHandler> handler);

}  // namespace bennu::net
