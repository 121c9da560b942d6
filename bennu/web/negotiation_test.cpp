#include "bennu/web/negotiation.hpp"

#include <gtest/gtest.h>

namespace bennu {
namespace {

TEST(Negotiation, encodings) {
    struct Row {
        std::string_view header;
        std::string_view coding;
        int expected;
    };
    constexpr Row rows[] = {
        {"gzip, br", "br", 1000},
        {"gzip;q=0.5, BR;q=0.8", "br", 800},
        {"gzip; q=0.123", "gzip", 123},
        {"gzip;q=0", "gzip", 0},
        {"*;q=0.3", "zstd", 300},
        {"*;q=0", "identity", 0},
        {"identity;q=0", "identity", 0},
        {"gzip", "identity", 1},
        {"", "identity", 1},
        {"", "gzip", 0},
        {"gzip;q=7", "gzip", 0},
        {"gzip;q=0.1234", "gzip", 0},
        {"gzip;q=", "gzip", 0},
        {" , gzip ,", "gzip", 1000},
        {"x-gzip", "gzip", 0},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(encoding_quality(row.header, row.coding), row.expected) << row.header;
    }
}

TEST(Negotiation, media_types) {
    struct Row {
        std::string_view header;
        std::string_view type;
        int expected;
    };
    constexpr Row rows[] = {
        {"", "text/html", 1000},
        {"*/*", "text/html", 1000},
        {"text/*;q=0.4, */*;q=0.1", "text/html", 400},
        {"text/html;level=1;q=0.7, text/*", "text/html", 700},
        {"text/html;q=0, */*", "text/html", 0},
        {"application/json", "text/html", 0},
        {"TEXT/HTML", "text/html", 1000},
        {"garbage", "text/html", 0},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(media_quality(row.header, row.type), row.expected) << row.header;
    }
    EXPECT_EQ(choose_media("application/json;q=0.5, text/html", {"application/json", "text/html"}),
              "text/html");
    EXPECT_EQ(choose_media("image/png", {"application/json", "text/html"}), "");
}

TEST(Negotiation, browsers_get_pages_and_programs_do_not) {
    EXPECT_TRUE(accepts_html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
    EXPECT_FALSE(accepts_html(""));
    EXPECT_FALSE(accepts_html("text/html;q=0, text/html"));
    EXPECT_FALSE(accepts_html("*/*"));
    EXPECT_FALSE(accepts_html("application/json, text/plain, */*"));
    EXPECT_FALSE(accepts_html("application/json, text/html;q=0.5"));
    EXPECT_FALSE(accepts_html("text/html;q=0"));
}

}  // namespace
}  // namespace bennu
