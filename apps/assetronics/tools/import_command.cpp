#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "apps/assetronics/tools/commands.hpp"
#include "apps/assetronics/tools/http_client.hpp"
#include "apps/assetronics/tools/import_report.hpp"
#include "bennu/net/url.hpp"

namespace assetronics::tools {

using namespace bennu;

namespace {

constexpr std::uint64_t most_bytes = 32 << 20;

/// One line that is written over itself on a terminal; elsewhere a line for each step of a tenth.
class Progress {
  public:
    Progress() : terminal_(isatty(STDERR_FILENO) != 0) {}
    ~Progress() { clear(); }

    void show(const std::string& line, std::int64_t tenth) {
        if (terminal_) {
            std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
            dirty_ = true;
        } else if (tenth != tenth_) {
            std::fprintf(stderr, "%s\n", line.c_str());
        }
        tenth_ = tenth;
        std::fflush(stderr);
    }
    void clear() {
        if (dirty_) std::fputs("\r\x1b[K", stderr);
        dirty_ = false;
    }

  private:
    bool terminal_;
    bool dirty_ = false;
    std::int64_t tenth_ = -1;
};

Error unreachable(const ServerAddress& server) {
    return Error(
        ErrorKind::unavailable, "not_reachable",
        "no server answers at " + server.url + "; start it with ./run, or name it with --url");
}

Result<> check_file(const std::string& path) {
    struct stat found{};
    if (stat(path.c_str(), &found) != 0) {
        return Error(ErrorKind::not_found, "file",
                     "cannot read " + path + ": " + std::strerror(errno));
    }
    if (!S_ISREG(found.st_mode)) return Error(ErrorKind::invalid, "file", path + " is not a file");
    if (static_cast<std::uint64_t>(found.st_size) > most_bytes) {
        return Error(ErrorKind::too_large, "file",
                     path + " is larger than 32 MiB; split it and import the parts");
    }
    return {};
}

/// The server's own words about a refusal.
Error refusal(const HttpAnswer& answer) {
    std::string text = "the server answered " + std::to_string(answer.status);
    Result<Json> body = parse_json(answer.body);
    if (!body) return Error(ErrorKind::invalid, "refused", text);
    const Json& errors = (*body)["errors"];
    for (std::size_t i = 0; i < errors.size(); ++i) {
        const auto field = errors[i].get<std::string_view>("field").value_or("");
        text += "\n  ";
        if (!field.empty()) text += std::string(field) + ": ";
        text += printable(errors[i].get<std::string_view>("message").value_or(""), 2000);
    }
    return Error(ErrorKind::invalid, "refused", text);
}

Result<Json> data_of(Result<HttpAnswer> answer, int expected) {
    if (!answer) return std::move(answer).error();
    if (answer->status != expected) return refusal(*answer);
    Result<Json> body = parse_json(answer->body);
    if (!body) return std::move(body).error().with_context("the server's answer");
    return (*body)["data"];
}

Result<Json> upload(const ImportCommand& command, const ServerAddress& server, Progress& progress) {
    const std::string name = std::filesystem::path(command.file).filename().string();
    Result<HttpAnswer> answer = http_call(
        {.url = server.url + "/api/v1/imports?filename=" + net::percent_encode(name),
         .headers = {"content-type: text/csv", "x-tenant-id: " + command.tenant, "expect:"},
         .upload = command.file,
         .progress =
             [&](std::uint64_t sent, std::uint64_t size) {
                 const auto percent = static_cast<std::int64_t>(sent * 100 / size);
                 progress.show("sending " + name + "  " + std::to_string(percent) + "%",
                               percent / 100);
             },
         .timeout = std::chrono::seconds(300)});
    if (!answer && answer.error().code() == "not_reachable") return unreachable(server);
    return data_of(std::move(answer), 202);
}

bool is_over(const Json& import) {
    const auto status = import.get<std::string_view>("status").value_or("");
    return status == "completed" || status == "failed";
}

/// Asks until it is over. The server may be restarting: the import goes on when it is back.
Result<Json> follow(const ImportCommand& command, const ServerAddress& server, Json import,
                    Progress& progress) {
    constexpr auto pause = std::chrono::milliseconds(200);
    constexpr int patience = 150;  // pauses without an answer: 30 s
    const std::string url = server.url + "/api/v1/imports/" + std::string(import["id"].as_string());
    int silent = 0;
    while (!is_over(import)) {
        const auto total = std::max<std::int64_t>(1, import.get<std::int64_t>("total").value_or(1));
        progress.show(progress_line(import),
                      import.get<std::int64_t>("processed").value_or(0) * 10 / total);
        std::this_thread::sleep_for(pause);
        Result<HttpAnswer> answer =
            http_call({.url = url, .headers = {"x-tenant-id: " + command.tenant}});
        if (!answer || answer->status >= 500) {
            if (++silent < patience) continue;
            return Error(
                ErrorKind::unavailable, "not_reachable",
                "the server no longer answers; the import goes on when it is back: " + url);
        }
        silent = 0;
        Result<Json> next = data_of(std::move(answer), 200);
        if (!next) return next;
        import = *std::move(next);
    }
    return import;
}

Result<Json> run_import(const ImportCommand& command, const ServerAddress& server) {
    Result<> usable = check_file(command.file);
    if (!usable) return std::move(usable).error();
    Progress progress;
    Result<Json> started = upload(command, server, progress);
    if (!started) return started;
    if (!started->get<std::string_view>("id"))
        return Error(ErrorKind::invalid, "refused", "the server's answer has no id");
    return follow(command, server, *std::move(started), progress);
}

}  // namespace

int import_file(const ImportCommand& command) {
    Result<ServerAddress> server = parse_server(command.url);
    Result<Json> import = server ? run_import(command, *server) : Result<Json>(server.error());
    if (!import) {
        std::fprintf(stderr, "assetronics import: %s\n",
                     std::string(import.error().message()).c_str());
        return 1;
    }
    const std::string download = server->url + "/api/v1/imports/" +
                                 std::string(import->get<std::string_view>("id").value_or("")) +
                                 "/errors.csv";
    std::fputs(import_report(*import, download).c_str(), stdout);
    return import_status(*import);
}

}  // namespace assetronics::tools
