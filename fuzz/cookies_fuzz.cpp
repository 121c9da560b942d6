#include "bennu/web/cookies.hpp"

#include "bennu/base/ascii.hpp"
#include "fuzz/input.hpp"

using namespace bennu;

/// The input is a `Cookie` header; each name that it seems to hold is looked for.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view header(reinterpret_cast<const char*>(data), size);
    std::string_view rest = header;
    for (int i = 0; i < 50 && !rest.empty(); ++i) {
        std::string_view pair = rest.substr(0, rest.find(';'));
        rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
        std::string_view name = trim(pair.substr(0, pair.find('=')));
        auto value = find_cookie(header, name);
        fuzz::require_that(value.has_value() || pair.find('=') == std::string_view::npos,
                           "a cookie that is there was not found");
        if (!value) continue;
        fuzz::require_that(value->find(';') == std::string_view::npos, "a value goes past its end");
        std::string set;
        try {
            set = format_set_cookie({.name = std::string(name), .value = std::string(*value)});
        } catch (const std::invalid_argument&) {
            continue;  // what a server may not set
        }
        fuzz::require_that(set.find_first_of("\r\n") == std::string::npos, "a header was injected");
        auto again = find_cookie(set, name);
        fuzz::require_that(again && *again == *value, "a cookie reads differently when set again");
    }
    return 0;
}
