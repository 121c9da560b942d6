#include "bennu/base/log.hpp"
#include "bennu/base/log_writer.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "bennu/base/utf8.hpp"

namespace bennu {
namespace log_tests {

LogRecord record_of_line(std::string_view message, std::span<const Attribute> attributes = {},
                         std::span<const Attribute> context = {}) {
    return {LogLevel::warning, {1769850300123}, message, attributes, context};
}

TEST(LogFormat, DurationsAreMilliseconds) {
    const auto text = [](std::int64_t ns) {
        const AttributeValue value{std::chrono::nanoseconds(ns)};
        const Attribute took{"took", value};
        const std::string line =
            format_log_text({LogLevel::info, {}, "done", {&took, 1}, {}}, false);
        EXPECT_TRUE(line.ends_with(" took=" + to_string(value))) << line;
        return to_string(value);
    };
    EXPECT_EQ(text(0), "0ms");
    EXPECT_EQ(text(1'500'000), "1.5ms");
    EXPECT_EQ(text(45'123), "0.045123ms");
    EXPECT_EQ(text(100), "0.0001ms");
    EXPECT_EQ(text(-2'000'001), "-2.000001ms");
    EXPECT_EQ(text(90'000'000'000'000), "90000000ms");
    EXPECT_EQ(text(INT64_MIN), "-9223372036854.775808ms");
}

TEST(Log, FormatsForPeople) {
    const Error error(ErrorKind::io, "refused", "no route");
    const Json json = Json::object({{"a", 1}});
    const Secret secret("hunter2");
    const Attribute attributes[] = {{"port", 4000},   {"path", "/a b"},
                                    {"empty", ""},    {"took", std::chrono::microseconds(1500)},
                                    {"ok", true},     {"key", secret},
                                    {"error", error}, {"json", json}};
    const Attribute context[] = {{"request_id", "r1"}, {"port", 1}};
    EXPECT_EQ(format_log_text(record_of_line("listening", attributes, context), false),
              "2026-01-31T09:05:00.123Z warning listening port=4000 path=\"/a b\" empty=\"\" "
              "took=1.5ms ok=true key=*** error=\"io refused: no route\" "
              "json=\"{\\\"a\\\":1}\" request_id=r1");
    EXPECT_NE(format_log_text(record_of_line("x"), true).find("\x1b[33mwarning\x1b[0m"),
              std::string::npos);
}

TEST(Log, FormatsForMachines) {
    const Attribute attributes[] = {{"port", 4000}, {"level", "fake"}, {"key", Secret("hunter2")}};
    const Attribute context[] = {{"pid", 7}, {"port", 1}};
    EXPECT_EQ(
        format_log_json(record_of_line("a \"quoted\" message", attributes, context)),
        R"({"time":"2026-01-31T09:05:00.123Z","level":"warning","message":"a \"quoted\" message",)"
        R"("port":4000,"level_":"fake","key":"***","pid":7})");
}

TEST(Log, NothingCanForgeALineOrDriveATerminal) {
    using namespace std::string_literals;
    const std::string evil = "\r\n2026 error forged\x1b[31m\x07\xc2\x9b 31m\xff\xe2\x80\xa8\0end"s;
    const Attribute attributes[] = {{"user", evil}, {"na\nme", evil}};
    for (const std::string& line : {format_log_text(record_of_line(evil, attributes), false),
                                    format_log_json(record_of_line(evil, attributes))}) {
        EXPECT_TRUE(valid_utf8(line));
        EXPECT_EQ(line.find("\xc2\x9b"), std::string::npos);
        for (const char c : line) EXPECT_FALSE((c >= 0 && c < 0x20) || c == 0x7f) << line;
    }
    EXPECT_TRUE(parse_json(format_log_json(record_of_line(evil, attributes))));
}

TEST(Log, CapturesLevelsAndContext) {
    LogCapture capture(LogLevel::info);
    log_debug("too quiet");
    EXPECT_FALSE(log_enabled(LogLevel::debug));
    const Attribute context[] = {{"request_id", "r1"}};
    const auto before = set_log_context(context);
    log_info("started", {{"port", 4000}});
    set_log_context(before);
    std::thread([] { log_error("failed", {{"reason", std::string("disk full")}}); }).join();
    EXPECT_EQ(capture.lines(), (std::vector<std::string>{"info started port=4000 request_id=r1",
                                                         "error failed reason=\"disk full\""}));
    EXPECT_TRUE(capture.contains("disk full"));
    EXPECT_EQ(parse_log_level("debug").value(), LogLevel::debug);
    EXPECT_FALSE(parse_log_level("loud"));
}

TEST(Log, WritesFilesAsynchronously) {
    const std::string path =
        (std::filesystem::temp_directory_path() / ("bennu_log_" + std::to_string(getpid())))
            .string();
    ASSERT_TRUE(configure_log({.format = LogFormat::json, .output = path}));
    for (int i = 0; i < 1'000; ++i) log_info("line", {{"n", i}});
    flush_log();
    std::ifstream file(path);
    std::string line;
    int count = 0;
    while (std::getline(file, line)) EXPECT_EQ(parse_json(line).value()["n"].as_int(), count++);
    EXPECT_EQ(count, 1'000);
    ASSERT_TRUE(configure_log({.async = false}));
    std::filesystem::remove(path);
    const Result<> bad = configure_log({.output = "/dev/null/log"});
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code(), "log_file");
}

TEST(LogWriter, WritesInOrderWhenItIsWoken) {
    std::vector<std::string> lines;
    int flushes = 0;
    {
        detail::LogWriter writer({.write = [&](std::string_view line) { lines.emplace_back(line); },
                                  .flush = [&] { ++flushes; },
                                  .lost = [](std::uint64_t) {}});
        writer.push("a");
        writer.push("b");
        EXPECT_TRUE(writer.flush(std::chrono::seconds(10)));
        EXPECT_EQ(lines, (std::vector<std::string>{"a\nb"}));
        EXPECT_EQ(flushes, 1);
        writer.push("c");
    }
    EXPECT_EQ(lines, (std::vector<std::string>{"a\nb", "c"}));
}

TEST(LogWriter, LosesTheOldestOfAFullQueueAndSaysSo) {
    std::vector<std::string> lines;
    detail::LogWriter writer(
        {.write = [&](std::string_view line) { lines.emplace_back(line); },
         .flush = [] {},
         .lost = [&](std::uint64_t count) { lines.push_back("lost " + std::to_string(count)); }});
    // Nobody wakes it meanwhile.
    const std::string filling(200, '.');
    for (std::size_t i = 0; i <= detail::LogWriter::queue_lines; ++i)
        writer.push(std::to_string(i) + filling);
    EXPECT_TRUE(writer.flush(std::chrono::seconds(10)));
    // The oldest piece went, as a whole.
    ASSERT_GT(lines.size(), 2U);
    ASSERT_TRUE(lines[0].starts_with("lost ")) << lines[0];
    const std::size_t lost = std::stoul(lines[0].substr(5));
    EXPECT_GT(lost, 1U);
    EXPECT_LE(lost, detail::LogWriter::piece_bytes / filling.size());
    EXPECT_TRUE(lines[1].starts_with(std::to_string(lost) + "."));
    EXPECT_TRUE(lines.back().ends_with(std::to_string(detail::LogWriter::queue_lines) + filling));
}

TEST(LogWriter, IsWokenWhenAThreadThatDefersThatSaysSo) {
    const std::string path =
        (std::filesystem::temp_directory_path() / ("bennu_deferred_" + std::to_string(getpid())))
            .string();
    ASSERT_TRUE(configure_log({.output = path}));
    {
        detail::DeferredLogWakes later;
        log_info("first");
        EXPECT_TRUE(detail::log_wake_due);
        detail::wake_log_writer();
        EXPECT_FALSE(detail::log_wake_due);
        log_info("second");
    }
    EXPECT_FALSE(detail::log_wake_due);
    flush_log();
    std::ifstream file(path);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_LT(text.find("first"), text.find("second"));
    ASSERT_TRUE(configure_log({.async = false}));
    std::filesystem::remove(path);
}

}  // namespace log_tests
}  // namespace bennu
