#include "bennu/web/endpoint_config.hpp"

#include <gtest/gtest.h>

namespace bennu {
namespace endpoint_config_test {

using namespace std::chrono_literals;

Result<EndpointOptions> read(std::string_view toml, EndpointOptions defaults = {}) {
    const std::vector<std::string> no_variables;
    const Config config = Config::parse(toml, "app.toml", {.environment = &no_variables}).value();
    return read_endpoint(config, std::move(defaults));
}
std::string refused(std::string_view toml) {
    const Result<EndpointOptions> options = read(toml);
    return options ? "" : std::string(options.error().message());
}

TEST(EndpointConfig, TheSectionIsReadOverTheDefaults) {
    const EndpointOptions options = read(R"([endpoint]
host = "localhost"
port = 8443
head_timeout = "3s"
per_ip = 12
max_queue_delay = "50ms"
max_body = 1000
trusted_proxies = ["10.0.0.0/8", "unix"]
hosts = ["app.example", "*.app.example"]

[endpoint.tls]
certificates = [{certificate_file = "a.pem", key_file = "a.key"}]
redirect_port = 8080
hsts = "0s"
reload_every = "1m"
)",
                                         {.per_ip = 3, .upload_folder = "up"})
                                        .value();
    EXPECT_EQ(options.host, "127.0.0.1");
    EXPECT_EQ(options.port, 8443);
    EXPECT_EQ(options.hosts, (std::vector<std::string>{"app.example", "*.app.example"}));
    EXPECT_EQ(options.head_timeout, 3s);
    EXPECT_EQ(options.per_ip, 12u);
    EXPECT_EQ(options.max_queue_delay, 50ms);
    EXPECT_EQ(options.max_body, 1000u);
    EXPECT_EQ(options.upload_folder, "up");
    EXPECT_EQ(options.tls.certificates.at(0).key_file, "a.key");
    EXPECT_EQ(options.tls.redirect_port, 8080);
    EXPECT_EQ(options.tls.hsts, 0s);
    EXPECT_EQ(options.tls.reload_every, 1min);
    EXPECT_EQ(read("", {.per_ip = 3})->per_ip, 3u);
}

TEST(EndpointConfig, ConnectionsOfProxiesAreThoseOfMany) {
    EXPECT_EQ(read("[endpoint]\ntrusted_proxies = [\"10.0.0.1\"]\n")->per_ip, 0u);
    EXPECT_EQ(read("[endpoint]\n")->per_ip, EndpointOptions{}.per_ip);
}

TEST(EndpointConfig, WhatCannotBeIsRefusedWithItsLine) {
    EXPECT_EQ(refused("[endpoint]\npro_ip = 3\n"),
              "app.toml:2: endpoint.pro_ip is not a known field; did you mean per_ip?");
    EXPECT_EQ(refused("[endpoint]\nhead_timeout = \"0s\"\n"),
              "app.toml:2: endpoint.head_timeout must be longer than 0s");
    EXPECT_EQ(refused("[endpoint]\nport = 99999\n"),
              "app.toml:2: endpoint.port must be between 0 and 65535");
    EXPECT_EQ(refused("[endpoint.tls]\nredirect_port = 80\n"),
              "app.toml:2: endpoint.tls.redirect_port needs endpoint.tls.certificates: without "
              "them there is nothing encrypted to lead to");
    EXPECT_EQ(refused("[endpoint]\nport = 80\n[endpoint.tls]\nredirect_port = 80\n"
                      "certificates = [{certificate_file = \"a\", key_file = \"b\"}]\n"),
              "app.toml:4: endpoint.tls.redirect_port must be another port than endpoint.port");
    EXPECT_EQ(refused("[endpoint]\n[endpoint.tls]\ncertificates = [{key_file = \"b\"}]\n"),
              "app.toml:3: endpoint.tls.certificates.0 must name a certificate_file");
    EXPECT_EQ(refused("[endpoint]\n[endpoint.tls]\nclient_certificates = \"required\"\n"
                      "client_authorities_file = \"a.pem\"\n"),
              "app.toml:3: endpoint.tls.client_certificates needs endpoint.tls.certificates: "
              "clients show theirs over TLS");
    EXPECT_EQ(refused("[endpoint]\n[endpoint.tls]\nclient_authorities_file = \"a.pem\"\n"),
              "app.toml:3: endpoint.tls.client_authorities_file needs tls.client_certificates to "
              "be optional or required");
    EXPECT_EQ(refused("[endpoint]\nsecret = \"short\"\n"),
              "app.toml:2: endpoint.secret must have at least 32 bytes");
    EXPECT_TRUE(refused("[endpoint]\ntrusted_proxies = [\"10.0.0.300\"]\n")
                    .starts_with("app.toml:2: endpoint.trusted_proxies "));
    EXPECT_EQ(refused("[endpoint]\nhosts = [\"https://app.example\"]\n"),
              "app.toml:2: endpoint.hosts \"https://app.example\" is no name of a host: write "
              "app.example, *.app.example for all names below it, or * for any host, without "
              "scheme and port");
    EXPECT_EQ(refused("[endpoint]\nhost = \"unix:\"\n"),
              "app.toml:2: endpoint.host must name a file after unix:");
}

TEST(EndpointConfig, CertificatesThatCannotBeReadAreTold) {
    EXPECT_TRUE(check_certificates({}));
    const Result<> missing = check_certificates(
        {.tls = {.certificates = {{.certificate_file = "/nowhere/a.pem", .key_file = "x"}}}});
    ASSERT_FALSE(missing);
    EXPECT_TRUE(missing.error().message().contains("/nowhere/a.pem")) << missing.error().message();
}

TEST(EndpointConfig, AddressesReadAsPeopleWriteThem) {
    const EndpointOptions plain, secure{.tls = {.certificates = {{"a", "b"}}}};
    EXPECT_EQ(address_for_people(plain, {"0.0.0.0", 4000}), "http://localhost:4000");
    EXPECT_EQ(address_for_people(secure, {"::", 8443}), "https://localhost:8443");
    EXPECT_EQ(address_for_people(plain, {"2001:db8::1", 80}), "http://[2001:db8::1]:80");
    EXPECT_EQ(address_for_people(secure, {"unix:/run/app.sock", 0}), "unix:/run/app.sock");
}

}  // namespace endpoint_config_test
}  // namespace bennu
