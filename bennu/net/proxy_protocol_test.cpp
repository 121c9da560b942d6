#include "bennu/net/proxy_protocol.hpp"

#include <gtest/gtest.h>

namespace bennu::net::proxy_protocol_test {

std::string read(std::string_view input) {
    ProxyHeader header = read_proxy_header(input);
    if (header.kind == ProxyHeader::Kind::need_more) return "more";
    if (header.kind == ProxyHeader::Kind::malformed) return "malformed";
    std::string rest(input.substr(header.consumed));
    return (header.client ? header.client->to_string() : "unknown") + " +" + rest;
}

/// The outcome, which every shorter input must lead to: until the header is whole, "more".
std::string read_cut(const std::string& input, std::size_t header_size) {
    for (std::size_t cut = 0; cut < header_size; ++cut)
        EXPECT_EQ(read(std::string_view(input).substr(0, cut)), "more") << cut;
    return read(input);
}

TEST(ProxyProtocol, lines) {
    std::string v4 = "PROXY TCP4 192.0.2.1 198.51.100.7 5000 443\r\n";
    EXPECT_EQ(read_cut(v4 + "GET", v4.size()), "192.0.2.1:5000 +GET");
    std::string v6 = "PROXY TCP6 2001:db8::1 2001:db8::2 65535 0\r\n";
    EXPECT_EQ(read_cut(v6, v6.size()), "[2001:db8::1]:65535 +");
    EXPECT_EQ(read("PROXY UNKNOWN\r\nx"), "unknown +x");
    EXPECT_EQ(read("PROXY UNKNOWN anything at all\r\n"), "unknown +");
    for (std::string bad : {"GET / HTTP/1.1\r\n", "PROXY TCP4 192.0.2.1 198.51.100.7 5000\r\n",
                            "PROXY TCP4 192.0.2.1 198.51.100.7 5000 443 x\r\n",
                            "PROXY  TCP4 192.0.2.1 198.51.100.7 5000 443\r\n",
                            "PROXY TCP4 192.0.2.256 198.51.100.7 5000 443\r\n",
                            "PROXY TCP4 2001:db8::1 2001:db8::2 5000 443\r\n",
                            "PROXY TCP4 192.0.2.1 198.51.100.7 65536 443\r\n",
                            "PROXY TCP4 192.0.2.1 198.51.100.7 05000 443\r\n",
                            "PROXY TCP4 192.0.2.1 198.51.100.7 +500 443\r\n",
                            "PROXY UDP4 192.0.2.1 198.51.100.7 5000 443\r\n", "proxy UNKNOWN\r\n",
                            "\r\n\r\nGET", "\x16\x03\x01"}) {
        EXPECT_EQ(read(bad), "malformed") << bad;
    }
    EXPECT_EQ(read("PROXY UNKNOWN " + std::string(100, 'x')), "malformed");
    EXPECT_EQ(read("PROXY UNKNOWN " + std::string(50, 'x')), "more");
}

std::string binary(unsigned char command, unsigned char family, std::string body) {
    std::string text("\r\n\r\n\0\r\nQUIT\n", 12);
    text += static_cast<char>(command);
    text += static_cast<char>(family);
    text += static_cast<char>(body.size() >> 8);
    text += static_cast<char>(body.size() & 0xff);
    return text + body;
}

TEST(ProxyProtocol, binary_headers) {
    std::string v4("\xc0\x00\x02\x01\xc6\x33\x64\x07\x13\x88\x01\xbb", 12);
    std::string header = binary(0x21, 0x11, v4);
    EXPECT_EQ(read_cut(header + "GET", header.size()), "192.0.2.1:5000 +GET");
    header = binary(0x21, 0x11, v4 + std::string("\x03\x00\x01x", 4));  // with a TLV
    EXPECT_EQ(read_cut(header, header.size()), "192.0.2.1:5000 +");
    std::string v6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x01" +
                     std::string(16, '\0') + std::string("\x13\x88\x01\xbb", 4);
    EXPECT_EQ(read(binary(0x21, 0x21, v6)), "[2001:db8::1]:5000 +");
    EXPECT_EQ(read(binary(0x20, 0x00, "")), "unknown +");
    EXPECT_EQ(read(binary(0x20, 0x11, v4)), "unknown +");
    EXPECT_EQ(read(binary(0x21, 0x00, "")), "unknown +");
    EXPECT_EQ(read(binary(0x21, 0x31, std::string(216, 'u'))), "unknown +");
    EXPECT_EQ(read(binary(0x21, 0x12, v4)), "unknown +");

    EXPECT_EQ(read(binary(0x11, 0x11, v4)), "malformed");
    EXPECT_EQ(read(binary(0x22, 0x11, v4)), "malformed");
    EXPECT_EQ(read(binary(0x21, 0x41, v4)), "malformed");
    EXPECT_EQ(read(binary(0x21, 0x13, v4)), "malformed");
    EXPECT_EQ(read(binary(0x21, 0x11, v4.substr(1))), "malformed");
    EXPECT_EQ(read(binary(0x21, 0x21, v4)), "malformed");
    EXPECT_EQ(read(binary(0x21, 0x11, v4 + std::string(5000, 'x'))), "malformed");
}

}  // namespace bennu::net::proxy_protocol_test
