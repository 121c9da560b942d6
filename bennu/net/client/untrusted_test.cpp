#include "bennu/net/client/untrusted.hpp"

#include <gtest/gtest.h>

#include "bennu/net/client/ip_address.hpp"
#include "bennu/net/client/request_steps.hpp"
#include "bennu/net/client/stub_transport.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu::net::untrusted_test {

using namespace std::chrono_literals;

TEST(IpAddress, special_purpose_ranges) {
    for (const char* text : {"0.0.0.0",
                             "10.1.2.3",
                             "100.64.0.1",
                             "127.0.0.1",
                             "127.255.0.9",
                             "169.254.169.254",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.0.0.1",
                             "192.0.2.1",
                             "192.168.1.1",
                             "198.18.0.1",
                             "198.51.100.1",
                             "203.0.113.9",
                             "224.0.0.1",
                             "255.255.255.255",
                             "::",
                             "::1",
                             "::ffff:127.0.0.1",
                             "::ffff:10.0.0.1",
                             "::127.0.0.1",
                             "64:ff9b::7f00:1",
                             "64:ff9b::a00:1",
                             "64:ff9b:1::1",
                             "2002:7f00:1::",
                             "2002:a9fe:a9fe::1",
                             "2001:0:1::1",
                             "2001:db8::1",
                             "3fff::1",
                             "fc00::1",
                             "fd12::1",
                             "fe80::1",
                             "fec0::1",
                             "ff02::1",
                             "100::1"}) {
        std::optional<IpAddress> address = IpAddress::parse(text);
        ASSERT_TRUE(address) << text;
        EXPECT_TRUE(address->special_purpose()) << text;
    }
    for (const char* text :
         {"8.8.8.8", "100.128.0.1", "172.32.0.1", "192.1.0.1", "223.255.255.1", "2606:4700::1111",
          "2a00::1", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8"})
        EXPECT_FALSE(IpAddress::parse(text)->special_purpose()) << text;
    for (const char* text :
         {"127.1", "0x7f.0.0.1", "2130706433", "0177.0.0.1", "1.2.3.4 ", "[::1]"})
        EXPECT_FALSE(IpAddress::parse(text)) << text;
}

/// What the guard says of a URL whose host has these addresses; the address that is connected to
/// when it passes.
Task<std::string> verdict(std::string url, std::vector<std::string> addresses,
                          UntrustedOptions options = {}) {
    options.resolve = [addresses](const std::string&) -> Result<std::vector<std::string>> {
        return addresses;
    };
    std::string connected;
    HttpClient client(stub_transport([&](ClientRequest request) -> Task<Result<ClientResponse>> {
                          connected = request.address;
                          co_return ClientResponse{.status = 200};
                      }),
                      {untrusted_guard(std::move(options))});
    Result<ClientResponse> answer = co_await client.get(url);
    co_return answer ? connected : std::string(answer.error().code());
}

BENNU_SIM_TEST(Untrusted, hosts_ports_and_spellings, sim) {
    finishes(sim, []() -> Task<Result<>> {
        struct Case {
            const char* url;
            const char* verdict;
        };
        for (const Case& one : {
                 Case{"https://hooks.example.com/x", "93.184.216.34"},
                 Case{"https://HOOKS.example.com:443/x", "93.184.216.34"},
                 Case{"https://93.184.216.34/", "93.184.216.34"},
                 Case{"http://hooks.example.com/", "scheme_refused"},
                 Case{"https://hooks.example.com:22/", "port_refused"},
                 Case{"https://a@hooks.example.com/", "host_refused"},
                 Case{"https://hooks.example.com@127.0.0.1/", "host_refused"},
                 Case{"https://hooks.example.com./", "host_refused"},
                 Case{"https://localhost/", "host_refused"},
                 Case{"https://127.0.0.1/", "address_refused"},
                 Case{"https://0.0.0.0/", "address_refused"},
                 Case{"https://169.254.169.254/latest/meta-data", "address_refused"},
                 Case{"https://[::1]/", "address_refused"},
                 Case{"https://[::ffff:127.0.0.1]/", "address_refused"},
                 Case{"https://[64:ff9b::7f00:1]/", "address_refused"},
                 Case{"https://[fe80::1]/", "address_refused"},
                 Case{"https://2130706433/", "host_refused"},
                 Case{"https://0177.0.0.1/", "host_refused"},
                 Case{"https://0x7f000001/", "host_refused"},
                 Case{"https://0x7f.1/", "host_refused"},
                 Case{"https://127.1/", "host_refused"},
                 Case{"https://%31%32%37.0.0.1/", "host_refused"},
                 Case{"https://127\xe3\x80\x82"
                      "0\xe3\x80\x82"
                      "0\xe3\x80\x82"
                      "1/",
                      "host_refused"},
                 Case{"https://ex\xc3\xa4mple.com/", "host_refused"},
                 Case{"https://hooks.example.com\\@127.0.0.1/", "bad_url"},
                 Case{"file:///etc/passwd", "bad_url"},
                 Case{"gopher://hooks.example.com/", "bad_url"},
                 Case{"http+unix://%2Fvar%2Frun%2Fdocker.sock/", "bad_url"},
             }) {
            std::string said = co_await verdict(one.url, {"93.184.216.34"});
            EXPECT_EQ(said, one.verdict) << one.url;
        }
        co_return Result<>();
    });
}

BENNU_SIM_TEST(Untrusted, every_address_is_checked_once_and_the_checked_one_is_asked, sim) {
    finishes(sim, []() -> Task<Result<>> {
        EXPECT_EQ(co_await verdict("https://a.example/", {"93.184.216.34", "10.0.0.1"}),
                  "address_refused");
        EXPECT_EQ(co_await verdict("https://a.example/", {"::ffff:127.0.0.1"}), "address_refused");
        EXPECT_EQ(co_await verdict("https://a.example/", {}), "unknown_host");
        EXPECT_EQ(
            co_await verdict("https://a.example/", {"10.0.0.1"}, {.also_reach = {"10.0.0.1"}}),
            "10.0.0.1");
        // A name that means something else at the second look: there is none.
        auto looks = std::make_shared<int>(0);
        std::string connected;
        HttpClient client(
            stub_transport([&](ClientRequest request) -> Task<Result<ClientResponse>> {
                connected = request.address;
                ClientResponse answer{.status = request.url.ends_with("/moved") ? 302 : 200};
                answer.headers.set("location", "https://169.254.169.254/");
                co_return answer;
            }),
            {follow_redirects(), untrusted_guard({.resolve = [looks](const std::string&) {
                 return Result<std::vector<std::string>>(
                     std::vector<std::string>{++*looks == 1 ? "93.184.216.34" : "127.0.0.1"});
             }})});
        EXPECT_TRUE(co_await client.get("https://rebind.example/"));
        EXPECT_EQ(connected, "93.184.216.34");
        EXPECT_EQ(*looks, 1);
        EXPECT_EQ((co_await client.get("https://rebind.example/")).error().code(),
                  "address_refused");
        *looks = 0;
        EXPECT_EQ((co_await client.get("https://rebind.example/moved")).error().code(),
                  "redirect_refused");
        co_return Result<>();
    });
}

}  // namespace bennu::net::untrusted_test
