#include "bennu/net/http_date.hpp"
#include "bennu/net/http_range.hpp"
#include "fuzz/input.hpp"

// The first byte chooses the size of the body; the rest is a Range field, and a date.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bennu;
    if (size == 0) return 0;
    constexpr std::uint64_t sizes[] = {0, 1, 10, 1000, UINT64_MAX};
    std::uint64_t body = sizes[data[0] % 5];
    std::string_view field(reinterpret_cast<const char*>(data) + 1, size - 1);
    net::RangeRequest range = net::read_range(field, body);
    if (range.kind == net::RangeRequest::Kind::part) {
        fuzz::require_that(range.length > 0, "an empty part");
        fuzz::require_that(range.first < body && range.length <= body - range.first,
                           "a part outside of the body");
        auto again = net::read_range("bytes=" + std::to_string(range.first) + "-" +
                                         std::to_string(range.first + (range.length - 1)),
                                     body);
        fuzz::require_that(again.first == range.first && again.length == range.length,
                           "the part, written out, is another one");
    }
    Timestamp now{1'767'225'600'000};
    if (auto at = net::parse_http_date(field, now)) {
        net::HttpDate date;
        auto again = net::parse_http_date(date.at(*at), now);
        fuzz::require_that(again && *again == *at, "a date, written out, is another one");
    }
    return 0;
}
