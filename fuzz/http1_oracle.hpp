#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <string>
#include <vector>

#include "bennu/base/ascii.hpp"
#include "bennu/net/http_message.hpp"
#include "fuzz/input.hpp"

namespace bennu::fuzz {

/// The head of a request as Boost.Beast, a parser by others, reads it.
struct BeastHead final : boost::beast::http::basic_parser<true> {
    using View = boost::beast::string_view;
    using ErrorCode = boost::beast::error_code;
    using Length = boost::optional<std::uint64_t>;

    BeastHead() {
        skip(true);
        body_limit(boost::none);
        header_limit(UINT32_MAX);
    }

    void on_request_impl(boost::beast::http::verb, View verb, View at, int number,
                         ErrorCode&) override {
        method = std::string(verb);
        target = std::string(at);
        version = number;
    }
    void on_field_impl(boost::beast::http::field, View name, View value, ErrorCode&) override {
        fields.emplace_back(std::string(name), std::string(value));
    }
    void on_response_impl(int, View, int, ErrorCode&) override {}
    void on_header_impl(ErrorCode&) override {}
    void on_body_init_impl(const Length&, ErrorCode&) override {}
    std::size_t on_body_impl(View body, ErrorCode&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, View, ErrorCode&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, View body, ErrorCode&) override {
        return body.size();
    }
    void on_finish_impl(ErrorCode&) override {}

    std::string method, target;
    int version = 0;
    std::vector<std::pair<std::string, std::string>> fields;
};

/// What we take, Beast takes too, and reads it as we do.
inline void require_as_beast(std::string_view text, const net::RequestHead& head) {
    if (text.starts_with("\r\n")) text.remove_prefix(2);
    BeastHead beast;
    BeastHead::ErrorCode error;
    const std::size_t used = beast.put({text.data(), text.size()}, error);
    require_that(!error && used == text.size() && beast.is_header_done(),
                 "a head that Beast refuses");
    require_equal(beast.method, std::string(head.method_text()), "another method than Beast's");
    require_equal(beast.target, std::string(head.target()), "another target than Beast's");
    require_that(beast.version == 10 + head.minor_version, "another version than Beast's");
    require_that(beast.fields.size() == head.headers.size(), "other fields than Beast's");
    for (std::size_t i = 0; i < beast.fields.size(); ++i) {
        const auto [name, value] = head.headers[i];
        require_equal(beast.fields[i].first, std::string(name), "another name than Beast's");
        // An absolute target's authority stands in the place of the Host field.
        const bool host = name.size() == 4 && !head.target().starts_with('/');
        std::string sent = beast.fields[i].second;
        if (bennu::iequals(name, "host") && sent.ends_with(':')) sent.pop_back();
        if (!host) require_equal(sent, std::string(value), "another value than Beast's");
    }
}

}  // namespace bennu::fuzz
