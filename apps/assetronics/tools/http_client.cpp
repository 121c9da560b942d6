#include "apps/assetronics/tools/http_client.hpp"

#include <curl/curl.h>
#include <netdb.h>

#include <charconv>
#include <cstdio>
#include <filesystem>

#include "bennu/base/ascii.hpp"

namespace assetronics::tools {

using namespace bennu;

namespace {

using Handle = std::unique_ptr<CURL, void (*)(CURL*)>;
using HeaderList = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;
using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

constexpr std::size_t most_answer = 16 << 20;

std::size_t keep_body(char* bytes, std::size_t size, std::size_t count, void* body) {
    auto& text = *static_cast<std::string*>(body);
    if (text.size() + size * count > most_answer) return 0;
    text.append(bytes, size * count);
    return size * count;
}

std::size_t read_file(char* into, std::size_t size, std::size_t count, void* file) {
    return std::fread(into, size, count, static_cast<std::FILE*>(file));
}

int tell_progress(void* call, curl_off_t, curl_off_t, curl_off_t size, curl_off_t sent) {
    auto& progress = static_cast<HttpCall*>(call)->progress;
    if (progress && size > 0)
        progress(static_cast<std::uint64_t>(sent), static_cast<std::uint64_t>(size));
    return 0;
}

Error refused(CURLcode code, const HttpCall& call) {
    const std::string why = curl_easy_strerror(code);
    const bool absent = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
                        code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
                        code == CURLE_SEND_ERROR;
    if (absent) return Error(ErrorKind::unavailable, "not_reachable", why);
    if (code == CURLE_OPERATION_TIMEDOUT) return Error(ErrorKind::timeout, "timeout", why);
    return Error(ErrorKind::io, "http", why + " (" + call.url + ")");
}

}  // namespace

Result<HttpAnswer> http_call(HttpCall call) {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (ready != CURLE_OK) return refused(ready, call);
    const Handle handle(curl_easy_init(), curl_easy_cleanup);
    if (!handle) return refused(CURLE_FAILED_INIT, call);
    CURL* curl = handle.get();

    HeaderList headers(nullptr, curl_slist_free_all);
    for (const std::string& header : call.headers) {
        headers.reset(curl_slist_append(headers.release(), header.c_str()));
    }
    HttpAnswer answer;
    curl_easy_setopt(curl, CURLOPT_URL, call.url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, static_cast<long>(call.timeout.count()));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);

    File file(nullptr, std::fclose);
    if (!call.upload.empty()) {
        file.reset(std::fopen(call.upload.c_str(), "rb"));
        if (!file)
            return Error(ErrorKind::io, "file",
                         "cannot read " + call.upload + ": " + std::strerror(errno));
        std::error_code failure;
        const auto size = std::filesystem::file_size(call.upload, failure);
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(failure ? 0 : size));
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_file);
        curl_easy_setopt(curl, CURLOPT_READDATA, file.get());
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, tell_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &call);
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    }
    if (!call.body.empty()) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(call.body.size()));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call.body.data());
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());

    const CURLcode done = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    // A server that refuses an upload early may close before it has read all of it; its answer
    // stands.
    if (done != CURLE_OK && (done != CURLE_SEND_ERROR || status == 0)) return refused(done, call);
    return answer;
}

Result<ServerAddress> parse_server(std::string_view url) {
    const Error bad(ErrorKind::invalid, "bad_url",
                    "\"" + std::string(url) + "\" is no address such as http://localhost:4000");
    std::string_view rest = url;
    if (rest.starts_with("https:")) {
        return Error(ErrorKind::unsupported, "bad_url",
                     "https is not spoken here; use the server's http address");
    }
    if (!rest.starts_with("http://")) return bad;
    rest.remove_prefix(7);
    while (rest.ends_with('/')) rest.remove_suffix(1);
    if (rest.empty() || rest.find_first_of("/?#@ ") != std::string_view::npos) return bad;
    ServerAddress address{.url = "http://" + std::string(rest)};
    const std::size_t bracket = rest.rfind(']');
    const std::size_t colon = rest.rfind(':');
    const bool has_port =
        colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
    if (has_port) {
        const std::string_view digits = rest.substr(colon + 1);
        const auto [end, failure] =
            std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
        if (failure != std::errc() || end != digits.data() + digits.size() || address.port == 0)
            return bad;
        rest = rest.substr(0, colon);
    }
    if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
    if (rest.empty()) return bad;
    address.host = rest;
    return address;
}

Result<std::string> resolve(const std::string& host) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failure = getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (failure != 0) {
        return Error(ErrorKind::unavailable, "unknown_host", host + ": " + gai_strerror(failure));
    }
    // The server listens on an IPv4 address unless told otherwise.
    const addrinfo* best = found;
    for (const addrinfo* each = found; each; each = each->ai_next) {
        if (each->ai_family == AF_INET) {
            best = each;
            break;
        }
    }
    char text[NI_MAXHOST];
    const int unreadable =
        getnameinfo(best->ai_addr, best->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
    freeaddrinfo(found);
    if (unreadable != 0)
        return Error(ErrorKind::unavailable, "unknown_host", gai_strerror(unreadable));
    return std::string(text);
}

}  // namespace assetronics::tools
