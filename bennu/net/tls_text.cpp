#include "bennu/net/tls_text.hpp"

#include <fstream>

namespace bennu::net {

Result<std::string> read_pem(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in.good() && !in.eof()) {
        return Error(ErrorKind::not_found, "no_certificate", "cannot read " + path);
    }
    return text;
}

bool covers_name(std::string_view pattern, std::string_view name) {
    if (!pattern.starts_with("*.")) return pattern == name;
    std::size_t dot = name.find('.');
    return dot != std::string_view::npos && dot > 0 && name.substr(dot) == pattern.substr(1);
}

std::string alpn_list(const std::vector<std::string>& protocols) {
    std::string list;
    for (const std::string& protocol : protocols) {
        list.push_back(static_cast<char>(protocol.size()));
        list += protocol;
    }
    return list;
}

}  // namespace bennu::net
