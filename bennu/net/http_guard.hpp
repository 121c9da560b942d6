#pragma once

#include "bennu/net/http_handler.hpp"

namespace bennu::net {

/// Names a request in the log when its handler, to which all of it went, has had a fault.
struct RequestLine {
    explicit RequestLine(const RequestHead& head)
        : method(head.method_text()), target(head.target()) {}
    std::string method, target;
};

/// What the handler answered; in the place of a fault, which is logged, its `failure(500)`.
HttpResponse& answer_of(Contained<HttpResponse>& outcome, const HttpHandler& handler,
                        const RequestLine& line);

/// Runs a producer to its end. False, and logged, when it failed: the answer must not seem whole.
Task<bool> guarded_produce(const BodyProducer* producer, BodyWriter out);

}  // namespace bennu::net
