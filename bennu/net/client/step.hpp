#pragma once

#include <memory>
#include <span>

#include "bennu/net/client/transport.hpp"

namespace bennu::net {

class Step;
using StepPtr = std::shared_ptr<const Step>;

/// What comes after a step: the steps behind it, and the transport. May be called any number of
/// times.
class Next {
  public:
    Next(std::span<const StepPtr> rest, Transport& transport)
        : rest_(rest), transport_(&transport) {}
    Task<Result<ClientResponse>> operator()(ClientRequest request) const;

  private:
    std::span<const StepPtr> rest_;
    Transport* transport_;
};

/// Something that happens around requests, in the manner of a plug: it changes the request, calls
/// `next`, looks at the answer. The first step of a client's list is the outermost one. Shared by
/// all shards: what it keeps is immutable or guarded, and never locked across a `co_await`.
class Step {
  public:
    virtual ~Step() = default;
    virtual Task<Result<ClientResponse>> run(ClientRequest request, Next next) const = 0;
};

}  // namespace bennu::net
