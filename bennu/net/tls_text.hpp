#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/result.hpp"

namespace bennu::net {

/// A whole file of PEM text. Blocks.
Result<std::string> read_pem(const std::string& path);
/// Whether a name of a certificate (`*.example.com` stands for one label) is that of a host; both
/// in lower case.
bool covers_name(std::string_view pattern, std::string_view name);
/// The wire form of ALPN: each name behind its length.
std::string alpn_list(const std::vector<std::string>& protocols);

}  // namespace bennu::net
