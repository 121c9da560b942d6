#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/result.hpp"

namespace bennu {

struct EndpointOptions;

/// The hosts that an endpoint answers for: `EndpointOptions::hosts`, and what no page of the
/// Internet can have as its own address: `localhost` and names below it, `*.test`, IP addresses,
/// and the name of this machine (also its first part, and that with `.local`). So a page whose name
/// leads to this server once the page is open ("DNS rebinding") reads nothing here.
///
/// Immutable; shared by all shards.
class HostList {
  public:
    /// Error `bad_host` for an entry that is no name.
    static Result<HostList> make(const EndpointOptions& options);

    /// Whether a request's host, whose port does not count, is one of them. One without a host is
    /// always in: no browser sends it.
    bool admits(std::string_view host) const;

  private:
    bool any_ = false;
    std::vector<std::string> patterns_;
    std::vector<std::string> machine_;
};

}  // namespace bennu
