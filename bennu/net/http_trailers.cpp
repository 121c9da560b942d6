#include "bennu/net/http_trailers.hpp"

#include <algorithm>
#include <span>

#include "bennu/base/ascii.hpp"

namespace bennu::net {

namespace {

constexpr std::string_view of_the_head[] = {"transfer-encoding",
                                            "content-length",
                                            "content-encoding",
                                            "content-type",
                                            "content-range",
                                            "host",
                                            "connection",
                                            "upgrade",
                                            "expect",
                                            "te",
                                            "trailer",
                                            "authorization",
                                            "cookie",
                                            "proxy-authorization",
                                            "cache-control",
                                            "range",
                                            "max-forwards",
                                            "x-forwarded-for",
                                            "x-forwarded-proto",
                                            "x-forwarded-host",
                                            "forwarded"};
constexpr std::string_view of_an_answers_head[] = {"age",
                                                   "content-security-policy",
                                                   "date",
                                                   "expires",
                                                   "keep-alive",
                                                   "location",
                                                   "retry-after",
                                                   "set-cookie",
                                                   "vary",
                                                   "warning",
                                                   "www-authenticate",
                                                   "proxy-authenticate"};

bool holds(std::span<const std::string_view> names, std::string_view name) {
    return std::ranges::any_of(names, [&](std::string_view one) { return iequals(one, name); });
}

}  // namespace

bool may_trail(std::string_view name) {
    return !holds(of_the_head, name);
}

bool may_trail_answer(std::string_view name) {
    return may_trail(name) && !holds(of_an_answers_head, name);
}

}  // namespace bennu::net
