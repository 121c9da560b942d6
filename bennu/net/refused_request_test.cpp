#include "bennu/net/refused_request.hpp"

#include <gtest/gtest.h>

namespace bennu::net::refused_request_test {

TEST(SeenRequestLine, says_what_can_be_told) {
    struct Row {
        std::string head;
        std::string_view method, path;
    };
    const Row rows[] = {
        {"GET /a/b?token=1 HTTP/9\r\nx: y\r\n", "GET", "/a/b"},
        {"POST /a", "POST", "/a"},
        {"POST ", "POST", ""},
        {"PO", "PO", ""},
        {"", "", ""},
        {"\r\n", "", ""},
        {"\r\nGET /a HTTP/9\r\n", "GET", "/a"},
        {"G\x01T / HTTP/1.1\r\n", "", ""},
        {"GET /a\x1b[31m HTTP/1.1\r\n", "GET", "/a"},
        {"GET http://h/a HTTP/1.1", "GET", "http://h/a"},
        {std::string(21, 'M') + " / HTTP/1.1", "", ""},
        {"GET /" + std::string(8000, 'a'), "GET", ""},
    };
    for (const Row& row : rows) {
        const SeenRequestLine seen = seen_request_line(row.head);
        EXPECT_EQ(seen.method, row.method) << row.head;
        if (row.head.size() > 1000) {
            EXPECT_EQ(seen.path, "/" + std::string(199, 'a'));
        } else {
            EXPECT_EQ(seen.path, row.path) << row.head;
        }
    }
}

}  // namespace bennu::net::refused_request_test
