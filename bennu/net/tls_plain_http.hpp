#pragma once

#include <string_view>

namespace bennu::net {

/// Whether somebody who begins like this speaks HTTP without TLS: a method begins with a capital
/// letter, no record of TLS does.
bool begins_like_plain_http(std::string_view received);

/// What such a client is answered, unencrypted: 400, in words that a person can act on.
std::string_view plain_http_answer();

}  // namespace bennu::net
