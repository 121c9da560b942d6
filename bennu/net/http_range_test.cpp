#include "bennu/net/http_range.hpp"

#include <gtest/gtest.h>

#include <string>

namespace bennu::net::http_range_test {

std::string read(std::string_view field, std::uint64_t size) {
    RangeRequest range = read_range(field, size);
    if (range.kind == RangeRequest::Kind::whole) return "whole";
    if (range.kind == RangeRequest::Kind::unsatisfiable) return "unsatisfiable";
    return std::to_string(range.first) + "+" + std::to_string(range.length);
}

TEST(HttpRange, reads_what_rfc_9110_defines) {
    struct Row {
        const char* field;
        std::uint64_t size;
        const char* expected;
    };
    const Row rows[] = {
        {"bytes=0-499", 1000, "0+500"},
        {"bytes=500-999", 1000, "500+500"},
        {"bytes=500-", 1000, "500+500"},
        {"bytes=-500", 1000, "500+500"},
        {"bytes=-5000", 1000, "0+1000"},
        {"bytes=0-0", 1000, "0+1"},
        {"bytes=-1", 1000, "999+1"},
        {"BYTES=0-0", 1000, "0+1"},
        {"bytes= 0-0 ", 1000, "0+1"},
        {"bytes=900-5000", 1000, "900+100"},
        {"bytes=0-99999999999999999999999", 1000, "0+1000"},
        {"bytes=1000-", 1000, "unsatisfiable"},
        {"bytes=99999999999999999999999-", 1000, "unsatisfiable"},
        {"bytes=-0", 1000, "unsatisfiable"},
        {"bytes=0-", 0, "unsatisfiable"},
        {"bytes=-5", 0, "whole"},
        {"bytes=500-499", 1000, "whole"},
        {"bytes=0-1,3-4", 1000, "whole"},
        {"bytes=0-0,", 1000, "whole"},
        {"bytes=", 1000, "whole"},
        {"bytes=-", 1000, "whole"},
        {"bytes=a-b", 1000, "whole"},
        {"bytes=+1-2", 1000, "whole"},
        {"bytes=1 - 2", 1000, "whole"},
        {"bytes=0x1-2", 1000, "whole"},
        {"bytes 0-1", 1000, "whole"},
        {"items=0-1", 1000, "whole"},
        {"", 1000, "whole"},
    };
    for (const Row& row : rows) EXPECT_EQ(read(row.field, row.size), row.expected) << row.field;
}

}  // namespace bennu::net::http_range_test
