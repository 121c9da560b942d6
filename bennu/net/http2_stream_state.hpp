#pragma once

#include <memory>

#include "bennu/net/http2_head.hpp"
#include "bennu/net/outgoing_body.hpp"

namespace bennu::net {

/// A request and its answer, as a session keeps them.
struct Http2StreamState {
    explicit Http2StreamState(const Http1Limits& limits) : head(limits), trailers(limits) {}

    Http2HeadBuilder head;
    Http2Trailers trailers;
    bool requested = false;  ///< the owner knows of it
    bool connect = false;    ///< for a WebSocket: nothing but data may follow the head
    bool tunnel = false;     ///< and the owner agreed
    OutgoingBody out;
    std::unique_ptr<const Headers> out_trailers;  ///< what follows it
};

}  // namespace bennu::net
