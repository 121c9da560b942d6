#pragma once

#include <memory>

#include "bennu/runtime/reactor/reactor.hpp"

namespace bennu {

/// The reactor of production: one epoll set, edge-triggered, and an eventfd to be woken by.
std::unique_ptr<Reactor> make_epoll_reactor();

}  // namespace bennu
