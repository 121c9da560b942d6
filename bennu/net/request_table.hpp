#pragma once

#include <memory>

#include "bennu/net/connection_table.hpp"

namespace bennu::net {

/// Called by the process of a request: the table of the connection that it came on. What a handler
/// starts for its client, and what lives on after the answer, counts and ends with that
/// connection's listener by an entry of its own. For a request without a network:
/// `client_connection_table`.
std::shared_ptr<ConnectionTable> request_connection_table();

}  // namespace bennu::net
