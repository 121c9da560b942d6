#include "bennu/base/config.hpp"

#include <gtest/gtest.h>

namespace bennu {
namespace config_tests {

enum class Mode { fast, safe };
BENNU_ENUM(Mode, fast, safe)

struct ServerConfig {
    std::string host = "localhost";
    std::uint16_t port = 4000;
    Duration timeout = std::chrono::seconds(30);
    Mode mode = Mode::safe;
    std::vector<std::string> origins;
    std::optional<Secret> key;
};
BENNU_RECORD(ServerConfig, host, port, timeout, mode, origins, key)

const std::string_view toml = R"(title = "demo"
since = 2026-01-31

[server]
port = 8080
timeout = "5s"
origins = ["a.example", "b.example"]

[server.tls]
on = true

[database]
prot = 1
port = "x"
)";

Config with_environment(std::vector<std::string> environment) {
    return Config::parse(toml, "app.toml",
                         {.aliases = {{"PORT", "server.port"}, {"DATA_DIR", "data.dir"}},
                          .environment = &environment})
        .value();
}

TEST(Config, ReadsValuesByPath) {
    const Config config = with_environment({});
    EXPECT_EQ(config.get_string("title").value(), "demo");
    EXPECT_EQ(config.get_string("since").value(), "2026-01-31");
    EXPECT_EQ(config.get_int("server.port").value(), 8080);
    EXPECT_EQ(config.get_double("server.port").value(), 8080.0);
    EXPECT_EQ(config.get_bool("server.tls.on").value(), true);
    EXPECT_EQ(config.get_duration("server.timeout").value(), std::chrono::seconds(5));
    EXPECT_TRUE(config.contains("server"));
    EXPECT_FALSE(config.contains("server.port.deeper"));
    EXPECT_EQ(config.get_int("server.none").error().message(),
              "app.toml:4: server.none is not set");
    EXPECT_EQ(config.get_int("server.none").error().kind(), ErrorKind::not_found);
    EXPECT_EQ(config.get_int("title").error().message(),
              "app.toml:1: title must be a whole number");
    EXPECT_EQ(Config().get_int("x").error().message(), "x is not set");
}

TEST(Config, TheEnvironmentOverrides) {
    const Config config = with_environment(
        {"PORT=9001", "BENNU_SERVER__PORT=9000", "BENNU_SERVER__HOST=0.0.0.0", "BENNU_LEVEL=debug",
         "BENNUX=1", "BENNU_=1", "DATA_DIR=", "HOME=/root", "odd", "BENNU_LIST=[1,2]"});
    EXPECT_EQ(config.get_int("server.port").value(), 9001);
    EXPECT_EQ(config.get_string("server.host").value(), "0.0.0.0");
    EXPECT_EQ(config.get_string("level").value(), "debug");
    EXPECT_FALSE(config.contains("data.dir"));
    EXPECT_EQ(config.tree()["list"].size(), 2u);
    EXPECT_EQ(with_environment({"PORT=many"}).get_int("server.port").error().message(),
              "environment variable PORT: server.port must be a whole number");
}

TEST(Config, SectionsAreRecordsWithDefaults) {
    const Result<Config> config = Config::parse(
        "[server]\nport = 8080\norigins = [\"a\"]\nmode = \"fast\"\nkey = \"k\"\n", "app.toml", {});
    const Result<ServerConfig> server = config->section<ServerConfig>("server");
    ASSERT_TRUE(server) << server.error().describe();
    EXPECT_EQ(server->port, 8080);
    EXPECT_EQ(server->host, "localhost");
    EXPECT_EQ(server->mode, Mode::fast);
    EXPECT_EQ(server->origins, std::vector<std::string>{"a"});
    EXPECT_EQ(server->key->reveal(), "k");
    EXPECT_EQ(config->section<ServerConfig>("absent")->port, 4000);
}

TEST(Config, ErrorsNameTheLine) {
    const Config config = with_environment({"BENNU_DATABASE__MODE=odd"});
    const Result<ServerConfig> section = config.section<ServerConfig>("database");
    ASSERT_FALSE(section);
    EXPECT_EQ(section.error().code(), "invalid_config");
    const std::string message(section.error().message());
    for (const std::string_view line :
         {"app.toml:14: database.port must be a whole number",
          "app.toml:13: database.prot is not a known field; did you mean port?",
          "environment variable BENNU_DATABASE__MODE: database.mode must be one of: fast, safe"}) {
        EXPECT_NE(message.find(line), std::string::npos) << message;
    }
    EXPECT_EQ(config.section<ServerConfig>("title").error().message(),
              "app.toml:1: title must be an object");
}

struct StoreConfig {
    std::string folder;
};
BENNU_RECORD(StoreConfig, folder)

std::string refused(std::string_view text, std::vector<std::string> environment = {}) {
    const std::vector<ConfigSection> known{config_section<ServerConfig>("server"),
                                           config_section<StoreConfig>("store")};
    const Config config = Config::parse(text, "app.toml", {.environment = &environment}).value();
    const Result<> checked = config.check_sections(known);
    return checked ? "" : std::string(checked.error().message());
}

TEST(Config, WhatNoSectionReadsIsRefusedWithItsLineAndTheNearestName) {
    EXPECT_EQ(refused("[server]\nport = 1\n[store]\nfolder = \"x\"\n"), "");
    EXPECT_EQ(refused("[sever]\nport = 1\n"),
              "app.toml:1: sever is not a known section; did you mean server?");
    EXPECT_EQ(refused("[server]\nport = 1\n\n[zzzzzz]\nport = 1\n"),
              "app.toml:4: zzzzzz is not a known section; there are: server store");
    EXPECT_EQ(refused("[server]\nprot = 1\n[store]\nzzzzzz = 2\n"),
              "app.toml:2: server.prot is not a known field; did you mean port?\n"
              "app.toml:4: store.zzzzzz is not a known field");
    // The right key in the wrong section, or in none.
    EXPECT_EQ(refused("[store]\ntimeout = \"1s\"\n"),
              "app.toml:2: store.timeout is not a known field; did you mean server.timeout?");
    EXPECT_EQ(refused("timeout = \"1s\"\ntitle = \"demo\"\n"),
              "app.toml:1: timeout is in no section; did you mean server.timeout?\n"
              "app.toml:2: title is in no section");
    EXPECT_EQ(refused("server = 3\n"), "app.toml:1: server must be a section");
}

TEST(Config, VariablesAreCheckedWhereTheyNameASection) {
    EXPECT_EQ(refused("", {"BENNU_SERVER__PORT=1", "BENNU_PORT=tcp://10.0.0.1:80"}), "");
    EXPECT_EQ(refused("", {"BENNU_SERVER__PROT=1"}),
              "environment variable BENNU_SERVER__PROT: server.prot is not a known field; did you "
              "mean port?");
    EXPECT_EQ(refused("", {"BENNU_SEVER__PORT=1"}),
              "environment variable BENNU_SEVER__PORT: sever is not a known section; did you mean "
              "server?");
}

TEST(Config, ErrorsOfAProgramSayWhereASettingComesFrom) {
    const Config config = with_environment({"PORT=1"});
    EXPECT_EQ(config.invalid("server.timeout", "is too short").message(),
              "app.toml:6: server.timeout is too short");
    EXPECT_EQ(config.invalid("server.port", "is taken").message(),
              "environment variable PORT: server.port is taken");
}

TEST(Config, RefusesBrokenFiles) {
    const Result<Config> broken = Config::parse("a = 1\nb = = 2\n", "app.toml", {});
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code(), "malformed_toml");
    EXPECT_TRUE(broken.error().message().starts_with("app.toml:2: ")) << broken.error().message();
    EXPECT_EQ(Config::load("/no/such/file.toml").error().kind(), ErrorKind::not_found);
    EXPECT_FALSE(Config::parse("a = 1\na = 2\n", "app.toml", {}));
}

}  // namespace config_tests
}  // namespace bennu
