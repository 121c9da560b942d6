#include "bennu/web/protect/forwarded.hpp"

#include "bennu/base/ascii.hpp"

namespace bennu {

namespace {

/// `192.0.2.1` of `192.0.2.1:4711`, `2001:db8::1` of `[2001:db8::1]:4711`.
std::string without_port(std::string_view node) {
    if (node.starts_with('[')) {
        std::size_t end = node.find(']');
        return std::string(end == std::string_view::npos ? node : node.substr(1, end - 1));
    }
    std::size_t colon = node.find(':');
    bool one =
        colon != std::string_view::npos && node.find(':', colon + 1) == std::string_view::npos;
    return std::string(one ? node.substr(0, colon) : node);
}

/// Reads `token` and `"quoted text"` off the front.
class ForwardedReader {
  public:
    explicit ForwardedReader(std::string_view text) : rest_(text) {}

    bool done() const { return rest_.empty(); }
    void skip_space() {
        while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) {
            rest_.remove_prefix(1);
        }
    }
    bool take(char c) {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::optional<std::string> token() {
        std::size_t size = 0;
        while (size < rest_.size() && net::Headers::valid_name(rest_.substr(size, 1))) ++size;
        if (size == 0) return std::nullopt;
        std::string token(rest_.substr(0, size));
        rest_.remove_prefix(size);
        return token;
    }
    std::optional<std::string> value() {
        if (!take('"')) return token();
        std::string text;
        while (!rest_.empty()) {
            char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '"') return text;
            if (c == '\\') {
                if (rest_.empty()) break;
                c = rest_.front();
                rest_.remove_prefix(1);
            }
            text += c;
        }
        return std::nullopt;
    }

  private:
    std::string_view rest_;
};

std::vector<std::string_view> split_list(std::string_view text) {
    std::vector<std::string_view> items;
    while (!text.empty()) {
        std::string_view item = text.substr(0, text.find(','));
        text.remove_prefix(std::min(item.size() + 1, text.size()));
        items.push_back(trim(item));
    }
    return items;
}

/// Of the hop at that distance from the end.
std::string at_hop(const std::vector<std::string_view>& list, std::size_t from_end) {
    if (list.size() == 1) return std::string(list.front());
    return from_end < list.size() ? std::string(list[list.size() - 1 - from_end]) : std::string();
}

}  // namespace

std::optional<std::vector<ForwardedHop>> parse_forwarded(std::string_view value) {
    std::vector<ForwardedHop> hops;
    ForwardedReader reader(value);
    while (true) {
        ForwardedHop hop;
        reader.skip_space();
        while (true) {
            std::optional<std::string> name = reader.token();
            if (!name || !reader.take('=')) return std::nullopt;
            std::optional<std::string> text = reader.value();
            if (!text) return std::nullopt;
            std::string key = to_lower(*name);
            std::string* part = key == "for"     ? &hop.client
                                : key == "proto" ? &hop.scheme
                                : key == "host"  ? &hop.host
                                                 : nullptr;
            // The same parameter twice is forbidden: two readers would choose differently.
            if (part && !part->empty()) return std::nullopt;
            if (part) *part = *std::move(text);
            reader.skip_space();
            if (!reader.take(';')) break;
            reader.skip_space();
        }
        hop.client = without_port(hop.client);
        hop.scheme = to_lower(hop.scheme);
        hops.push_back(std::move(hop));
        if (reader.done()) return hops;
        if (!reader.take(',')) return std::nullopt;
    }
}

std::vector<ForwardedHop> parse_x_forwarded(std::string_view clients, std::string_view schemes,
                                            std::string_view hosts) {
    auto client_list = split_list(clients);
    const auto scheme_list = split_list(schemes);
    const auto host_list = split_list(hosts);
    if (client_list.empty() && !(scheme_list.empty() && host_list.empty()))
        client_list.emplace_back();
    std::vector<ForwardedHop> hops;
    for (std::size_t i = 0; i < client_list.size(); ++i) {
        std::size_t from_end = client_list.size() - 1 - i;
        hops.push_back({.client = without_port(client_list[i]),
                        .scheme = to_lower(at_hop(scheme_list, from_end)),
                        .host = at_hop(host_list, from_end)});
    }
    return hops;
}

std::string joined_header(const net::Headers& headers, std::string_view name) {
    std::string all;
    for (auto [field, value] : headers) {
        if (!iequals(field, name)) continue;
        if (!all.empty()) all += ", ";
        all += value;
    }
    return all;
}

}  // namespace bennu
