#include "bennu/web/certificate_watch.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "bennu/net/testing.hpp"
#include "bennu/runtime/simulation_testing.hpp"

namespace bennu {
namespace certificate_watch_test {

using namespace std::chrono_literals;

/// A chain and its key as files, which are gone with this.
struct Files {
    CertificateFiles names{
        .certificate_file = testing::TempDir() + "watch_cert." + std::to_string(::getpid()),
        .key_file = testing::TempDir() + "watch_key." + std::to_string(::getpid())};

    void write_certificate(const net::TlsCertificate& from) const {
        replace(names.certificate_file, from.certificate);
    }
    void write_key(const net::TlsCertificate& from) const {
        replace(names.key_file, from.key.reveal());
    }
    ~Files() {
        std::remove(names.certificate_file.c_str());
        std::remove(names.key_file.c_str());
    }

  private:
    // As programs that renew certificates do: the new file takes the name of the old one.
    static void replace(const std::string& name, std::string_view text) {
        std::ofstream(name + ".new") << text;
        std::rename((name + ".new").c_str(), name.c_str());
    }
};

constexpr std::string_view hello = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// Whether somebody who trusts that one alone is served.
Task<bool> serves(net::TlsCertificate certificate, SocketAddress address) {
    auto client = net::TlsContext::client({.authorities = certificate.certificate}).value();
    const std::string answer = co_await net::exchange(address, std::string(hello), client);
    co_return answer.starts_with("HTTP/1.1 200");
}

TEST(CertificateWatch, FilesThatChangeAreTakenAndWhatIsBrokenIsNot) {
    const auto first = net::make_test_certificate({"localhost"});
    const auto second = net::make_test_certificate({"localhost"});
    const auto third = net::make_test_certificate({"localhost"});
    Files files;
    files.write_certificate(first);
    files.write_key(first);
    LogCapture log(LogLevel::info);
    const SimOutcome outcome = simulate({}, [&]() -> Task<Result<>> {
        auto router = std::make_shared<Router>();
        router->get("/", [](Conn conn) { return text(conn, 200, "hello"); });
        const EndpointOptions options{.port = 8443,
                                      .tls = {.certificates = {files.names}, .reload_every = 2s}};
        co_await require(supervise({}, endpoint_children(options, router)));
        const SocketAddress address =
            co_await call(whereis<net::HttpServer>("endpoint"), net::HttpServer::Address{});
        EXPECT_TRUE(co_await serves(first, address));

        // The key comes later than the chain: nobody is told of the pair that does not match.
        co_await sleep(2s);
        files.write_certificate(second);
        co_await sleep(1500ms);
        files.write_key(second);
        co_await sleep(6s);
        EXPECT_TRUE(co_await serves(second, address));
        EXPECT_FALSE(co_await serves(first, address));
        EXPECT_FALSE(log.contains("cannot be used"));

        files.write_certificate(third);  // and the key never does
        co_await sleep(20s);
        EXPECT_TRUE(co_await serves(second, address));
        EXPECT_TRUE(log.contains("the ones of before stay in use"));
        files.write_key(third);
        co_await sleep(6s);
        EXPECT_TRUE(co_await serves(third, address));
        co_return {};
    });
    EXPECT_EQ(outcome.status, 0);
}

}  // namespace certificate_watch_test
}  // namespace bennu
