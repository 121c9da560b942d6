#pragma once

#include <charconv>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/ascii.hpp"
#include "bennu/net/http2_head.hpp"
#include "bennu/net/http_syntax.hpp"

namespace bennu::net {

/// The fields of a response as HTTP/2 has them: the status first, names in small letters, without
/// what only HTTP/1 has. The headers, and what is added, must live as long.
class Http2ResponseFields {
  public:
    Http2ResponseFields(int status, const Headers& headers) {
        auto status_end = std::to_chars(status_, std::end(status_), status).ptr;
        fields_.reserve(headers.size() + 3);
        add(":status", {status_, status_end});
        add_all(headers);
    }
    /// Those after a body.
    explicit Http2ResponseFields(const Headers& trailers) { add_all(trailers); }
    Http2ResponseFields(const Http2ResponseFields&) = delete;
    Http2ResponseFields& operator=(const Http2ResponseFields&) = delete;

    void add(std::string_view name, std::string_view value) { fields_.push_back({name, value}); }
    void add_length(std::uint64_t length) {
        auto end = std::to_chars(length_, std::end(length_), length).ptr;
        add("content-length", {length_, end});
    }
    std::span<const Headers::Field> all() const { return fields_; }

  private:
    void add_all(const Headers& headers) {
        std::size_t name_bytes = 0;
        for (auto field : headers) name_bytes += field.name.size();
        names_.reserve(name_bytes);  // views into it must stay valid
        for (auto field : headers) {
            if (not_in_http2(field.name)) continue;
            const std::size_t at = names_.size();
            for (char c : field.name) names_.push_back(ascii_lower(c));
            add(std::string_view(names_).substr(at), trim_ows(field.value));
        }
    }

    char status_[4], length_[20];
    std::string names_;
    std::vector<Headers::Field> fields_;
};

}  // namespace bennu::net
